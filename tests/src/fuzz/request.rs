//! Any text as the script's part of the URL.

use agi_proto::{BString, Environment, Leniency, Request};

/// * Nothing panics. The path begins with `/` and holds what stood before the first `?`, escapes and all.
/// * The query is what a simple decoder makes of the rest.
pub fn request(data: &[u8]) {
    let block = [b"agi_network_script: ", data, b"\n"].concat();
    let Ok(environment) = Environment::parse(&block, Leniency::ALL) else { return };
    let request = Request::new(&environment);
    assert_eq!(request.environment(), &environment);
    let script = environment.network_script().expect("it was just written").to_vec();
    let mut halves = script.splitn(2, |&byte| byte == b'?');
    let path = halves.next().unwrap_or_default();
    let path = if path.starts_with(b"/") { path.to_vec() } else { [b"/", path].concat() };
    assert_eq!(*request.path(), path);
    let mut pairs: Vec<(BString, BString)> = Vec::new();
    for pair in halves.next().unwrap_or_default().split(|&byte| byte == b'&') {
        let mut halves = pair.splitn(2, |&byte| byte == b'=');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        if !pair.is_empty() {
            pairs.push((decode(name).into(), decode(value).into()));
        }
    }
    let found: Vec<(BString, BString)> =
        request.query_pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(found, pairs);
    for (name, _) in &pairs {
        let first = pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        assert_eq!(request.query(name), first.map(AsRef::as_ref));
    }
}

fn decode(text: &[u8]) -> Vec<u8> {
    let digit =
        |byte: Option<&u8>| char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match (byte, digit(text.get(at)), digit(text.get(at + 1))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high * 16 + low);
                at += 2;
            }
            (b'+', ..) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
    }
    decoded
}

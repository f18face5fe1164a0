//! The response parser against a second one, written from the description of the protocol and as simple
//! as can be: it copies, it looks at every byte again and again, and it knows no trick.

use agi_proto::Response;

/// Both parsers find the same in any bytes: status, result, value, tag and fields.
pub fn differential(data: &[u8]) {
    let ours = Response::parse(data);
    let theirs = Naive::read(data);
    assert_eq!(ours.is_some(), theirs.is_some(), "only one of them takes it for a response");
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
    assert_eq!(ours.status(), theirs.status);
    assert_eq!(ours.result().map(|text| text.to_vec()), theirs.result);
    assert_eq!(ours.code(), theirs.code);
    assert_eq!(ours.value().map(|text| text.to_vec()), theirs.value);
    assert_eq!(ours.tag().map(|text| text.to_vec()), theirs.tag);
    let fields: Vec<_> = ours.fields().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    assert_eq!(fields, theirs.fields);
}

type Text = Vec<u8>;

#[derive(Debug, Default)]
struct Naive {
    status: u16,
    result: Option<Text>,
    code: Option<i64>,
    value: Option<Text>,
    tag: Option<Text>,
    fields: Vec<(Text, Text)>,
}

impl Naive {
    /// `200 result=1 (value) name=field name="a field"`.
    fn read(data: &[u8]) -> Option<Self> {
        let mut naive = Self::default();
        let status = String::from_utf8(data.get(..3)?.to_vec()).ok()?;
        if !status.chars().all(|digit| digit.is_ascii_digit()) || status.starts_with('0') {
            return None;
        }
        naive.status = status.parse().ok()?;
        let mut rest: Text = match data.get(3) {
            None => return Some(naive),
            Some(b' ' | b'-') => data[4..].to_vec(),
            Some(_) => return None,
        };
        if rest.starts_with(b"result=") {
            rest.drain(..7);
            let result = take_until(&mut rest, |rest| rest.starts_with(b" "));
            naive.code = String::from_utf8(result.clone()).ok().and_then(|text| super::number(&text));
            naive.result = Some(result);
        }
        if rest.starts_with(b" ") {
            rest.remove(0);
        }
        if rest.starts_with(b"(") && rest.contains(&b')') {
            let mut tag = rest[1..].to_vec();
            naive.tag = Some(take_until(&mut tag, |rest| rest.starts_with(b")")));
            let mut value = rest[1..].to_vec();
            while value.pop() != Some(b')') {}
            naive.value = Some(value);
            take_until(&mut rest, |rest| rest.starts_with(b")"));
            rest.remove(0);
        }
        naive.read_fields(rest);
        Some(naive)
    }

    fn read_fields(&mut self, mut rest: Text) {
        while !rest.is_empty() {
            if rest.starts_with(b" ") {
                rest.remove(0);
                continue;
            }
            let mut word = rest.clone();
            let word = take_until(&mut word, |rest| rest.starts_with(b" "));
            if !word.contains(&b'=') {
                rest.drain(..word.len());
                continue;
            }
            let name = take_until(&mut rest, |rest| rest.starts_with(b"="));
            rest.remove(0);
            let value = if rest.starts_with(b"\"") {
                rest.remove(0);
                let value = take_until(&mut rest, closes);
                rest.drain(..rest.len().min(1));
                value
            } else {
                take_until(&mut rest, |rest| rest.starts_with(b" "))
            };
            self.fields.push((name, value));
        }
    }
}

/// Moves bytes until what is left satisfies `end`, or nothing is left.
fn take_until(rest: &mut Text, end: impl Fn(&[u8]) -> bool) -> Text {
    let mut taken = Text::new();
    while !rest.is_empty() && !end(rest) {
        taken.push(rest.remove(0));
    }
    taken
}

/// A quote that nothing follows, or a blank, letters or digits, and `=`.
fn closes(rest: &[u8]) -> bool {
    let Some(behind) = rest.strip_prefix(b"\"") else { return false };
    let Some(name) = behind.strip_prefix(b" ") else { return behind.is_empty() };
    let equals = name.iter().position(|byte| !byte.is_ascii_alphanumeric());
    equals.is_some_and(|at| at > 0 && name[at] == b'=')
}

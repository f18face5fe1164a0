//! Any bytes as an environment block.

use agi_proto::{Environment, Event, Filled, Leniency, Limits, ProtocolError, Session};

use crate::pair::ENVIRONMENT;

/// The first byte chooses what is let pass, the second where the block is split; the rest is the block.
///
/// * Nothing panics, and what was accepted can be written and read again to the same variables.
/// * A strict block is what Asterisk sends: every variable once, in order, and `arg(n)` is `agi_arg_n`.
/// * What the strict rules accept the lenient ones accept, and tell that they let nothing pass.
/// * A session that gets the block in two pieces, or byte by byte, comes to the same.
pub fn environment(data: &[u8]) {
    let [choice, at, block @ ..] = data else { return };
    let mut leniency = Leniency::default();
    leniency.incomplete = choice & 1 != 0;
    leniency.duplicates = choice & 2 != 0;
    leniency.any_order = choice & 4 != 0;
    let parsed = Environment::parse(block, leniency);
    if let Ok(environment) = &parsed {
        round_trip(environment, leniency);
        tolerated_is_allowed(environment.tolerated(), leniency);
    }
    if let Ok(strict) = Environment::parse(block, Leniency::default()) {
        is_what_asterisk_sends(&strict);
        assert_eq!(parsed.as_ref(), Ok(&strict), "leniency refuses what strictness accepts");
        assert_eq!(strict.tolerated(), Leniency::default());
    }
    let at = usize::from(*at).min(block.len());
    let in_two = through_session(&[&block[..at], &block[at..]], leniency);
    assert_eq!(in_two, through_session(&block.chunks(1).collect::<Vec<_>>(), leniency));
    // the session ends the block at the first blank line
    if let Some(first) = end_of_block(block) {
        let lines = block[..first].iter().filter(|&&byte| byte == b'\n').count() - 1;
        if lines <= Limits::default().environment_variables {
            let parsed = Environment::parse(&block[..first], leniency);
            assert_eq!(in_two, parsed.map(Some).map_err(ProtocolError::from));
        }
    }
}

fn round_trip(environment: &Environment, leniency: Leniency) {
    let mut written = Vec::new();
    if environment.iter().next().is_some_and(|(_, value)| value.ends_with(b"\r")) {
        return; // written with LF it would be read as CR LF
    }
    for (name, value) in environment.iter() {
        written.extend_from_slice(&[name.as_bytes(), b": ", value, b"\n"].concat());
        assert!(environment.get(name).is_some());
        assert!(!value.contains(&b'\n'));
    }
    let blank = [&written[..], b"\n"].concat();
    assert_eq!(Environment::parse(&written, leniency).as_ref(), Ok(environment));
    assert_eq!(Environment::parse(&blank, leniency).as_ref(), Ok(environment));
    let crlf: Vec<u8> = blank.split_inclusive(|&byte| byte == b'\n').flat_map(with_crlf).collect();
    assert_eq!(Environment::parse(&crlf, leniency).as_ref(), Ok(environment));
}

fn with_crlf(line: &[u8]) -> Vec<u8> {
    [&line[..line.len() - 1], b"\r\n"].concat()
}

fn tolerated_is_allowed(tolerated: Leniency, allowed: Leniency) {
    assert!(allowed.incomplete || !tolerated.incomplete);
    assert!(allowed.duplicates || !tolerated.duplicates);
    assert!(allowed.any_order || !tolerated.any_order);
}

/// Written against the variables that the tests know, not against the parser's table.
fn is_what_asterisk_sends(environment: &Environment) {
    let names: Vec<&str> = environment.iter().map(|(name, _)| name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), names.len(), "a name came twice: {names:?}");
    let mut known = names.iter().filter_map(|name| ENVIRONMENT.iter().position(|(known, _)| known == name));
    let places: Vec<usize> = known.by_ref().collect();
    assert!(places.is_sorted(), "out of order: {names:?}");
    assert!((2..ENVIRONMENT.len()).all(|place| places.contains(&place)), "incomplete: {names:?}");
    let last = names.iter().position(|name| *name == "agi_threadid").expect("it is complete");
    for (n, arg) in environment.args().enumerate() {
        let name = format!("agi_arg_{}", n + 1);
        assert_eq!(environment.get(&name), Some(arg), "{name} is not argument {}: {names:?}", n + 1);
        assert_eq!(environment.arg(n + 1), Some(arg));
        let place = names.iter().position(|other| *other == name).expect("it has a value");
        assert!(place > last, "{name} came before agi_threadid: {names:?}");
    }
}

fn through_session(pieces: &[&[u8]], leniency: Leniency) -> Result<Option<Environment>, ProtocolError> {
    let mut session = Session::with_config(0, Limits::default(), leniency);
    for piece in pieces {
        session.handle_input(piece, Filled::No);
        match session.poll_event()? {
            Some(Event::Environment(environment)) => return Ok(Some(environment.clone())),
            None => {}
            Some(other) => panic!("before the environment: {other:?}"),
        }
    }
    Ok(None)
}

fn end_of_block(block: &[u8]) -> Option<usize> {
    let mut at = 0;
    for line in block.split_inclusive(|&byte| byte == b'\n') {
        at += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Some(at);
        }
    }
    None
}

//! What real Asterisks sent, replayed whole, split at every place, and byte by byte.
#![allow(clippy::unwrap_used, reason = "a test may")]

use agi_proto::{BStr, EncodeError, Filled, RawCommand, Session};
use agi_tests::pair::{Seen, seen};
use agi_tests::trace::{Line, Trace};

/// Plays Asterisk's part into a session, each piece cut by `cut`, and the script's part as raw commands.
fn replay(lines: &[Line], cut: impl Fn(usize, &[u8]) -> Vec<&[u8]>) -> Vec<Seen> {
    let mut session = Session::new(1);
    let mut all: Vec<Seen> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        match line {
            Line::Received(bytes) => {
                for piece in cut(number, bytes) {
                    session.handle_input(piece, Filled::No);
                    all.extend(seen(&mut session));
                }
                if !matches!(lines.get(number + 1), Some(Line::Received(_))) {
                    answer_own(&mut session);
                }
            }
            Line::Sent(bytes) => match session.send(&RawCommand::new(&bytes[..bytes.len() - 1])) {
                Ok(_pending) => {
                    assert_eq!(session.poll_transmit(), Some(&bytes[..]));
                    session.transmitted(bytes.len());
                }
                Err(error) => all.push(Seen::Refused(error)),
            },
            Line::Finish => session.finish(),
            Line::Eof => session.handle_eof(),
        }
        all.extend(seen(&mut session));
    }
    let failed = all.iter().position(|seen| matches!(seen, Seen::Failed(_)));
    all.truncate(failed.map_or(all.len(), |at| at + 1)); // an error repeats
    all
}

/// Answers what the recorded script did not ask and ours does: the barrier after a value of several lines, and whether
/// the channel is hung up after a 511. It was in all recordings.
fn answer_own(session: &mut Session) {
    let Some(line) = session.poll_transmit().map(<[u8]>::to_vec) else { return };
    let value = match &line[..] {
        b"GET VARIABLE CHANNEL(checkhangup)\n" => b"1",
        _ => line.split(|&byte| byte == b'"').nth(1).expect("a quoted token"),
    };
    session.transmitted(line.len());
    session.handle_input(&[b"200 result=1 (", value, b")\n"].concat(), Filled::No);
}

fn whole(lines: &[Line]) -> Vec<Seen> {
    replay(lines, |_, bytes| vec![bytes])
}

#[test]
fn events_do_not_depend_on_how_the_bytes_arrive() {
    for trace in Trace::all() {
        let lines = trace.joined();
        let expected = whole(&lines);
        assert_eq!(whole(&trace.lines), expected, "{}: as it arrived", trace.name);
        let dribbled = replay(&lines, |_, bytes| bytes.chunks(1).collect());
        assert_eq!(dribbled, expected, "{}: byte by byte", trace.name);
        for (number, line) in lines.iter().enumerate() {
            let Line::Received(bytes) = line else { continue };
            for at in 1..bytes.len() {
                let split = replay(&lines, |here, bytes| match here == number {
                    true => vec![&bytes[..at], &bytes[at..]],
                    false => vec![bytes],
                });
                assert_eq!(split, expected, "{}: line {number} split at {at}", trace.name);
            }
        }
    }
}

/// Each answer reaches its command, and not one byte of Asterisk's is lost or taken for something else.
#[test]
fn every_byte_is_an_answer_or_a_hangup() {
    let mut answers = 0;
    for trace in Trace::all() {
        let lines = trace.joined();
        let got = whole(&lines);
        if got.iter().any(|seen| matches!(seen, Seen::Refused(error) if *error != EncodeError::Closed)) {
            assert!(is_never_sent(&trace.name), "{}: {got:?}", trace.name);
            continue;
        }
        let mut got = got.into_iter().filter(|seen| !matches!(seen, Seen::Refused(_)));
        if is_refused(&trace.name) {
            assert!(matches!(got.next(), Some(Seen::Failed(_))), "{}", trace.name);
            continue;
        }
        assert_eq!(got.next(), Some(Seen::Environment), "{}", trace.name);
        let (mut finished, mut hung_up) = (false, false);
        for line in lines.iter().skip(1) {
            let Line::Received(bytes) = line else {
                finished |= *line == Line::Finish;
                continue;
            };
            let mut rest = &bytes[..];
            while !rest.is_empty() && !finished {
                if let Some(behind) = rest.strip_prefix(b"HANGUP\n") {
                    if !hung_up {
                        assert_eq!(got.next(), Some(Seen::Hangup), "{}", trace.name);
                    }
                    hung_up = true;
                    rest = behind;
                    continue;
                }
                match got.next() {
                    Some(Seen::Hangup) if rest.starts_with(b"511") => hung_up = true,
                    Some(Seen::Trying) => rest = rest.strip_prefix(b"100 result=0 Trying...\n").unwrap(),
                    Some(Seen::Response(raw)) => {
                        answers += 1;
                        let behind = rest.strip_prefix(&raw[..]).and_then(|rest| rest.strip_prefix(b"\n"));
                        rest = behind.unwrap_or_else(|| panic!("{}: {raw:?} is not what came", trace.name));
                    }
                    other => panic!("{}: {other:?} for {:?}", trace.name, BStr::new(rest)),
                }
            }
        }
        let rest: Vec<Seen> = got.collect();
        let end = if lines.contains(&Line::Eof) { vec![Seen::Closed] } else { vec![] };
        assert_eq!(rest, end, "{}", trace.name);
    }
    assert!(answers > 400, "only {answers} answers were compared");
}

/// Conversations in which the recording script sent what this library refuses to send.
fn is_never_sent(name: &str) -> bool {
    name.starts_with("syntax-failure_word") || matches!(name, "syntax-args_64" | "syntax-early_cmd")
}

/// Environments that a caller forged lines into.
fn is_refused(name: &str) -> bool {
    name.contains("inject")
        || name.contains("percent0a")
        || matches!(name, "env-callerid_newline" | "env-callerid_crlf")
}

//! Cases in which users found a session wrong, between two sides in memory.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use agi_proto::commands::channel::Music;
use agi_proto::commands::{Answer, GetData, GetVariable, Gosub, Noop, RecordFile, SetMusic, StreamFile};
use agi_proto::{EncodeError, Error, EscapeDigits, Filled, ProtocolError, RawCommand};
use agi_tests::pair::{Pair, Seen, seen};

type Any = Error<std::convert::Infallible>;

fn response(raw: &str) -> Seen {
    Seen::Response(raw.into())
}

fn get_data() -> GetData<'static> {
    GetData::new("enter-pin")
}

/// A session that was given this after its environment, cut at `at`.
fn fed(at: usize, bytes: &[u8], send: bool) -> Vec<Seen> {
    let mut pair = Pair::new();
    if send {
        let _pending = pair.session.send(&GetVariable::new("X")).unwrap();
        pair.lines();
    }
    let mut all = Vec::new();
    for piece in [&bytes[..at], &bytes[at..]] {
        pair.session.handle_input(piece, Filled::No);
        all.extend(seen(&mut pair.session));
    }
    if send {
        // bytes behind a value make the session ask where it ends
        for line in pair.lines() {
            let token = line.strip_prefix(b"GET FULL VARIABLE \"").unwrap().strip_suffix(b"\"").unwrap();
            pair.asterisk.respond([b"200 result=1 (", token, b")"].concat());
        }
        all.extend(pair.events());
    } else {
        // an idle session looks at what came when it sends
        let _pending = pair.session.send(&Noop::new()).unwrap();
        pair.lines();
        all.extend(pair.events());
    }
    all
}

#[test]
fn carriage_returns_before_line_feeds_mean_nothing_at_any_cut() {
    let bytes = b"200 result=1 (x)\r\nHANGUP\r\n";
    for at in 0..=bytes.len() {
        let mut seen = fed(at, bytes, true);
        // the hangup may be known before the reply is delivered, and after
        seen.sort_by_key(|event| matches!(event, Seen::Hangup));
        assert_eq!(seen, [response("200 result=1 (x)"), Seen::Hangup], "cut at {at}");
    }
    let idle = b"HANGUP\r\nHANGUP\r\n";
    for at in 0..=idle.len() {
        assert_eq!(fed(at, idle, false), [Seen::Hangup], "cut at {at}");
    }
}

#[test]
fn end_is_reported_for_each_time_that_it_is_noted() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.session.handle_eof();
        assert_eq!(seen(&mut pair.session), [Seen::Closed]);
        assert_eq!(seen(&mut pair.session), []);
        assert!(matches!(pair.session.close_error(), Any::Closed));
    }
}

#[test]
fn value_without_an_end_is_an_error_after_a_minute() {
    let mut pair = Pair::new();
    assert_eq!(pair.exchange(GetVariable::new("X"), "GET VARIABLE \"X\"", "200 result=1 ((a)) endpos=5"), []);
    assert_eq!(pair.session.poll_timeout(), Some(Duration::from_secs(60)));
    pair.session.handle_timeout();
    let malformed = ProtocolError::Malformed("200 result=1 ((a)) endpos=5\n".into());
    assert_eq!(seen(&mut pair.session), [Seen::Failed(malformed)]);
}

#[test]
fn acknowledgements_are_wanted_while_asterisk_holds_something_back() {
    // a HANGUP before an owed reply
    let mut pair = Pair::new();
    let _pending = pair.session.send(&get_data()).unwrap();
    assert!(!pair.session.wants_quick_ack());
    pair.lines();
    pair.asterisk.hangup();
    assert_eq!(pair.events(), [Seen::Hangup]);
    assert!(pair.session.wants_quick_ack());
    pair.asterisk.respond("200 result=-1");
    assert_eq!(pair.events(), [response("200 result=-1")]);
    assert!(!pair.session.wants_quick_ack());

    // the answer behind GOSUB's 100, also if nobody waits for it any more
    let mut pair = Pair::new();
    let gosub = Gosub::new("sub", "s", "1");
    assert_eq!(pair.exchange(gosub, r#"GOSUB "sub" "s" "1""#, "100 result=0 Trying..."), [Seen::Trying]);
    assert!(pair.session.wants_quick_ack());
    pair.session.abandon();
    assert!(pair.session.wants_quick_ack());

    // a hangup that comes while -1 is being asked about
    let mut pair = Pair::new();
    let play = StreamFile::new("hi", EscapeDigits::NONE);
    assert_eq!(pair.exchange(play, "STREAM FILE \"hi\" \"\"", "200 result=-1 endpos=0"), []);
    assert!(!pair.session.wants_quick_ack());
    pair.asterisk.hangup();
    assert_eq!(pair.events(), [Seen::Hangup]);
    assert!(pair.session.wants_quick_ack());
}

#[test]
fn recording_is_refused_while_music_on_hold_is_on() {
    let record = RecordFile::new("note", "ulaw", EscapeDigits::NONE, None);
    let refused = |pair: &mut Pair, record: &RecordFile<'_>| {
        matches!(pair.session.send(record), Err(EncodeError::MusicIsOn { command: "RECORD FILE" }))
    };
    let mut pair = Pair::new();
    for (on, off) in [(true, true), (true, false), (false, true)] {
        match on {
            true => pair.exchange(SetMusic::new(Music::On), "SET MUSIC on", "200 result=0"),
            false => pair.exchange(RawCommand::new("set music ON"), "set music ON", "200 result=0"),
        };
        assert!(refused(&mut pair, &record), "the session goes on, and refuses it each time");
        assert!(refused(&mut pair, &record));
        assert_eq!(pair.exchange(Noop::new(), "NOOP", "200 result=0"), [response("200 result=0")]);
        match off {
            true => pair.exchange(SetMusic::new(Music::Off), "SET MUSIC off", "200 result=0"),
            false => pair.exchange(RawCommand::new("SET MUSIC OFF"), "SET MUSIC OFF", "200 result=0"),
        };
        assert!(!refused(&mut pair, &record));
        pair.lines();
        pair.asterisk.respond("200 result=0 (timeout) endpos=800");
        pair.events();
    }
}

#[test]
fn bytes_that_may_be_a_pin_are_in_no_error() {
    let pin = "4711";
    let cases: [(&str, bool); 6] = [
        ("2x0 result=4711\n", false),
        ("4711\n", false),
        ("200 result=47", true),
        ("4711", true),
        ("200 result=0\n200 result=4711\n", false),
        ("200 result=4711 (timeout) 4711\n", false),
    ];
    for (bytes, ends) in cases {
        let mut pair = Pair::new();
        let pending = pair.session.send(&get_data()).unwrap();
        pair.lines();
        pair.session.handle_input(bytes.as_bytes(), Filled::No);
        if ends {
            pair.session.handle_eof();
        }
        let mut shown = String::new();
        let mut pending = Some(pending);
        loop {
            match pair.session.poll_event() {
                Ok(Some(agi_proto::Event::Response(response))) => {
                    if let Some(Err(error)) = pending.take().map(|pending| pending.decode(response)) {
                        shown += &format!("{error} {error:?}");
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => match pair.session.send(&Noop::new()) {
                    Ok(_) => break,
                    Err(error) => {
                        shown += &format!(
                            "{error} {error:?} {}",
                            pair.session.send_error::<String>(error.clone())
                        );
                        break;
                    }
                },
                Err(error) => {
                    shown += &format!("{error} {error:?}");
                    break;
                }
            }
        }
        assert!(!shown.contains(pin) && !shown.contains("result=47"), "{bytes:?}: {shown}");
    }
}

#[test]
fn refusal_without_a_hangup_is_told_from_a_hangup() {
    let dead = "511 Command Not Permitted on a dead channel or intercept routine";
    // the channel was never alive for AGI, or the dialplan has set AGISIGHUP=no; see also `refused_dead.rs`
    let mut pair = Pair::new();
    assert_eq!(pair.exchange(Answer::new(), "ANSWER", dead), []);
    assert_eq!(pair.lines(), ["GET VARIABLE CHANNEL(checkhangup)"]);
    pair.asterisk.respond("200 result=1 (1)");
    assert_eq!(pair.events(), [Seen::Hangup, response(dead)]);
    assert!(pair.session.is_hung_up() && !pair.session.is_hangup_announced());

    let mut pair = Pair::new();
    pair.asterisk.hangup();
    assert_eq!(pair.events(), [Seen::Hangup]);
    assert_eq!(pair.exchange(Answer::new(), "ANSWER", dead), [response(dead)]);
    assert!(pair.session.is_hung_up() && pair.session.is_hangup_announced());
}

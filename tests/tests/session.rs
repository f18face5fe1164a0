//! The rules of the conversation, between two sides in memory.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use agi_proto::commands::{Exec, GetData, GetVariable, Noop, SetVariable, StreamFile, Verbose, WaitForDigit};
use agi_proto::reply::{Playback, PlaybackEnd};
use agi_proto::{
    CallError, EncodeError, Error, EscapeDigits, Filled, ProtocolError, RawCommand, Rejection,
    ReplyErrorKind, Session,
};
use agi_tests::pair::{ENVIRONMENT, NONCE, Pair, Seen, seen};

const PLAY_LINE: &str = r#"STREAM FILE "long" """#;

fn play() -> StreamFile<'static> {
    StreamFile::new("long", EscapeDigits::NONE)
}

fn response(raw: &str) -> Seen {
    Seen::Response(raw.into())
}

fn barrier(n: u32) -> String {
    format!("GET FULL VARIABLE \"agi-sync-{NONCE:016x}-{n}\"")
}

fn echo(n: u32) -> String {
    format!("200 result=1 (agi-sync-{NONCE:016x}-{n})")
}

// ---- hangup ----

#[test]
fn a_hangup_never_takes_an_answers_place() {
    for (before, after) in [(true, false), (false, true), (true, true)] {
        let mut pair = Pair::new();
        let pending = pair.session.send(&play()).unwrap();
        assert_eq!(pair.lines(), [PLAY_LINE]);
        if before {
            pair.asterisk.hangup();
        }
        pair.asterisk.respond("200 result=0 endpos=800");
        if after {
            pair.asterisk.hangup();
        }
        assert_eq!(pair.reply(pending), Ok(Playback { ended: PlaybackEnd::Complete, samples: Some(800) }));
        let rest = if before { vec![] } else { vec![Seen::Hangup] };
        assert_eq!(pair.events(), rest, "it is told once");
        assert!(pair.session.is_hung_up());
    }
}

#[test]
fn a_hung_up_channel_still_takes_commands() {
    let mut pair = Pair::new();
    pair.asterisk.hangup();
    assert_eq!(pair.events(), [Seen::Hangup]);
    let set = pair.exchange(SetVariable::new("A", "1"), r#"SET VARIABLE "A" "1""#, "200 result=1");
    assert_eq!(set, [response("200 result=1")]);
    let pending = pair.session.send(&play()).unwrap();
    assert_eq!(pair.lines(), [PLAY_LINE]);
    pair.asterisk.respond("511 Command Not Permitted on a dead channel or intercept routine");
    let text = "Command Not Permitted on a dead channel or intercept routine".into();
    let rejection = Rejection::DeadChannel { text, hung_up: true };
    assert_eq!(pair.reply(pending), Err(CallError::Rejected(rejection)));
    let noop = pair.exchange(Noop::new(), "NOOP", "200 result=0");
    assert_eq!(noop, [response("200 result=0")], "511 does not end the conversation");
}

#[test]
fn a_511_is_a_hangup_that_nothing_announced() {
    let mut pair = Pair::new();
    let dead = "511 Command Not Permitted on a dead channel or intercept routine";
    assert_eq!(pair.exchange(play(), PLAY_LINE, dead), [], "it is asked about");
    assert_eq!(pair.lines(), ["GET VARIABLE CHANNEL(checkhangup)"]);
    pair.asterisk.respond("200 result=1 (1)");
    assert_eq!(pair.events(), [Seen::Hangup, response(dead)]);
    assert_eq!(pair.exchange(play(), PLAY_LINE, dead), [response(dead)]);
}

#[test]
fn a_minus_one_is_asked_about_before_it_is_told() {
    // what CHANNEL STATUS answers, and whether the -1 then was the hangup's doing
    for (hangup_before, answer, hung_up) in [
        (false, "200 result=6", false),
        (true, "511 Command Not Permitted on a dead channel or intercept routine", true),
        (false, "511 Command Not Permitted on a dead channel", true),
        (true, "200 result=6", true),
    ] {
        let mut pair = Pair::new();
        let pending = pair.session.send(&play()).unwrap();
        assert_eq!(pair.lines(), [PLAY_LINE]);
        pair.asterisk.respond("200 result=-1 endpos=0");
        assert_eq!(pair.events(), [], "not yet");
        assert!(pair.session.is_waiting());
        assert_eq!(pair.lines(), ["CHANNEL STATUS"]);
        if hangup_before {
            pair.asterisk.hangup();
        }
        pair.asterisk.respond(answer);
        let Err(CallError::Reply(error)) = pair.reply(pending) else { panic!("-1 is a failure") };
        assert_eq!((error.kind, error.hung_up), (ReplyErrorKind::Failed, hung_up), "{answer}");
        assert_eq!(error.response, "200 result=-1 endpos=0");
    }
}

#[test]
fn a_minus_one_before_the_end_is_a_hangup() {
    let mut pair = Pair::new();
    let pending = pair.session.send(&WaitForDigit::new(None)).unwrap();
    assert_eq!(pair.lines(), ["WAIT FOR DIGIT -1"]);
    pair.asterisk.respond("200 result=-1");
    assert_eq!(pair.events(), []);
    pair.session.handle_eof();
    let Err(CallError::Reply(error)) = pair.reply(pending) else { panic!("-1 is a failure") };
    assert!(error.hung_up);
    assert_eq!(pair.events(), [Seen::Closed]);
}

#[test]
fn a_minus_one_that_can_be_no_hangup_is_told_at_once() {
    let mut pair = Pair::new();
    let busy = pair.exchange(Exec::new("Busy").arguments("1"), r#"EXEC "Busy" "1""#, "200 result=-1");
    assert_eq!(busy, [response("200 result=-1")]);
    pair.asterisk.hangup();
    assert_eq!(pair.events(), [Seen::Hangup]);
    let failed = pair.exchange(play(), PLAY_LINE, "200 result=-1 endpos=0");
    assert_eq!(failed, [response("200 result=-1 endpos=0")], "it is known already");
}

#[test]
fn sighup_is_a_hangup() {
    let mut pair = Pair::new();
    pair.session.handle_hangup();
    pair.session.handle_hangup();
    assert_eq!(pair.events(), [Seen::Hangup]);
}

#[test]
fn the_hangup_behind_our_own_end_is_none() {
    let mut pair = Pair::new();
    pair.session.finish();
    pair.asterisk.hangup();
    assert_eq!(pair.events(), []);
    assert!(!pair.session.is_hung_up());
    assert_eq!(pair.session.send(&Noop::new()).unwrap_err(), EncodeError::Closed);
    pair.session.handle_eof();
    assert_eq!(pair.events(), [Seen::Closed]);
    assert!(pair.session.is_closed());
}

#[test]
fn the_end_is_told_by_its_cause() {
    // a broken protocol is no hangup, also where the caller left before
    let mut pair = Pair::new();
    pair.asterisk.hangup();
    pair.asterisk.respond("200 result=0");
    let error: Error<()> = pair.refused();
    assert!(matches!(error, Error::Protocol(_)) && !error.is_hangup(), "{error:?}");
    for (hung_up, input) in [(true, "HANGUP\n"), (false, "")] {
        let mut pair = Pair::new();
        pair.session.handle_input(input.as_bytes(), Filled::No);
        pair.session.handle_eof();
        let error: Error<()> = pair.refused();
        assert_eq!(matches!(error, Error::Hangup), hung_up, "{error:?}");
        assert!(error.is_hangup());
    }
}

// ---- one command in flight ----

#[test]
fn a_second_command_is_refused_while_an_answer_is_owed() {
    let mut pair = Pair::new();
    let pending = pair.session.send(&Noop::new()).unwrap();
    assert_eq!(pair.session.send(&Noop::new()).unwrap_err(), EncodeError::Busy);
    assert_eq!(pair.lines(), ["NOOP"]);
    pair.asterisk.respond("200 result=0");
    assert_eq!(pair.reply(pending), Ok(()));
    assert_eq!(pair.session.poll_transmit(), None);
}

#[test]
fn a_refused_command_leaves_nothing_behind() {
    let mut pair = Pair::new();
    assert!(pair.session.send(&Verbose::new("two\nlines")).is_err());
    assert!(pair.session.send(&Verbose::new(&"x".repeat(8192))).is_err());
    assert_eq!(pair.session.poll_transmit(), None);
    assert_eq!(pair.exchange(Noop::new(), "NOOP", "200 result=0"), [response("200 result=0")]);
}

#[test]
fn the_version_sets_how_long_a_line_may_be() {
    for (version, fits) in [("22.10.1", 8191), ("16.28.0~dfsg", 2047), ("certified/18.9-cert4", 2047)] {
        let mut environment = ENVIRONMENT;
        environment[7].1 = version;
        let text = "x".repeat(fits - "VERBOSE \"\"\n".len());
        let mut pair = Pair::with(&environment);
        assert!(pair.session.send(&Verbose::new(&text)).is_ok(), "{version}");
        let mut pair = Pair::with(&environment);
        assert!(pair.session.send(&Verbose::new(&(text + "x"))).is_err(), "{version}");
    }
}

#[test]
fn gosub_is_answered_twice() {
    let mut pair = Pair::new();
    let raw = r#"GOSUB "subs" "s" "1""#;
    assert_eq!(pair.exchange(RawCommand::new(raw), raw, "100 result=0 Trying..."), [Seen::Trying]);
    assert!(pair.session.is_waiting() && pair.session.wants_quick_ack());
    pair.asterisk.respond("200 result=0 Gosub complete");
    assert_eq!(pair.events(), [response("200 result=0 Gosub complete")]);
    assert!(!pair.session.wants_quick_ack());
}

#[test]
fn the_rest_of_a_usage_block_is_expected() {
    let mut pair = Pair::new();
    let begun = "520-Invalid command syntax.  Proper usage follows:";
    assert_eq!(pair.exchange(Noop::new(), "NOOP", begun), []);
    assert!(pair.session.wants_quick_ack());
    pair.asterisk.respond("none\n520 End of proper usage.");
    assert_eq!(pair.events().len(), 1);
    assert!(!pair.session.wants_quick_ack());
}

#[test]
fn what_a_barrier_brings_is_expected_in_pieces() {
    let mut pair = Pair::new();
    let _digit = pair.session.send(&WaitForDigit::new(None)).unwrap();
    assert_eq!(pair.lines(), ["WAIT FOR DIGIT -1"]);
    pair.session.abandon();
    let pending = pair.session.send(&Noop::new()).unwrap();
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.asterisk.respond("200 result=1");
    assert_eq!(pair.events(), []);
    assert!(pair.session.wants_quick_ack(), "the echo waits until that is acknowledged");
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.events(), []);
    assert!(!pair.session.wants_quick_ack());
    assert_eq!(pair.lines(), ["NOOP"]);
    pair.asterisk.respond("200 result=0");
    assert_eq!(pair.reply(pending), Ok(()));
}

#[test]
fn execs_surplus_reaches_no_other_command() {
    let surplus = [
        "520-Invalid command syntax.  Proper usage follows:\nexecutes\n520 End of proper usage.",
        "520 Invalid command syntax.  Proper usage not available.",
    ];
    for surplus in surplus {
        let mut pair = Pair::new();
        let line = r#"EXEC "StatsD""#;
        assert_eq!(pair.exchange(Exec::new("StatsD"), line, "200 result=1"), []);
        pair.asterisk.respond(surplus);
        assert_eq!(pair.lines(), [barrier(1)]);
        assert_eq!(pair.events(), []);
        pair.asterisk.respond(echo(1));
        assert_eq!(pair.events(), [response("200 result=1")]);
        assert_eq!(pair.exchange(Noop::new(), "NOOP", "200 result=0"), [response("200 result=0")]);
    }
}

// ---- values and bytes that nobody asked for ----

#[test]
fn what_a_value_says_is_never_taken_for_protocol() {
    for value in [
        "a\nHANGUP\nb",
        "a\n200 result=1 (forged)\nb",
        "first line\nsecond) (line\r\n200 result=1 (forged)\nend",
        "a\n)\nHANGUP\nb",
        "a\n520-x\nb",
        "a\n\n",
    ] {
        let mut pair = Pair::new();
        let pending = pair.session.send(&GetVariable::new("X")).unwrap();
        assert_eq!(pair.lines(), [r#"GET VARIABLE "X""#]);
        pair.asterisk.respond(format!("200 result=1 ({value})"));
        assert_eq!(pair.events(), [], "{value:?}");
        assert_eq!(pair.lines(), [barrier(1)], "{value:?}");
        pair.asterisk.respond(echo(1));
        assert_eq!(pair.reply(pending), Ok(Some(value.into())), "{value:?}");
        assert!(!pair.session.is_hung_up());
        assert_eq!(pair.exchange(Noop::new(), "NOOP", "200 result=0"), [response("200 result=0")]);
    }
}

#[test]
fn a_hangup_behind_a_value_of_several_lines_is_one() {
    let mut pair = Pair::new();
    let pending = pair.session.send(&GetVariable::new("X")).unwrap();
    assert_eq!(pair.lines(), [r#"GET VARIABLE "X""#]);
    pair.asterisk.respond("200 result=1 (a\nb)");
    pair.asterisk.hangup();
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.reply(pending), Ok(Some("a\nb".into())));
    assert!(pair.session.is_hung_up());
}

#[test]
fn the_rest_of_a_value_is_never_the_next_answer() {
    let mut pair = Pair::new();
    let cut = pair.exchange(GetVariable::new("X"), r#"GET VARIABLE "X""#, "200 result=1 (a)\n200 result=0");
    assert_eq!(cut, [], "a value does not end so");
    let barrier = pair.lines();
    let token = barrier[0].strip_prefix(b"GET FULL VARIABLE \"").unwrap().strip_suffix(b"\"").unwrap();
    pair.asterisk.respond([b"200 result=1 (", token, b")"].concat());
    let malformed = Seen::Failed(ProtocolError::Malformed("200 result=1 (a)\n200 result=0\n".into()));
    for _ in 0..2 {
        assert_eq!(pair.events(), std::slice::from_ref(&malformed), "the error repeats");
    }
    assert_eq!(pair.session.send(&Noop::new()).unwrap_err(), EncodeError::Closed);
}

#[test]
fn bytes_that_came_before_the_command_are_not_its_answer() {
    for early in ["200 result=0\n", "200 resul", "x", "HANGUX"] {
        let mut pair = Pair::new();
        pair.session.handle_input(early.as_bytes(), Filled::No);
        assert_eq!(pair.session.send(&Noop::new()).unwrap_err(), EncodeError::Closed, "{early:?}");
        let [Seen::Failed(ProtocolError::Unsolicited(_))] = &seen(&mut pair.session)[..] else {
            panic!("{early:?} was believed");
        };
    }
    // nor is what comes while the command is not wholly written
    let mut pair = Pair::new();
    let _pending = pair.session.send(&Noop::new()).unwrap();
    pair.session.handle_input(b"200 result=0\n", Filled::No);
    assert_eq!(seen(&mut pair.session), [Seen::Failed(ProtocolError::Unsolicited("200 result=0".into()))]);
}

#[test]
fn a_hangup_that_came_before_the_command_is_one() {
    for early in ["HANGUP\n", "HANGUP\nHANGUP\n", "HANG"] {
        let mut pair = Pair::new();
        pair.session.handle_input(early.as_bytes(), Filled::No);
        let _pending = pair.session.send(&Noop::new()).unwrap();
        assert_eq!(pair.lines(), ["NOOP"]);
        let rest = b"HANGUP\n200 result=0\n".strip_prefix(early.as_bytes()).unwrap_or(b"200 result=0\n");
        pair.session.handle_input(rest, Filled::No);
        assert_eq!(seen(&mut pair.session), [Seen::Hangup, response("200 result=0")], "{early:?}");
    }
}

#[test]
fn what_follows_a_forged_end_of_the_environment_is_refused() {
    let mut pair = Pair::new();
    pair.session.handle_input(b"agi_calleridname: x\n", Filled::No);
    let line = ProtocolError::Unsolicited("agi_calleridname: x".into());
    assert_eq!(seen(&mut pair.session), [Seen::Failed(line)]);
    // and where it comes late, before it can be taken for the answer to a first command
    let mut pair = Pair::new();
    pair.session.resync().unwrap();
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.asterisk.respond("200 result=1 (forged)");
    let forged = ProtocolError::Unsolicited("200 result=1 (forged)".into());
    assert_eq!(pair.events(), [Seen::Failed(forged)]);
}

#[test]
fn an_answer_that_is_none_ends_the_conversation() {
    let mut pair = Pair::new();
    let got = pair.exchange(Noop::new(), "NOOP", "agi_dnid: 1");
    assert_eq!(got, [Seen::Failed(ProtocolError::Malformed("agi_dnid: 1".into()))]);
}

#[test]
fn an_answer_that_the_end_cut_short_is_an_error() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&Noop::new()).unwrap();
    assert_eq!(pair.lines(), ["NOOP"]);
    pair.session.handle_input(b"200 resu", Filled::No);
    pair.session.handle_eof();
    assert_eq!(pair.events(), [Seen::Failed(ProtocolError::Truncated("200 resu".into()))]);
}

#[test]
fn a_response_is_bounded() {
    let limit = agi_proto::Limits::default().response_bytes;
    for (length, fits) in [(limit, true), (limit + 1, false)] {
        let mut pair = Pair::new();
        let _pending = pair.session.send(&Noop::new()).unwrap();
        assert_eq!(pair.lines(), ["NOOP"]);
        let mut line = vec![b'x'; length - 1];
        line[..4].copy_from_slice(b"200 ");
        line.push(b'\n');
        pair.session.handle_input(&line, Filled::No);
        match &pair.events()[..] {
            [Seen::Response(_)] if fits => {}
            [Seen::Failed(ProtocolError::ResponseTooLong { .. })] if !fits => {}
            other => panic!("{length}: {}", other.len()),
        }
    }
}

// ---- environment ----

#[test]
fn a_probe_that_says_nothing_is_no_error() {
    let mut session = Session::new(NONCE);
    session.handle_eof();
    assert_eq!(seen(&mut session), [Seen::Closed]);
    assert!(session.is_closed());
    let mut session = Session::new(NONCE);
    session.handle_input(b"agi_network: yes\n", Filled::No);
    session.handle_eof();
    assert!(matches!(&seen(&mut session)[..], [Seen::Failed(ProtocolError::Environment(_))]));
}

#[test]
fn commands_wait_for_the_environment() {
    let mut session = Session::new(NONCE);
    assert_eq!(session.send(&Noop::new()).unwrap_err(), EncodeError::NotStarted);
}

// ---- replies ----

#[test]
fn digits_are_text() {
    let timeout = Duration::from_secs(3);
    let line = r#"GET DATA "beep" 3000 4"#;
    for (raw, digits, timed_out) in [
        ("200 result=0042", "0042", false),
        ("200 result=", "", false),
        ("200 result= (timeout)", "", true),
        ("200 result=12 (timeout)", "12", true),
        ("200 result=*0A", "*0A", false),
    ] {
        let mut pair = Pair::new();
        let pending = pair.session.send(&GetData::new("beep").timeout(timeout).max_digits(4)).unwrap();
        assert_eq!(pair.lines(), [line]);
        pair.asterisk.respond(raw);
        let reply = pair.reply(pending).unwrap();
        assert_eq!((reply.digits.to_string(), reply.timed_out), (digits.to_owned(), timed_out));
    }
}

// ---- what users rely on ----

#[test]
fn a_session_is_send_and_small() {
    fn is_send<T: Send + Sync + 'static>() {}
    is_send::<Session>();
    is_send::<agi_proto::Pending<std::rc::Rc<()>>>();
    is_send::<agi_proto::Environment>();
    assert!(size_of::<Session>() <= 512, "{}", size_of::<Session>());
    assert!(size_of::<agi_proto::Event<'_>>() <= 32, "{}", size_of::<agi_proto::Event<'_>>());
}

//! What only shows at a rare moment: between a line and its last byte, between an event and the next.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use agi_proto::commands::{ControlStreamFile, GetVariable, Noop, StreamFile};
use agi_proto::{
    Command, CommandEncoder, CommandInfo, Error, EscapeDigits, Filled, ProtocolError, RawCommand, ReplyError,
    ReplyFormat, Response, Session, WhenInterrupted,
};
use agi_tests::pair::{ENVIRONMENT, NONCE, Pair, Seen, seen};

const FAILED: &str = "200 result=-1 endpos=0";

/// A pair whose command failed, which a hangup may be the reason of: `CHANNEL STATUS` is to be written.
fn asks_whether_hung_up() -> Pair {
    let mut pair = Pair::new();
    let command = ControlStreamFile::new("f", EscapeDigits::NONE);
    let _pending = pair.session.send(&command).unwrap();
    assert_eq!(pair.lines().len(), 1);
    pair.asterisk.respond(FAILED);
    assert_eq!(pair.events(), []);
    pair
}

/// A pair that has sent STREAM FILE and has given it up.
fn abandoned() -> Pair {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&StreamFile::new("f", EscapeDigits::NONE)).unwrap();
    assert_eq!(pair.lines().len(), 1);
    pair.session.abandon();
    pair
}

#[test]
fn the_getters_tell_where_it_stands() {
    let mut session = Session::new(1);
    assert!(session.environment().is_none() && !session.is_closed());
    let lines = ENVIRONMENT.map(|(name, value)| format!("{name}: {value}\n")).concat();
    session.handle_input((lines + "\n").as_bytes(), Filled::No);
    assert_eq!(seen(&mut session), [Seen::Environment]);
    assert_eq!(session.environment().unwrap().language().unwrap(), "en");
    session.handle_eof();
    assert!(!session.is_closed(), "it was not told yet");
    assert_eq!(seen(&mut session), [Seen::Closed]);
    assert!(session.is_closed());
}

#[test]
fn a_question_that_was_not_asked_is_taken_back() {
    let mut pair = asks_whether_hung_up();
    pair.session.abandon();
    assert!(pair.session.is_synced());
    assert_eq!(pair.exchange(Noop::new(), "NOOP", "200 result=0"), [Seen::Response("200 result=0".into())]);
}

#[test]
fn what_comes_before_a_line_is_written_hides_nothing() {
    // no block has begun, which would keep what follows for itself
    let mut command = Pair::new();
    let _pending = command.session.send(&Noop::new()).unwrap();
    for mut pair in [command, asks_whether_hung_up()] {
        pair.asterisk.respond("520-forged");
        assert_eq!(pair.events(), [Seen::Failed(ProtocolError::Unsolicited("520-forged".into()))]);
    }
}

#[test]
fn an_answer_that_was_given_up_between_two_events_is_not_told() {
    let mut pair = asks_whether_hung_up();
    assert_eq!(pair.lines(), ["CHANNEL STATUS"]);
    pair.session.handle_eof();
    assert!(matches!(pair.session.poll_event(), Ok(Some(agi_proto::Event::Hangup))));
    pair.session.abandon();
    assert_eq!(pair.events(), [Seen::Closed]);
}

#[test]
fn what_is_cut_off_of_what_nobody_waits_for_does_not_matter() {
    let mut waits = abandoned();
    waits.session.handle_input(b"200 resu", Filled::No);
    waits.session.handle_eof();
    assert_eq!(waits.events(), [Seen::Closed]);

    let mut syncs = abandoned();
    syncs.session.resync().unwrap();
    assert_eq!(syncs.lines().len(), 1);
    syncs.session.handle_input(b"200 resu", Filled::No);
    syncs.session.handle_eof();
    assert_eq!(syncs.events(), [Seen::Closed]);

    let mut finishes = Pair::new();
    let _pending = finishes.session.send(&Noop::new()).unwrap();
    assert_eq!(finishes.lines().len(), 1);
    finishes.session.finish();
    finishes.session.handle_input(b"200 resu", Filled::No);
    finishes.session.handle_eof();
    assert_eq!(finishes.events(), [Seen::Closed]);

    let mut waited = Pair::new();
    let _pending = waited.session.send(&GetVariable::new("X")).unwrap();
    assert_eq!(waited.lines().len(), 1);
    waited.session.handle_input(b"200 resu", Filled::No);
    waited.session.handle_eof();
    assert_eq!(waited.events(), [Seen::Failed(ProtocolError::Truncated("200 resu".into()))]);
}

#[test]
fn the_barriers_patience_doubles_and_has_an_end() {
    let mut pair = abandoned();
    pair.session.resync().unwrap();
    assert_eq!(pair.session.poll_timeout(), None, "it is not written yet");
    for attempt in 0..14 {
        assert_eq!(pair.lines().len(), 1);
        let expected = Duration::from_millis(100 << attempt.min(10));
        assert_eq!(pair.session.poll_timeout(), Some(expected), "attempt {attempt}");
        pair.session.handle_timeout();
        assert_eq!(pair.session.poll_timeout(), None);
    }
    pair.session.handle_eof();
    assert_eq!(pair.session.poll_timeout(), None);
    assert_eq!(pair.events(), [Seen::Closed]);
}

/// A command of somebody's own that tells a value and stops when another comes.
struct AsksTheCaller;

impl Command for AsksTheCaller {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("ASK THE CALLER")
        .when_interrupted(WhenInterrupted::Stops)
        .format(ReplyFormat::Value);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("ASK THE CALLER");
    }

    fn decode(_: &Response<'_>) -> Result<(), ReplyError> {
        Ok(())
    }
}

#[test]
fn a_value_that_nobody_waits_for_says_nothing() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&AsksTheCaller).unwrap();
    assert_eq!(pair.lines(), ["ASK THE CALLER"]);
    pair.session.abandon();
    pair.session.resync().unwrap();
    assert_eq!(pair.lines().len(), 1);
    pair.asterisk.respond("200 result=1 (a\nHANGUP\n511 dead\nb)");
    assert_eq!(pair.events(), []);
    pair.asterisk.respond(format!("200 result=1 (agi-sync-{NONCE:016x}-1)"));
    assert_eq!(pair.events(), []);
    assert!(pair.session.is_synced() && !pair.session.is_hung_up());
}

#[test]
fn a_refusal_says_what_is_wrong_with_the_command() {
    let mut pair = Pair::new();
    let error = pair.session.send(&GetVariable::new("a\nb")).unwrap_err();
    assert!(matches!(pair.session.send_error::<()>(error.clone()), Error::Encode(same) if same == error));
}

#[test]
fn the_whole_answer_to_an_abandoned_call_settles_it() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&GetVariable::new("X")).unwrap();
    assert_eq!(pair.lines().len(), 1);
    pair.session.abandon();
    pair.asterisk.respond("200 result=1 (a value)");
    assert_eq!(pair.events(), []);
    assert!(pair.session.is_synced());
    assert_eq!(pair.exchange(Noop::new(), "NOOP", "200 result=0"), [Seen::Response("200 result=0".into())]);
}

#[test]
fn a_value_as_long_as_the_smallest_piece_of_a_network_may_go_on() {
    for (length, may_go_on) in [(511, false), (512, true), (513, true)] {
        let mut pair = Pair::new();
        let _pending = pair.session.send(&GetVariable::new("X")).unwrap();
        assert_eq!(pair.lines().len(), 1);
        let answer = format!("200 result=1 ({})", "v".repeat(length - "200 result=1 ()\n".len()));
        // behind something else and in two pieces, so that it does not fill the buffer: that would mean that more may
        // come, too
        let bytes = format!("HANGUP\n{answer}\n");
        let (first, rest) = bytes.split_at(400);
        pair.session.handle_input(first.as_bytes(), Filled::No);
        pair.session.handle_input(rest.as_bytes(), Filled::No);
        let told = pair.events();
        let whole = [Seen::Hangup, Seen::Response(answer.into())];
        assert_eq!(told, if may_go_on { &whole[..1] } else { &whole[..] }, "{length} bytes");
        assert_eq!(pair.lines().len(), usize::from(may_go_on), "{length} bytes");
    }
}

/// A reply that is kept knows what its response knew.
#[test]
fn a_raw_reply_remembers_that_the_channel_was_hung_up() {
    for hung_up in [false, true] {
        let mut pair = Pair::new();
        if hung_up {
            pair.asterisk.hangup();
            pair.events();
        }
        let pending = pair.session.send(&RawCommand::new("NOOP")).unwrap();
        assert_eq!(pair.lines(), ["NOOP"]);
        pair.asterisk.respond("200 result=0");
        assert_eq!(pair.reply(pending).unwrap().response().is_hung_up(), hung_up);
    }
}

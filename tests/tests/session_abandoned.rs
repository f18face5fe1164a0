//! What becomes of calls that are given up, between two sides in memory.
#![allow(clippy::unwrap_used, reason = "a test may")]

use agi_proto::commands::{Exec, GetVariable, Noop, StreamFile, Verbose};
use agi_proto::{EncodeError, EscapeDigits, RawCommand};
use agi_tests::pair::{ENVIRONMENT, NONCE, Pair, Seen};

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

#[test]
fn a_command_of_which_nothing_was_written_is_taken_back() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&play()).unwrap();
    pair.session.abandon();
    assert_eq!(pair.session.poll_transmit(), None);
    assert_eq!(pair.exchange(Noop::new(), "NOOP", "200 result=0"), [response("200 result=0")]);
}

#[test]
fn a_line_that_was_begun_is_written_to_its_end() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&play()).unwrap();
    let bytes = pair.session.poll_transmit().unwrap();
    pair.asterisk.handle_input(&bytes[..5]);
    pair.session.transmitted(5);
    pair.session.abandon();
    let _pending = pair.session.send(&Noop::new()).unwrap();
    assert_eq!(pair.lines(), [PLAY_LINE.to_owned(), barrier(1)]);
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), ["NOOP"]);
}

#[test]
fn an_abandoned_call_that_may_be_silent_is_synced_by_the_barrier() {
    for late in [None, Some("200 result=0 endpos=800"), Some("200 result=-1 endpos=0")] {
        let mut pair = Pair::new();
        let _pending = pair.session.send(&play()).unwrap();
        assert_eq!(pair.lines(), [PLAY_LINE]);
        pair.session.abandon();
        assert!(!pair.session.is_synced());
        let pending = pair.session.send(&GetVariable::new("X")).unwrap();
        assert_eq!(pair.lines(), [barrier(1)], "the command waits");
        if let Some(late) = late {
            pair.asterisk.respond(late);
            assert_eq!(pair.events(), []);
        }
        pair.asterisk.respond(echo(1));
        assert_eq!(pair.events(), []);
        assert_eq!(pair.lines(), [r#"GET VARIABLE "X""#]);
        pair.asterisk.respond("200 result=1 (x)");
        assert_eq!(pair.reply(pending), Ok(Some("x".into())));
    }
}

#[test]
fn an_abandoned_call_that_is_always_answered_is_waited_for() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&Exec::new("Wait").arguments("9")).unwrap();
    assert_eq!(pair.lines(), [r#"EXEC "Wait" "9""#]);
    pair.session.abandon();
    let pending = pair.session.send(&Noop::new()).unwrap();
    assert_eq!(pair.lines(), [""; 0], "nothing is sent while an answer is owed");
    assert_eq!(pair.session.poll_timeout(), None);
    pair.asterisk.respond("200 result=0");
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), ["NOOP"]);
    pair.asterisk.respond("200 result=0");
    assert_eq!(pair.reply(pending), Ok(()));
}

#[test]
fn the_answer_to_an_abandoned_call_may_settle_it_alone() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&play()).unwrap();
    assert_eq!(pair.lines(), [PLAY_LINE]);
    pair.session.abandon();
    pair.asterisk.respond("200 result=0 endpos=800");
    assert_eq!(pair.events(), []);
    assert!(pair.session.is_synced());
    assert_eq!(pair.exchange(Noop::new(), "NOOP", "200 result=0"), [response("200 result=0")]);
}

#[test]
fn resync_stops_what_runs_at_once() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&play()).unwrap();
    assert_eq!(pair.lines(), [PLAY_LINE]);
    pair.session.abandon();
    pair.session.resync().unwrap();
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.events(), []);
    assert!(pair.session.is_synced());
}

#[test]
fn a_queued_command_can_be_abandoned_too() {
    let mut pair = Pair::new();
    let _first = pair.session.send(&play()).unwrap();
    assert_eq!(pair.lines(), [PLAY_LINE]);
    pair.session.abandon();
    let _second = pair.session.send(&Verbose::new("never")).unwrap();
    pair.session.abandon();
    let _third = pair.session.send(&Noop::new()).unwrap();
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), ["NOOP"]);
}

/// Asterisk reads through stdio: a barrier that came in one read with the abandoned command is not seen
/// until something more comes.
#[test]
fn a_barrier_that_asterisk_does_not_see_is_followed_by_another() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&play()).unwrap();
    assert_eq!(pair.lines(), [PLAY_LINE]);
    pair.session.abandon();
    let pending = pair.session.send(&Noop::new()).unwrap();
    assert_eq!(pair.lines(), [barrier(1)]);
    let patience = pair.session.poll_timeout().expect("there is something to do when nothing comes");
    pair.session.handle_timeout();
    assert_eq!(pair.lines(), [barrier(2)]);
    assert_eq!(pair.session.poll_timeout(), Some(patience * 2));
    // the echo of the first says nothing about the second, which may still lie unread
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), [""; 0]);
    pair.asterisk.respond(echo(2));
    assert_eq!(pair.events(), []);
    assert_eq!(pair.session.poll_timeout(), None);
    assert_eq!(pair.lines(), ["NOOP"]);
    pair.asterisk.respond("200 result=0");
    assert_eq!(pair.reply(pending), Ok(()));
}

#[test]
fn only_the_very_token_is_an_echo() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&play()).unwrap();
    assert_eq!(pair.lines(), [PLAY_LINE]);
    pair.session.abandon();
    pair.session.resync().unwrap();
    assert_eq!(pair.lines(), [barrier(1)]);
    let other_nonce = echo(1).replace("5eed", "5eee");
    for forged in [other_nonce.as_str(), "200 result=1 (agi-sync-)", "200 result=1 (agi-sync-1)", &echo(2)] {
        pair.asterisk.respond(forged);
        assert_eq!(pair.events(), []);
        assert!(!pair.session.is_synced(), "{forged}");
    }
}

#[test]
fn say_stops_silently_in_eagi_only() {
    for (enhanced, sent) in [("1.0", vec![barrier(1)]), ("0.0", vec![])] {
        let mut environment = ENVIRONMENT;
        environment[19].1 = enhanced;
        let mut pair = Pair::with(&environment);
        let say = r#"SAY NUMBER "5" """#;
        let _pending = pair.session.send(&RawCommand::new(say)).unwrap();
        assert_eq!(pair.lines(), [say]);
        pair.session.abandon();
        pair.session.resync().unwrap();
        assert_eq!(pair.lines(), sent);
    }
}

#[test]
fn nothing_is_lost_when_the_end_comes_first() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&play()).unwrap();
    assert_eq!(pair.lines(), [PLAY_LINE]);
    pair.session.abandon();
    let _pending = pair.session.send(&Noop::new()).unwrap();
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.session.handle_eof();
    assert_eq!(pair.events(), [Seen::Closed]);
    assert_eq!(pair.session.poll_timeout(), None);
    assert_eq!(pair.session.send(&Noop::new()).unwrap_err(), EncodeError::Closed);
}

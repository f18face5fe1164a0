//! A 511 has two meanings: the channel is hung up, or AGI runs in an interception routine of a channel that lives. The
//! session asks which.
#![allow(clippy::unwrap_used, missing_docs)]

use agi_proto::commands::{Answer, Exec, Noop, StreamFile};
use agi_proto::{CallError, Command, Error, EscapeDigits, Rejection};
use agi_tests::pair::{Pair, Seen};

const REFUSED: &str = "511 Command Not Permitted on a dead channel or intercept routine";
const QUESTION: &str = "GET VARIABLE CHANNEL(checkhangup)";

fn response(text: &str) -> Seen {
    Seen::Response(text.into())
}

/// Sends a command that is refused, and answers the question.
fn refused<C: Command>(pair: &mut Pair, command: C, answer: &str) -> Result<C::Reply, CallError> {
    let pending = pair.session.send(&command).unwrap();
    assert_eq!(pair.lines().len(), 1);
    pair.asterisk.respond(REFUSED);
    assert_eq!(pair.events(), [], "not yet");
    assert_eq!(pair.lines(), [QUESTION]);
    assert!(pair.session.is_waiting());
    pair.asterisk.respond(answer);
    pair.reply(pending)
}

#[test]
fn interception_routine_is_not_a_hangup() {
    let mut pair = Pair::new();
    for _ in 0..2 {
        let error = refused(&mut pair, Answer::new(), "200 result=1 (0)").unwrap_err();
        let text = "Command Not Permitted on a dead channel or intercept routine".into();
        assert_eq!(error, CallError::Rejected(Rejection::DeadChannel { text, hung_up: false }));
        let error: Error<std::io::Error> = error.into();
        assert!(!error.is_hangup());
        assert!(
            error.to_string().contains("intercept routine") && error.to_string().contains("lives"),
            "{error}"
        );
        assert!(!pair.session.is_hung_up() && !pair.session.began_dead());
        assert_eq!(pair.events(), [], "no hangup is reported");
    }
    let exec = Exec::new("Playback").arguments("beep");
    assert_eq!(pair.exchange(exec, "EXEC \"Playback\" \"beep\"", "200 result=0"), [response("200 result=0")]);
}

#[test]
fn hangup_that_asterisk_confirms_is_reported_before_the_refusal() {
    // an Asterisk without the function does not say, and then the usual meaning counts
    for answer in ["200 result=1 (1)", "200 result=0", "200 result=1 ()"] {
        let mut pair = Pair::new();
        let _pending = pair.session.send(&Answer::new()).unwrap();
        assert_eq!(pair.lines(), ["ANSWER"]);
        pair.asterisk.respond(REFUSED);
        assert_eq!(pair.events(), []);
        assert_eq!(pair.lines(), [QUESTION]);
        pair.asterisk.respond(answer);
        assert_eq!(pair.events(), [Seen::Hangup, response(REFUSED)], "{answer}");
        assert!(
            pair.session.is_hung_up() && !pair.session.is_hangup_announced() && pair.session.began_dead()
        );
        // what is known is not asked again
        assert_eq!(pair.exchange(Answer::new(), "ANSWER", REFUSED), [response(REFUSED)]);
    }
}

#[test]
fn channel_that_was_alive_did_not_begin_dead() {
    let mut pair = Pair::new();
    pair.exchange(Answer::new(), "ANSWER", "200 result=0");
    let error = refused(&mut pair, Answer::new(), "200 result=1 (1)").unwrap_err();
    assert!(matches!(error, CallError::Rejected(Rejection::DeadChannel { hung_up: true, .. })), "{error}");
    assert!(pair.session.is_hung_up() && !pair.session.began_dead());
    // a command that runs on a dead channel proves nothing
    let mut pair = Pair::new();
    pair.exchange(Noop::new(), "NOOP", "200 result=0");
    refused(&mut pair, Answer::new(), "200 result=1 (1)").unwrap_err();
    assert!(pair.session.began_dead());
}

#[test]
fn announced_hangup_is_not_asked_about() {
    for before in [true, false] {
        let mut pair = Pair::new();
        let pending = pair.session.send(&Answer::new()).unwrap();
        assert_eq!(pair.lines(), ["ANSWER"]);
        if before {
            pair.asterisk.hangup();
            pair.asterisk.respond(REFUSED);
        } else {
            // the question is on its way when the hangup comes
            pair.asterisk.respond(REFUSED);
            assert_eq!(pair.events(), []);
            assert_eq!(pair.lines(), [QUESTION]);
            pair.asterisk.hangup();
            pair.asterisk.respond("200 result=1 (1)");
        }
        let error = pair.reply(pending).unwrap_err();
        assert!(
            matches!(error, CallError::Rejected(Rejection::DeadChannel { hung_up: true, .. })),
            "{error}"
        );
        assert_eq!(pair.lines(), [""; 0]);
        assert!(pair.session.is_hangup_announced() && !pair.session.began_dead());
    }
}

#[test]
fn end_in_place_of_the_answer_is_a_hangup() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&Answer::new()).unwrap();
    assert_eq!(pair.lines(), ["ANSWER"]);
    pair.asterisk.respond(REFUSED);
    assert_eq!(pair.events(), []);
    pair.session.handle_eof();
    assert_eq!(pair.events(), [Seen::Hangup, response(REFUSED), Seen::Closed]);
}

#[test]
fn question_that_is_abandoned_is_paired_with_its_own_answer() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&StreamFile::new("a", EscapeDigits::NONE)).unwrap();
    pair.lines();
    pair.asterisk.respond(REFUSED);
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), [QUESTION]);
    pair.session.abandon();
    let pending = pair.session.send(&Noop::new()).unwrap();
    pair.asterisk.respond("200 result=1 (0)");
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), ["NOOP"]);
    pair.asterisk.respond("200 result=0");
    assert_eq!(pair.reply(pending), Ok(()));
    assert!(!pair.session.is_hung_up());
}

#[test]
fn refusal_of_an_abandoned_command_says_nothing() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&Answer::new()).unwrap();
    pair.lines();
    pair.session.abandon();
    pair.asterisk.respond(REFUSED);
    assert_eq!(pair.events(), []);
    assert!(!pair.session.is_hung_up() && pair.session.is_synced());
    let error = refused(&mut pair, Answer::new(), "200 result=1 (0)").unwrap_err();
    assert!(matches!(error, CallError::Rejected(Rejection::DeadChannel { hung_up: false, .. })), "{error}");
}

/// Versions before 13.14 do not refuse commands in an interception routine.
#[test]
fn text_of_older_versions_has_one_meaning() {
    let mut pair = Pair::new();
    let dead = "511 Command Not Permitted on a dead channel";
    assert_eq!(pair.exchange(Answer::new(), "ANSWER", dead), [Seen::Hangup, response(dead)]);
}

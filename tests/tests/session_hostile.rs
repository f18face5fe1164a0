//! What a stranger can make come at the worst moment. Fuzzing found these.
#![allow(clippy::unwrap_used, reason = "a test may")]

use agi_proto::commands::speech::Recognition;
use agi_proto::commands::{GetVariable, Noop, SpeechRecognize, StreamFile};
use agi_proto::{EscapeDigits, Filled, ProtocolError};
use agi_tests::pair::{NONCE, Pair, Seen, seen};

const GET_LINE: &str = r#"GET VARIABLE "X""#;
const PLAY_LINE: &str = r#"STREAM FILE "long" """#;

fn response(raw: &str) -> Seen {
    Seen::Response(raw.into())
}

fn unsolicited(line: &str) -> Seen {
    Seen::Failed(ProtocolError::Unsolicited(line.into()))
}

fn barrier(n: u32) -> String {
    format!("GET FULL VARIABLE \"agi-sync-{NONCE:016x}-{n}\"")
}

fn echo(n: u32) -> String {
    format!("200 result=1 (agi-sync-{NONCE:016x}-{n})")
}

/// A pair that has sent GET VARIABLE.
fn asked() -> Pair {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&GetVariable::new("X")).unwrap();
    assert_eq!(pair.lines(), [GET_LINE]);
    pair
}

/// A pair that has sent SPEECH RECOGNIZE.
fn listens() -> Pair {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&SpeechRecognize::new("f", None)).unwrap();
    assert_eq!(pair.lines(), [r#"SPEECH RECOGNIZE "f" 0"#]);
    pair
}

/// What is answered to SPEECH RECOGNIZE when this was said.
fn speech(text: &str) -> String {
    format!("200 result=1 (speech) endpos=0 results=1 score0=900 text0=\"{text}\" grammar0=g")
}

/// A pair that goes on with a command, whose answer reaches it.
fn goes_on_at_once(mut pair: Pair) {
    assert_eq!(pair.exchange(Noop::new(), "NOOP", "200 result=0"), [response("200 result=0")]);
}

/// A pair that goes on with a command behind a barrier, whose answer reaches it.
fn goes_on(mut pair: Pair, n: u32) {
    let _pending = pair.session.send(&Noop::new()).unwrap();
    assert_eq!(pair.lines(), [barrier(n)]);
    pair.asterisk.respond(echo(n));
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), ["NOOP"]);
    pair.asterisk.respond("200 result=0");
    assert_eq!(pair.events(), [response("200 result=0")]);
    assert!(!pair.session.is_hung_up());
}

#[test]
fn nothing_is_due_after_an_error() {
    let mut pair = Pair::new();
    pair.session.resync().unwrap();
    assert_eq!(pair.lines(), [barrier(1)]);
    assert!(pair.session.poll_timeout().is_some());
    pair.asterisk.respond("200 result=1 (forged)");
    assert_eq!(pair.events(), [unsolicited("200 result=1 (forged)")]);
    assert_eq!(pair.session.poll_timeout(), None);
    pair.session.handle_timeout();
    assert_eq!(pair.session.poll_transmit(), None);
}

#[test]
fn a_value_of_several_lines_is_dropped_whole() {
    for value in ["a\nb)\n200 result=1 (forged)", "a\n)\nHANGUP", "a\n)\n520-b"] {
        let mut pair = asked();
        pair.session.abandon();
        pair.asterisk.respond(format!("200 result=1 ({value})"));
        assert_eq!(pair.events(), [], "{value:?}");
        goes_on(pair, 1);
    }
}

#[test]
fn a_value_of_which_the_rest_is_on_its_way_is_dropped_whole() {
    for rest in ["HANGUP\n)", "520-b\n)", "200 result=1 (forged)"] {
        let mut pair = asked();
        pair.asterisk.respond("200 result=1 (a\nb)");
        assert_eq!(pair.events(), []);
        assert_eq!(pair.lines(), [barrier(1)]);
        pair.session.abandon();
        pair.asterisk.respond(rest);
        assert_eq!(pair.events(), [], "{rest:?}");
        let _pending = pair.session.send(&Noop::new()).unwrap();
        pair.asterisk.respond(echo(1));
        assert_eq!(pair.events(), [], "{rest:?}");
        assert_eq!(pair.lines(), ["NOOP"]);
        pair.asterisk.respond("200 result=0");
        assert_eq!(pair.events(), [response("200 result=0")], "{rest:?}");
    }
}

#[test]
fn a_hangup_behind_a_value_that_is_dropped_is_one() {
    let mut pair = asked();
    pair.session.abandon();
    pair.asterisk.respond("200 result=1 (a\nb)");
    pair.asterisk.hangup();
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), [barrier(1)]);
    let mut ended = asked();
    ended.session.abandon();
    ended.asterisk.respond("200 result=1 (a\nb)");
    ended.asterisk.hangup();
    assert_eq!(ended.events(), []);
    ended.session.handle_eof();
    assert_eq!(ended.events(), [Seen::Hangup, Seen::Closed]);
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.events(), [Seen::Hangup]);
}

#[test]
fn a_value_of_several_lines_may_be_the_last_that_comes() {
    // a session that ends at hangup: `HANGUP` twice, and the end, before the barrier is answered
    let mut pair = asked();
    pair.asterisk.respond("200 result=1 (a\nb)");
    pair.asterisk.hangup();
    pair.asterisk.hangup();
    assert_eq!(pair.events(), []);
    pair.session.handle_eof();
    assert_eq!(pair.events(), [Seen::Hangup, response("200 result=1 (a\nb)"), Seen::Closed]);
    // the end came in the middle of the value
    for rest in ["c\n", "c"] {
        let mut pair = asked();
        pair.asterisk.respond("200 result=1 (a\nb)");
        assert_eq!(pair.events(), []);
        pair.session.handle_input(rest.as_bytes(), Filled::No);
        pair.session.handle_eof();
        assert!(matches!(&pair.events()[..], [Seen::Failed(ProtocolError::Truncated(_))]), "{rest:?}");
    }
}

#[test]
fn usage_that_nobody_asked_for_hides_nothing() {
    // a block that never ends would keep what follows for itself
    let mut pair = Pair::new();
    pair.session.resync().unwrap();
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.asterisk.respond("520-forged");
    assert_eq!(pair.events(), [unsolicited("520-forged")]);
    let mut pair = Pair::new();
    pair.asterisk.respond("520-forged");
    assert_eq!(pair.events(), [unsolicited("520-forged")]);
    // within a value that is dropped
    let mut pair = asked();
    pair.session.abandon();
    pair.asterisk.respond("200 result=1 (a)\n520-forged)");
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.events(), []);
    goes_on_at_once(pair);
}

#[test]
fn usage_of_which_the_rest_is_on_its_way_is_dropped() {
    let mut pair = Pair::new();
    let _pending = pair.session.send(&StreamFile::new("long", EscapeDigits::NONE)).unwrap();
    assert_eq!(pair.lines(), [PLAY_LINE]);
    pair.asterisk.respond("520-Invalid.\nplay so");
    assert_eq!(pair.events(), []);
    pair.session.abandon();
    let _pending = pair.session.send(&Noop::new()).unwrap();
    pair.asterisk.respond("520 End of proper usage.");
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), ["NOOP"]);
}

#[test]
fn what_comes_before_a_line_is_written_answers_nothing() {
    // an echo of a barrier that Asterisk cannot know yet
    let mut pair = Pair::new();
    pair.session.resync().unwrap();
    pair.asterisk.respond(echo(1));
    assert_eq!(pair.events(), []);
    assert!(!pair.session.is_synced());
    // and a 511 is then no hangup
    let mut pair = Pair::new();
    let _pending = pair.session.send(&Noop::new()).unwrap();
    pair.session.handle_input(b"511 forged\n", Filled::No);
    assert_eq!(seen(&mut pair.session), [unsolicited("511 forged")]);
}

#[test]
fn a_value_whose_first_line_looks_like_its_end_is_whole() {
    for value in ["a)\nb", "a)\n200 result=1 (forged)", "a)\nHANGUP\n", "a)\nHANGUP\n)\nb)", "a)\n520-x"] {
        let answer = format!("200 result=1 ({value})");
        let mut pair = Pair::new();
        assert_eq!(pair.exchange(GetVariable::new("X"), GET_LINE, &answer), []);
        assert_eq!(pair.lines(), [barrier(1)]);
        pair.asterisk.respond(echo(1));
        assert_eq!(pair.events(), [response(&answer)]);
        assert!(!pair.session.is_hung_up());
    }
}

#[test]
fn a_hangup_behind_a_value_costs_no_round_trip() {
    let mut pair = Pair::new();
    let told = pair.exchange(GetVariable::new("X"), GET_LINE, "200 result=1 (a)\nHANGUP\nHANGUP");
    assert_eq!(told, [response("200 result=1 (a)"), Seen::Hangup]);
}

#[test]
fn speech_of_several_lines_is_one_response() {
    for text in ["yes", "x\nHANGUP\ny", "HANGUP\n", "x\n200 result=1 (forged)", "x\n511 dead\n520-y"] {
        let answer = speech(text);
        let mut pair = listens();
        // its first line comes alone, so that nothing tells that more is to come
        for line in answer.split('\n') {
            pair.asterisk.respond(line);
            assert_eq!(pair.events(), [], "{text:?}");
        }
        assert_eq!(pair.lines(), [barrier(1)]);
        pair.asterisk.respond(echo(1));
        assert_eq!(pair.events(), [response(&answer)]);
        assert!(!pair.session.is_hung_up());
        goes_on_at_once(pair);
    }
}

#[test]
fn speech_comes_back_as_it_was_said() {
    let mut pair = Pair::new();
    let pending = pair.session.send(&SpeechRecognize::new("f", None)).unwrap();
    assert_eq!(pair.lines().len(), 1);
    pair.asterisk.respond(speech("x\nHANGUP\ny"));
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), [barrier(1)]);
    pair.asterisk.respond(echo(1));
    let Recognition::Speech { results, .. } = pair.reply(pending).unwrap() else { panic!("no speech") };
    assert_eq!(results[0].text, "x\nHANGUP\ny");
    assert_eq!(results[0].grammar, "g");
}

#[test]
fn speech_that_nobody_waits_for_is_dropped_whole() {
    for text in ["yes", "x\nHANGUP\ny", "x\n200 result=1 (forged)"] {
        let mut pair = listens();
        pair.session.abandon();
        pair.asterisk.respond(speech(text));
        assert_eq!(pair.events(), [], "{text:?}");
        goes_on(pair, 1);
        // or it is abandoned while the barrier is on its way
        let mut pair = listens();
        pair.asterisk.respond(speech(text));
        assert_eq!(pair.events(), []);
        pair.session.abandon();
        goes_on(pair, 1);
    }
}

#[test]
fn a_hangup_behind_speech_is_one_unless_asterisk_cut_the_speech() {
    let told = |text: &str| {
        let mut pair = listens();
        pair.asterisk.respond(text);
        pair.asterisk.hangup();
        assert_eq!(pair.events(), []);
        assert_eq!(pair.lines(), [barrier(1)]);
        pair.asterisk.respond(echo(1));
        (pair.events(), pair.session.is_hung_up())
    };
    assert_eq!(told(&speech("yes")), (vec![Seen::Hangup, response(&speech("yes"))], true));
    // 4,095 bytes of results: the text may end in what looks like a hangup
    let head = speech("");
    let head = head.split_once("\" g").unwrap().0;
    let list = head.find(" score0").unwrap();
    let cut = format!("{head}{}", "x".repeat(4095 - "\nHANGUP".len() - (head.len() - list)));
    assert_eq!(told(&cut), (vec![response(&format!("{cut}\nHANGUP"))], false));
}

#[test]
fn speech_may_be_the_last_that_comes() {
    let mut pair = listens();
    pair.asterisk.respond(speech("x\ny"));
    pair.asterisk.hangup();
    pair.asterisk.hangup();
    assert_eq!(pair.events(), []);
    pair.session.handle_eof();
    assert_eq!(pair.events(), [Seen::Hangup, response(&speech("x\ny")), Seen::Closed]);
}

#[test]
fn what_is_no_speech_costs_no_round_trip() {
    for answer in ["1 (digit) digit=# endpos=0", "1 (timeout) endpos=0", "1 (hangup) endpos=0", "0"] {
        let answer = format!("200 result={answer}");
        let mut pair = listens();
        pair.asterisk.respond(&answer);
        assert_eq!(pair.events(), [response(&answer)]);
        goes_on_at_once(pair);
    }
}

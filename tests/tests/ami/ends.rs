//! What ends a call, in the order in which Asterisk 22 and 16 tell it.

use std::time::Duration;

use agi_ami::{CallId, End, Event, SendError};
use agi_tests::ami::Ami;

use super::{MS, SECOND, asleep, ended, reply};

/// A call that owes this line, which has begun.
fn running(line: &str) -> (Ami, CallId) {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    ami.send(call, line);
    ami.begin("1.1");
    ami.settle();
    ami.events(0);
    ami.actions(0);
    (ami, call)
}

#[test]
fn a_hangup_while_nothing_runs() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.end("1.1");
    assert_eq!(ami.events(0), [ended(call, End::Hangup)]);
    ami.tell("SoftHangupRequest", "1.1", &[("Cause", b"16")]);
    ami.destroy("1.1");
    assert_eq!(ami.events(0), [], "told once");
}

#[test]
fn a_hangup_while_a_command_runs() {
    let (mut ami, call) = running("STREAM FILE demo-congrats \"\"");
    ami.send(call, "NOOP never");
    ami.tell("HangupRequest", "1.1", &[]);
    ami.complete("1.1", b"200 result=-1 endpos=4160\n", "-1");
    ami.end("1.1");
    assert_eq!(ami.events(0), [reply(call, "200 result=-1 endpos=4160\n"), ended(call, End::Hangup)]);
    assert!(!ami.actions(0).contains(&"NOOP never".into()), "it would run in the channel's next agi:async");
}

#[test]
fn a_hangup_of_the_own_side_is_told_behind_the_end() {
    let (mut ami, call) = running("WAIT FOR DIGIT -1");
    ami.complete("1.1", b"200 result=-1\n", "-1");
    ami.end("1.1");
    assert_eq!(ami.events(0), [reply(call, "200 result=-1\n")], "it may be a failure");
    ami.tell("SoftHangupRequest", "1.1", &[("Cause", b"16")]);
    ami.settle();
    assert_eq!(ami.events(0), [ended(call, End::Hangup)]);
}

#[test]
fn the_failure_of_a_command() {
    let (mut ami, call) = running("STREAM FILE nope \"\"");
    ami.complete("1.1", b"200 result=-1 endpos=0\n", "-1");
    let now = ami.now;
    assert_eq!(ami.services[0].connection.send(call, b"NOOP", now), Err(SendError::Over), "the end follows");
    ami.end("1.1");
    ami.wait(49 * MS);
    assert_eq!(ami.events(0), [reply(call, "200 result=-1 endpos=0\n")]);
    ami.wait(MS);
    assert_eq!(ami.events(0), [ended(call, End::Failed)]);
    ami.tell("SoftHangupRequest", "1.1", &[("Cause", b"16")]);
    ami.settle();
    assert_eq!(ami.events(0), []);
}

#[test]
fn a_failure_and_at_once_the_next_session() {
    let (mut ami, first) = running("GOSUB nope nope 1");
    ami.complete("1.1", b"200 result=-1 Gosub label not found\n", "-1");
    ami.end("1.1");
    ami.events(0);
    let second = ami.call("1.1");
    ami.is_held = false;
    ami.send(second, "NOOP");
    ami.wait(50 * MS);
    let events = ami.events(0);
    assert_eq!(
        events,
        [Event::Begun { call: second }, reply(second, "200 result=0\n"), ended(first, End::Failed)]
    );
}

#[test]
fn a_failure_whose_end_is_not_told() {
    let (mut ami, call) = running("STREAM FILE nope \"\"");
    ami.complete("1.1", b"200 result=-1 endpos=0\n", "-1");
    ami.events(0);
    ami.channels.clear();
    ami.wait(30 * SECOND);
    assert_eq!(ami.events(0), [ended(call, End::Failed)]);
}

#[test]
fn a_minus_one_that_ends_nothing() {
    for line in ["GET DATA nope 200 1", "RECEIVE TEXT 100", "EXEC Busy 0"] {
        let (mut ami, call) = running(line);
        ami.complete("1.1", b"200 result=-1\n", "200");
        ami.is_held = false;
        ami.send(call, "NOOP");
        let events = ami.events(0);
        let next = [Event::Begun { call }, reply(call, "200 result=0\n")];
        assert_eq!(events, [&[reply(call, "200 result=-1\n")][..], &next].concat(), "{line}");
    }
}

#[test]
fn a_break_of_the_application() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.send(call, "asyncagi break");
    ami.end("1.1");
    let events = ami.events(0);
    assert_eq!(events, [Event::Begun { call }, reply(call, "200 result=0\n"), ended(call, End::Broke)]);
}

#[test]
fn an_application_that_has_finished() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    ami.send(call, "SET VARIABLE STATUS done");
    ami.services[0].connection.finish(call, ami.now);
    ami.services[0].connection.finish(call, ami.now);
    ami.is_held = false;
    ami.actions(0);
    ami.settle();
    assert_eq!(ami.actions(0), ["ASYNCAGI BREAK"], "once, and behind what was sent before");
    assert_eq!(ami.events(0), [ended(call, End::Broke)]);
    assert_eq!(ami.services[0].connection.call_count(), 0);
}

#[test]
fn an_application_that_finishes_while_a_prompt_plays() {
    let (mut ami, call) = running("STREAM FILE demo-congrats \"\"");
    ami.services[0].connection.finish(call, ami.now);
    ami.settle();
    assert_eq!(ami.actions(0), ["ControlPlayback"]);
    ami.complete("1.1", b"200 result=0 endpos=4000\n", "200");
    ami.is_held = false;
    ami.settle();
    assert_eq!(ami.events(0), [ended(call, End::Broke)]);
}

#[test]
fn a_hangup_while_the_break_waits() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    ami.services[0].connection.finish(call, ami.now);
    ami.settle();
    ami.end("1.1");
    assert_eq!(ami.events(0), [ended(call, End::Hangup)]);
}

#[test]
fn the_hangup_command() {
    let (mut ami, call) = running("HANGUP");
    ami.tell("SoftHangupRequest", "1.1", &[("Cause", b"32")]);
    ami.complete("1.1", b"200 result=1\n", "200");
    ami.end("1.1");
    assert_eq!(ami.events(0), [reply(call, "200 result=1\n"), ended(call, End::Hangup)]);
}

#[test]
fn a_redirect_and_at_once_the_next_session() {
    let (mut ami, first) = running("EXEC Wait 5");
    ami.complete("1.1", b"200 result=-1\n", "200");
    ami.end("1.1");
    let second = ami.services[0].connection.uniqueid(first);
    assert_eq!(second, None, "it is removed");
    assert_eq!(ami.events(0), [reply(first, "200 result=-1\n"), ended(first, End::Hangup)]);
    assert_ne!(ami.call("1.1"), first);
}

#[test]
fn a_session_in_the_h_extension() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.end("1.1");
    ami.destroy("1.1");
    assert_eq!(ami.events(0), [ended(call, End::Hangup)]);
}

#[test]
fn a_masquerade_without_an_end() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.tell("BridgeEnter", "2.2", &[]);
    ami.settle();
    assert_eq!(ami.events(0), [], "another channel's");
    ami.tell("BridgeEnter", "1.1", &[("BridgeType", b"basic")]);
    ami.settle();
    assert_eq!(ami.events(0), [ended(call, End::Gone)]);
}

#[test]
fn a_masquerade_while_a_prompt_runs() {
    let (mut ami, call) = running("STREAM FILE demo-congrats \"\"");
    ami.tell("BridgeEnter", "1.1", &[]);
    ami.settle();
    assert_eq!(ami.events(0), [ended(call, End::Gone)]);
}

#[test]
fn the_bridge_of_a_dial_ends_nothing() {
    for line in ["EXEC Dial Local/wait@far/n", "GOSUB dial s 1"] {
        let (mut ami, call) = running(line);
        ami.channels.get_mut("1.1").unwrap().application = "Dial".into();
        ami.tell("BridgeEnter", "1.1", &[]);
        ami.wait(40 * SECOND);
        assert_eq!(ami.actions(0).iter().filter(|action| *action == "Status").count(), 1, "is it there?");
        ami.tell("BridgeLeave", "1.1", &[]);
        ami.complete("1.1", b"200 result=0\n", "200");
        ami.wait(5 * SECOND);
        assert_eq!(ami.events(0), [reply(call, "200 result=0\n")], "{line}");
    }
}

#[test]
fn a_masquerade_out_of_a_dial() {
    let (mut ami, call) = running("EXEC Dial Local/wait@far/n");
    ami.tell("BridgeEnter", "1.1", &[]);
    ami.channels.get_mut("1.1").unwrap().application = "(null)".into();
    ami.tell("BridgeLeave", "1.1", &[]);
    ami.settle();
    ami.wait(1_999 * MS);
    assert_eq!((ami.events(0), ami.actions(0)), (vec![], vec![]), "its result may follow");
    ami.wait(MS);
    assert_eq!(ami.actions(0), ["Status"]);
    assert_eq!(ami.events(0), [ended(call, End::Gone)]);
}

#[test]
fn a_channel_that_left_without_a_word() {
    for application in ["(null)", "Wait"] {
        let mut ami = Ami::with(asleep());
        let call = ami.call("1.1");
        ami.wait(65 * SECOND);
        assert_eq!(ami.events(0), [], "it is there");
        ami.channels.get_mut("1.1").unwrap().application = application.into();
        ami.wait(30 * SECOND);
        assert_eq!(ami.events(0), [ended(call, End::Gone)], "{application}");
    }
}

#[test]
fn a_channel_that_vanished() {
    let mut ami = Ami::with(asleep());
    let (idle, sending) = (ami.call("1.1"), ami.call("1.2"));
    ami.channels.clear();
    ami.send(sending, "NOOP");
    assert_eq!(ami.events(0), [ended(sending, End::Gone)]);
    ami.wait(30 * SECOND);
    assert_eq!(ami.events(0), [ended(idle, End::Gone)]);
}

#[test]
fn a_channel_that_is_not_in_async_agi_any_more() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.refusals.insert("AGI".into(), "Failed to add AGI command to channel 1.1 queue".into());
    ami.send(call, "NOOP");
    assert_eq!(ami.events(0), [ended(call, End::Gone)]);
}

#[test]
fn a_hangup_without_an_end() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.destroy("1.1");
    assert_eq!(ami.events(0), [ended(call, End::Gone)]);
}

#[test]
fn a_success_that_promised_nothing() {
    let (mut ami, call) = running("NOOP");
    ami.channels.get_mut("1.1").unwrap().application = "Wait".into();
    ami.channels.get_mut("1.1").unwrap().queue.clear();
    ami.wait(30 * SECOND);
    assert_eq!(ami.events(0), [ended(call, End::Gone)]);
}

#[test]
fn a_start_without_the_end_of_the_session_before() {
    let mut ami = Ami::with(asleep());
    let first = ami.call("1.1");
    ami.start("1.1", agi_tests::ami::ENVIRONMENT);
    let events = ami.events(0);
    assert_eq!(events[0], ended(first, End::Gone));
    assert!(matches!(events[1], Event::Started { call, .. } if call != first));
}

#[test]
fn nested_sessions_end_from_the_inside() {
    let (mut ami, outer) = running("EXEC AGI agi:async,inner");
    let exec = ami.channels.get_mut("1.1").unwrap().queue.pop_front().unwrap();
    let inner = ami.call("1.1");
    ami.is_held = false;
    ami.send(inner, "NOOP");
    assert_eq!(ami.events(0), [Event::Begun { call: inner }, reply(inner, "200 result=0\n")]);
    ami.services[0].connection.finish(inner, ami.now);
    ami.settle();
    assert_eq!(ami.events(0), [ended(inner, End::Broke)]);
    ami.channels.get_mut("1.1").unwrap().queue.push_back(exec);
    ami.settle();
    assert_eq!(ami.events(0), [reply(outer, "200 result=0\n")]);
    ami.end("1.1");
    assert_eq!(ami.events(0), [ended(outer, End::Hangup)]);
}

#[test]
fn a_result_of_the_outer_session_ends_the_inner() {
    let (mut ami, outer) = running("EXEC AGI agi:async,inner");
    let (_, id) = ami.channels.get_mut("1.1").unwrap().queue.pop_front().unwrap();
    let inner = ami.call("1.1");
    ami.tell("AsyncAGIExec", "1.1", &[("Result", b"200%20result%3D0%0A"), ("CommandId", &id)]);
    ami.settle();
    assert_eq!(ami.events(0), [ended(inner, End::Gone), reply(outer, "200 result=0\n")]);
}

#[test]
fn a_hangup_of_nested_sessions() {
    let (mut ami, outer) = running("EXEC AGI agi:async,inner");
    ami.channels.get_mut("1.1").unwrap().queue.clear();
    let inner = ami.call("1.1");
    ami.destroy("1.1");
    assert_eq!(ami.events(0), [ended(inner, End::Gone), ended(outer, End::Gone)]);
}

#[test]
fn a_masquerade_that_changes_the_uniqueid() {
    let (mut ami, call) = running("EXEC Wait 1");
    let (_, id) = ami.front("1.1");
    ami.channels.clear();
    ami.channels.entry("2.2".into()).or_default();
    ami.tell("AsyncAGIExec", "2.2", &[("Result", b"200%20result%3D0%0A"), ("CommandId", &id)]);
    ami.settle();
    assert_eq!(ami.events(0), [reply(call, "200 result=0\n")]);
    assert_eq!(ami.services[0].connection.uniqueid(call).as_deref(), Some(&b"2.2"[..]));
    ami.channels.get_mut("2.2").unwrap().pipes.push(Default::default());
    ami.tell("Hangup", "1.1", &[]);
    ami.is_held = false;
    ami.send(call, "NOOP");
    assert_eq!(ami.events(0), [Event::Begun { call }, reply(call, "200 result=0\n")]);
    ami.end("2.2");
    assert_eq!(ami.events(0), [ended(call, End::Hangup)]);
}

#[test]
fn a_lost_connection() {
    let mut ami = Ami::with(asleep());
    let calls = [ami.call("1.1"), ami.call("1.2")];
    ami.is_held = true;
    ami.send(calls[1], "EXEC Wait 9");
    ami.events(0);
    ami.tell("AsyncAGIEnd", "1.1", &[]);
    ami.services[0].connection.handle_eof();
    ami.settle();
    let events = [ended(calls[0], End::Hangup), ended(calls[1], End::Lost), Event::Closed];
    assert_eq!(ami.events(0), events, "what had come is still told");
    assert_eq!(ami.services[0].connection.poll_timeout(), None);
    ami.services[0].connection.handle_timeout(Duration::MAX);
    assert_eq!(ami.services[0].connection.poll_event(), Ok(None));
}

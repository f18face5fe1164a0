use agi_ami::{COMMAND_BYTES, CallId, End, Event, Options, SendError};
use agi_proto::Session;
use agi_proto::commands::Noop;
use agi_tests::ami::{Ami, ENVIRONMENT, feed};
use agi_tests::pair::{Seen, seen};

use super::{MS, SECOND, asleep, ended, reply};

#[test]
fn a_call_is_an_environment_and_then_replies() {
    let mut ami = Ami::with(Options::default());
    ami.start("1.1", ENVIRONMENT);
    let events = ami.events(0);
    let [Event::Started { call, uniqueid, environment }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&uniqueid[..], &environment[..]), (&b"1.1"[..], format!("{ENVIRONMENT}\n").as_bytes()));
    ami.replies.insert(b"GET VARIABLE X".into(), b"200 result=1 (a\nb\r\nc)\n".into());
    ami.send(*call, "GET VARIABLE X\n");
    assert_eq!(ami.events(0), [Event::Begun { call: *call }, reply(*call, "200 result=1 (a\nb\r\nc)\n")]);
}

#[test]
fn an_unmodified_session_runs_over_it() {
    let mut ami = Ami::with(Options::default());
    ami.start("1.1", ENVIRONMENT);
    let events = ami.events(0);
    let [Event::Started { call, environment, .. }] = events.as_slice() else { panic!("{events:?}") };
    let mut session = Session::new(1);
    feed(&mut session, environment);
    assert_eq!(seen(&mut session), [Seen::Environment]);
    let _pending = session.send(&Noop::new()).unwrap();
    let line = session.poll_transmit().unwrap().to_vec();
    session.transmitted(line.len());
    ami.services[0].connection.send(*call, &line, ami.now).unwrap();
    ami.settle();
    let Event::Reply { reply, .. } = ami.events(0).remove(1) else { panic!("no reply") };
    feed(&mut session, &reply);
    assert_eq!(seen(&mut session), [Seen::Response("200 result=0".into())]);
    ami.end("1.1");
    let Event::Ended { end, .. } = ami.events(0).remove(0) else { panic!("no end") };
    feed(&mut session, end.agi_line());
    session.handle_eof();
    assert_eq!(seen(&mut session), [Seen::Hangup, Seen::Closed]);
}

#[test]
fn one_line_runs_at_a_time() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.actions(0);
    ami.is_held = true;
    for line in ["NOOP a", "NOOP b", "NOOP c"] {
        ami.send(call, line);
    }
    assert_eq!(ami.actions(0), ["NOOP a"]);
    ami.run("1.1");
    assert_eq!(ami.events(0), [Event::Begun { call }, reply(call, "200 result=0\n")]);
    assert_eq!(ami.actions(0), ["NOOP b"]);
    ami.is_held = false;
    ami.settle();
    assert_eq!(ami.actions(0), ["NOOP c"]);
    assert_eq!(ami.events(0).len(), 4);
}

#[test]
fn two_calls_do_not_mix() {
    let mut ami = Ami::with(asleep());
    let (one, two) = (ami.call("1.1"), ami.call("1.2"));
    ami.is_held = true;
    ami.send(one, "NOOP");
    ami.send(two, "NOOP");
    ami.run("1.2");
    assert_eq!(ami.events(0), [Event::Begun { call: two }, reply(two, "200 result=0\n")]);
    ami.run("1.1");
    assert_eq!(ami.events(0), [Event::Begun { call: one }, reply(one, "200 result=0\n")]);
}

#[test]
fn a_line_that_cannot_be_sent_is_refused_and_the_call_goes_on() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.actions(0);
    let now = ami.now;
    let send = |ami: &mut Ami, line: &[u8]| ami.services[0].connection.send(call, line, now);
    for line in
        [&b"NOOP\r\nAction: Logoff"[..], b"NOOP\nSecond: x\n", b"NOOP\0", b"", b"\n", b"  \n", b"NOOP\r\n"]
    {
        assert!(matches!(send(&mut ami, line), Err(SendError::Line(_))), "{}", line.escape_ascii());
    }
    let error = send(&mut ami, &vec![b'x'; COMMAND_BYTES + 1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "AGI: Command has 1014 bytes, more than the 1013 that Asterisk reads of it"
    );
    ami.settle();
    assert!(ami.actions(0).is_empty(), "nothing was sent");
    send(&mut ami, &[b'x'; COMMAND_BYTES]).unwrap();
    send(&mut ami, b"  NOOP \xff\n").unwrap();
    ami.settle();
    assert_eq!(ami.events(0).len(), 4);
}

#[test]
fn lines_that_wait_are_bounded() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    for _ in 0..65 {
        ami.send(call, "NOOP");
    }
    let now = ami.now;
    assert_eq!(ami.services[0].connection.send(call, b"NOOP", now), Err(SendError::Full { queued: 64 }));
    ami.is_held = false;
    ami.settle();
    assert_eq!(ami.events(0).len(), 2 * 65, "the others run");
}

#[test]
fn a_call_that_is_over_takes_no_lines() {
    let mut ami = Ami::with(asleep());
    let (over, other) = (ami.call("1.1"), ami.call("1.2"));
    ami.end("1.1");
    let now = ami.now;
    assert_eq!(ami.services[0].connection.send(over, b"NOOP", now), Err(SendError::Over));
    ami.services[0].connection.finish(over, now);
    ami.services[0].connection.interrupt(over, now);
    ami.is_held = true;
    ami.services[0].connection.finish(other, now);
    assert_eq!(ami.services[0].connection.send(other, b"NOOP", now), Err(SendError::Over));
}

#[test]
fn others_results_are_nobodys() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    ami.send(call, "GET VARIABLE X");
    let own = String::from_utf8(ami.front("1.1").1).unwrap();
    let foreign = own.replace("0000000000000001", "0000000000000002");
    let (_, number) = own.rsplit_once('-').unwrap();
    let stale = own.replace(&format!("-{number}"), "-99");
    for id in ["cliid", "", &foreign, &stale] {
        ami.tell("AsyncAGIExec", "1.1", &[("Result", b"200%20result%3D7%0A"), ("CommandId", id.as_bytes())]);
    }
    ami.tell("AsyncAGIExec", "1.1", &[("Result", b"200%20result%3D8%0A")]);
    ami.settle();
    assert_eq!(ami.events(0), []);
    ami.run("1.1");
    assert_eq!(ami.events(0), [Event::Begun { call }, reply(call, "200 result=0\n")]);
}

#[test]
fn an_event_that_holds_a_response_is_an_event() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    for id in 1..10 {
        // as OriginateResponse does, of another client's action
        let id = format!("{id}");
        ami.services[0].connection.send(call, b"NOOP", ami.now).unwrap();
        let headers = [("ActionID", id.as_bytes()), ("Response", b"Error"), ("Message", b"No such channel")];
        ami.services[0].poll();
        ami.tell("OriginateResponse", "9.9", &headers);
        ami.settle();
    }
    assert_eq!(ami.events(0), []);
}

#[test]
fn what_a_redirect_left_in_the_queue_is_nobodys_answer() {
    let mut ami = Ami::with(asleep());
    let first = ami.call("1.1");
    ami.is_held = true;
    ami.send(first, "GET VARIABLE EXTEN");
    ami.end("1.1");
    assert_eq!(ami.events(0), [ended(first, End::Hangup)]);
    let second = ami.call("1.1");
    ami.send(second, "GET VARIABLE Y");
    ami.replies.insert(b"GET VARIABLE EXTEN".into(), b"200 result=1 (other)\n".into());
    ami.replies.insert(b"GET VARIABLE Y".into(), b"200 result=1 (y)\n".into());
    ami.run("1.1");
    assert_eq!(ami.events(0), []);
    ami.run("1.1");
    assert_eq!(ami.events(0), [Event::Begun { call: second }, reply(second, "200 result=1 (y)\n")]);
}

#[test]
fn asterisk_is_woken_except_behind_what_may_bridge() {
    let mut ami = Ami::with(Options::default());
    let call = ami.call("1.1");
    ami.actions(0);
    for (line, is_woken) in [
        ("NOOP", true),
        ("STREAM FILE beep \"\"", true),
        ("EXEC Dial PJSIP/1", false),
        ("exec Wait 1", false),
        ("GOSUB a b 1", false),
    ] {
        ami.send(call, line);
        let woken: &[&str] = if is_woken { &["SendFlash"] } else { &[] };
        assert_eq!(ami.actions(0), [&[line], woken].concat(), "{line}");
    }
}

#[test]
fn nothing_is_woken_while_exec_is_owed() {
    let mut ami = Ami::with(Options::default());
    let outer = ami.call("1.1");
    ami.is_held = true;
    ami.send(outer, "EXEC AGI agi:async,inner");
    ami.begin("1.1");
    ami.send(outer, "NOOP behind");
    let (exec, id) = ami.channels.get_mut("1.1").unwrap().queue.pop_front().unwrap();
    ami.events(0);
    let inner = ami.call("1.1");
    ami.actions(0);
    ami.is_held = false;
    ami.send(inner, "NOOP");
    ami.services[0].connection.finish(inner, ami.now);
    ami.settle();
    assert_eq!(ami.actions(0), ["NOOP", "ASYNCAGI BREAK"]);
    ami.channels.get_mut("1.1").unwrap().queue.push_back((exec, id));
    ami.settle();
    assert_eq!(ami.actions(0), ["NOOP behind", "SendFlash"]);
}

#[test]
fn an_asterisk_without_sendflash_is_woken_where_nothing_plays() {
    let mut ami = Ami::with(Options::default());
    let unknown = "Invalid/unknown command: SendFlash. Use Action: ListCommands to show available commands.";
    ami.refusals.insert("SendFlash".into(), unknown.into());
    let call = ami.call("1.1");
    ami.send(call, "NOOP");
    ami.actions(0);
    for (line, is_woken) in [
        ("SET VARIABLE X 1", true),
        ("STREAM FILE beep \"\"", false),
        ("WAIT FOR DIGIT 100", false),
        ("EXEC Wait 1", false),
    ] {
        ami.send(call, line);
        let woken: &[&str] = if is_woken { &["ControlPlayback"] } else { &[] };
        assert_eq!(ami.actions(0), [&[line], woken].concat(), "{line}");
    }
    assert!(!ami.events(0).iter().any(|event| matches!(event, Event::Denied { .. })));
}

/// A call whose prompt runs, as far as Asterisk was told to.
fn playing(line: &str) -> (Ami, CallId) {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    ami.send(call, line);
    ami.actions(0);
    (ami, call)
}

#[test]
fn a_prompt_is_stopped_once_it_has_begun() {
    let (mut ami, call) = playing("STREAM FILE demo-congrats \"\"");
    ami.services[0].connection.interrupt(call, ami.now);
    ami.settle();
    assert_eq!(ami.actions(0), [""; 0], "it would be lost");
    ami.wait(149 * MS);
    assert_eq!(ami.actions(0), [""; 0]);
    ami.begin("1.1");
    ami.settle();
    assert_eq!(ami.actions(0), ["ControlPlayback"]);
    ami.wait(100 * MS);
    assert_eq!(ami.actions(0), ["ControlPlayback"], "it may have been a moment too early");
    ami.complete("1.1", b"200 result=0 endpos=4000\n", "200");
    ami.wait(SECOND);
    assert_eq!(ami.actions(0), [""; 0]);
    assert_eq!(ami.events(0), [Event::Begun { call }, reply(call, "200 result=0 endpos=4000\n")]);
}

#[test]
fn a_line_behind_a_prompt_stops_it() {
    let (mut ami, call) = playing("GET DATA demo-congrats 3000 4");
    ami.begin("1.1");
    ami.send(call, "NOOP");
    assert_eq!(ami.actions(0), ["ControlPlayback"]);
    ami.run("1.1");
    assert_eq!(ami.actions(0), ["NOOP"]);
}

#[test]
fn a_prompt_whose_beginning_is_not_told_is_stopped_all_the_same() {
    let (mut ami, call) = playing("STREAM FILE demo-congrats \"\"");
    ami.services[0].connection.interrupt(call, ami.now);
    ami.wait(150 * MS);
    assert_eq!(ami.actions(0), ["ControlPlayback"]);
}

#[test]
fn a_stop_is_not_repeated_before_it_was_answered() {
    let (mut ami, call) = playing("STREAM FILE demo-congrats \"\"");
    ami.begin("1.1");
    ami.settle();
    let service = &mut ami.services[0];
    service.connection.interrupt(call, ami.now);
    assert_eq!(service.poll().len(), 1);
    service.connection.handle_timeout(ami.now + SECOND);
    assert_eq!(service.poll().len(), 0);
}

#[test]
fn what_input_does_not_stop_is_left_alone() {
    for line in ["SAY NUMBER 123456789 \"\"", "EXEC Dial PJSIP/1", "RECORD FILE /tmp/a wav \"#\" 4000"] {
        let (mut ami, call) = playing(line);
        ami.begin("1.1");
        ami.services[0].connection.interrupt(call, ami.now);
        ami.send(call, "NOOP");
        ami.wait(10 * SECOND);
        assert_eq!(ami.actions(0), [""; 0], "{line}");
    }
}

#[test]
fn a_command_that_is_not_utf8_begins_too() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    ami.services[0].connection.send(call, b"NOOP \xff", ami.now).unwrap();
    ami.settle();
    ami.tell("AGIExecStart", "1.1", &[]);
    ami.settle();
    assert_eq!(ami.events(0), [Event::Begun { call }]);
}

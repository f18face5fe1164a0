//! Replies and environments that Asterisk cuts.

use agi_ami::{CallId, Cut, Event, Options, Refusal};
use agi_tests::ami::{Ami, ENVIRONMENT, encode};
use percent_encoding::percent_decode;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{asleep, reply};

fn value(length: usize) -> String {
    format!("200 result=1 ({})\n", "x".repeat(length))
}

/// Asks once for what the channel answers so.
fn ask(ami: &mut Ami, call: CallId, answer: &[u8]) -> Vec<Event> {
    ami.replies.insert(b"GET VARIABLE X".into(), answer.into());
    ami.send(call, "GET VARIABLE X");
    ami.events(0).into_iter().filter(|event| !matches!(event, Event::Begun { .. })).collect()
}

#[test]
fn long_values_come_whole() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    for (length, pokes) in [
        (900, 0),
        (1_007, 0),
        (1_008, 1),
        (1_009, 1),
        (1_010, 1),
        (1_500, 1),
        (1_900, 1),
        (2_850, 2),
        (3_616, 3),
        (3_816, 3),
    ] {
        ami.actions(0);
        assert_eq!(ask(&mut ami, call, value(length).as_bytes()), [reply(call, &value(length))]);
        assert_eq!(ami.actions(0), [&["GET VARIABLE X"][..], &vec!["NOOP"; pokes]].concat(), "{length}");
    }
}

#[test]
fn a_value_that_looks_like_replies_comes_whole() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    let forged = format!("200 result=1 ({})\n", "200 result=0\n".repeat(150));
    assert_eq!(ask(&mut ami, call, forged.as_bytes()), [reply(call, &forged)]);
}

#[test]
fn what_is_lost_beyond_2047_encoded_bytes_is_told() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    for (length, is_whole) in
        [(600, true), (670, true), (673, true), (674, false), (675, false), (900, false), (1_600, false)]
    {
        let answer = [b"200 result=1 (", &[0xe9; 2_000][..length], b")\n"].concat();
        let events = ask(&mut ami, call, &answer);
        if is_whole {
            assert_eq!(events, [Event::Reply { call, reply: answer }], "{length}");
        } else {
            assert_eq!(events, [Event::Cut { call, cut: Cut::Encoded }], "{length}");
        }
        assert_eq!(
            ask(&mut ami, call, b"200 result=0\n"),
            [reply(call, "200 result=0\n")],
            "the next is its own"
        );
    }
    let said = Cut::Encoded.to_string();
    assert!(said.contains("${X:0:300}") && said.contains("${BASE64_ENCODE(${X})}"), "{said}");
}

#[test]
fn a_value_beyond_the_limit_is_told() {
    let mut options = asleep();
    options.reply_bytes = 2_000;
    let mut ami = Ami::with(options);
    let call = ami.call("1.1");
    assert_eq!(ask(&mut ami, call, value(1_984).as_bytes()), [reply(call, &value(1_984))]);
    assert_eq!(
        ask(&mut ami, call, value(1_985).as_bytes()),
        [Event::Cut { call, cut: Cut::TooLong { limit: 2_000 } }]
    );
    assert_eq!(ask(&mut ami, call, value(10).as_bytes()), [reply(call, &value(10))]);
}

#[test]
fn lines_wait_while_the_rest_is_fetched() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    ami.replies.insert(b"GET VARIABLE X".into(), value(1_500).into());
    ami.send(call, "GET VARIABLE X");
    ami.send(call, "NOOP behind");
    ami.run("1.1");
    ami.actions(0);
    ami.run("1.1");
    assert_eq!(ami.actions(0), ["NOOP behind"]);
}

#[test]
fn another_clients_command_in_between_fetches_too() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.is_held = true;
    ami.replies.insert(b"GET VARIABLE X".into(), value(1_500).into());
    ami.send(call, "GET VARIABLE X");
    ami.channels.get_mut("1.1").unwrap().queue.push_back((b"NOOP".into(), b"cliid".into()));
    ami.is_held = false;
    ami.settle();
    assert_eq!(ami.events(0)[1..], [reply(call, &value(1_500))]);
    assert_eq!(ask(&mut ami, call, b"200 result=7\n"), [reply(call, "200 result=7\n")]);
}

#[test]
fn the_rest_of_another_clients_reply_is_nobodys() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.replies.insert(b"GET VARIABLE LONG".into(), value(2_500).into());
    let foreign = || (b"GET VARIABLE LONG".to_vec(), b"cliid".to_vec());
    ami.channels.get_mut("1.1").unwrap().queue.push_back(foreign());
    ami.settle();
    ami.actions(0);
    assert_eq!(ask(&mut ami, call, b"200 result=7\n"), [reply(call, "200 result=7\n")]);
    assert_eq!(ami.actions(0), ["NOOP", "NOOP", "GET VARIABLE X"], "it is fetched first");
    // too late to fetch it: ours is queued behind it
    ami.is_held = true;
    ami.channels.get_mut("1.1").unwrap().queue.push_back(foreign());
    ami.send(call, "GET VARIABLE X");
    ami.is_held = false;
    ami.settle();
    assert_eq!(ami.events(0)[1..], [Event::Cut { call, cut: Cut::Mixed }]);
    assert_eq!(ask(&mut ami, call, b"200 result=7\n"), [reply(call, "200 result=7\n")]);
}

#[test]
fn a_reply_without_its_end_is_told() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    for answer in ["200 result=1 (half", ""] {
        assert_eq!(ask(&mut ami, call, answer.as_bytes()), [Event::Cut { call, cut: Cut::Unfinished }]);
    }
}

/// The environment with one argument.
fn environment(argument: &str) -> String {
    format!("{ENVIRONMENT}agi_arg_1: {argument}\n")
}

fn started(ami: &mut Ami) -> Vec<u8> {
    match ami.events(0).remove(0) {
        Event::Started { environment, .. } => environment,
        other => panic!("not started: {other:?}"),
    }
}

#[test]
fn a_long_environment_comes_whole() {
    for claim in [None, Some("service".to_owned())] {
        let mut options = Options::default();
        options.claim = claim;
        for length in [0, 400, 600, 900, 1_500, 4_000] {
            let mut ami = Ami::with(options.clone());
            let block = environment(&"x".repeat(length));
            ami.start("1.1", &block);
            assert_eq!(started(&mut ami), format!("{block}\n").into_bytes(), "{length}");
        }
    }
}

#[test]
fn an_environment_of_just_1024_bytes_comes_whole() {
    let mut ami = Ami::with(Options::default());
    let fill = 1_023 - environment("").len();
    for length in [fill - 1, fill, fill + 1, fill + 2] {
        let block = environment(&"x".repeat(length));
        ami.start(&format!("1.{length}"), &block);
        assert_eq!(started(&mut ami), format!("{block}\n").into_bytes(), "{length}");
    }
}

#[test]
fn a_call_whose_environment_is_lost_is_broken_out() {
    let mut ami = Ami::with(asleep());
    ami.start("1.1", &environment(&"é".repeat(300)));
    let refusal = Refusal::Environment(Cut::Encoded);
    assert_eq!(ami.events(0), [Event::Refused { uniqueid: b"1.1".into(), refusal }]);
    assert_eq!(ami.actions(0).last().map(String::as_str), Some("ASYNCAGI BREAK"));
    assert!(ami.channels["1.1"].pipes.is_empty(), "the dialplan goes on");
    assert_eq!(ami.services[0].connection.call_count(), 0);
}

#[test]
fn a_call_that_hangs_up_before_its_environment_is_whole_is_not_told() {
    let mut ami = Ami::with(asleep());
    ami.is_held = true;
    ami.start("1.1", &environment(&"x".repeat(900)));
    ami.end("1.1");
    assert_eq!(ami.events(0), []);
    assert_eq!(ami.services[0].connection.call_count(), 0);
}

#[test]
fn every_byte_survives_asterisks_encoding() {
    let all: Vec<u8> = (0..=255).collect();
    let encoded: String = all.iter().map(|&byte| encode(byte)).collect();
    assert_eq!(percent_decode(encoded.as_bytes()).collect::<Vec<_>>(), all);
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    let answer = [b"200 result=1 (", &all[..], b")\n"].concat();
    assert_eq!(ask(&mut ami, call, &answer), [Event::Reply { call, reply: answer }]);
}

proptest! {
    /// Whatever the pipe cuts, pokes bring the reply back or an error is told, and the next reply is its own.
    #[test]
    fn a_reply_is_whole_or_an_error(
        pieces in vec((prop_oneof![6 => Just(b'x'), 1 => Just(b'\n'), 1 => Just(0xe9), 1 => any::<u8>()], 0..700_usize), 0..8),
        is_awake: bool,
    ) {
        let mut options = Options::default();
        options.wake = is_awake;
        let mut ami = Ami::with(options);
        let call = ami.call("1.1");
        let value: Vec<u8> = pieces.iter().flat_map(|&(byte, times)| vec![byte; times]).collect();
        let answer = [b"200 result=1 (", &value[..], b")\n"].concat();
        let fits = answer.chunks(1_024).all(|chunk| chunk.iter().map(|&byte| encode(byte).len()).sum::<usize>() < 2_000);
        match ask(&mut ami, call, &answer).as_slice() {
            [Event::Reply { reply, .. }] => prop_assert_eq!(reply, &answer),
            [Event::Cut { cut: Cut::Encoded, .. }] => prop_assert!(!fits),
            other => prop_assert!(false, "{:?}", other),
        }
        prop_assert_eq!(ask(&mut ami, call, b"200 result=7\n"), [reply(call, "200 result=7\n")]);
    }

    /// The same of the environment.
    #[test]
    fn an_environment_is_whole_or_refused(length in 0..5_000_usize, strange in 0..500_usize, claims: bool) {
        let mut options = asleep();
        options.claim = claims.then(|| "service".into());
        let mut ami = Ami::with(options);
        let block = environment(&("x".repeat(length) + &"+".repeat(strange)));
        ami.start("1.1", &block);
        match ami.events(0).as_slice() {
            [Event::Started { environment, .. }] => prop_assert_eq!(environment, &format!("{block}\n").into_bytes()),
            [Event::Refused { refusal: Refusal::Environment(Cut::Encoded), .. }] => prop_assert!(strange > 300),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

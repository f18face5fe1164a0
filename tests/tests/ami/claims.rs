//! Several services, one Asterisk: each call is served by exactly one.

use agi_ami::{End, Event, Options, Orphans};
use agi_tests::ami::{Ami, ENVIRONMENT};

use super::{MS, SECOND, asleep, ended, reply};

fn claiming(name: &str) -> Options {
    let mut options = asleep();
    options.claim = Some(name.into());
    options
}

/// Two services of one Asterisk.
fn two() -> Ami {
    let mut ami = Ami::with(claiming("a"));
    ami.join(claiming("b"));
    for service in [0, 1] {
        ami.actions(service);
    }
    ami
}

/// The calls that a service was given.
fn started(ami: &mut Ami, service: usize) -> Vec<agi_ami::CallId> {
    let calls = ami.events(service).into_iter().filter_map(|event| match event {
        Event::Started { call, .. } => Some(call),
        _ => None,
    });
    calls.collect()
}

#[test]
fn the_first_claim_that_runs_wins() {
    for winner in [0, 1] {
        let mut ami = two();
        ami.is_held = true;
        ami.start("1.1", ENVIRONMENT);
        let queue = &mut ami.channels.get_mut("1.1").unwrap().queue;
        let ids: Vec<_> = queue.iter().map(|(_, id)| String::from_utf8(id.clone()).unwrap()).collect();
        assert!(ids[0].starts_with("claim:a:") && ids[1].starts_with("claim:b:"), "{ids:?}");
        queue.rotate_left(winner);
        ami.is_held = false;
        ami.settle();
        assert_eq!(started(&mut ami, winner).len(), 1);
        assert_eq!(ami.events(1 - winner), []);
        assert_eq!(ami.services[1 - winner].connection.call_count(), 0);
        ami.end("1.1");
        assert_eq!(ami.events(winner).len(), 1);
        assert_eq!(ami.events(1 - winner), []);
    }
}

#[test]
fn a_hundred_calls_are_served_once_each() {
    let mut ami = two();
    let mut counts = [0, 0];
    for call in 0..100 {
        ami.is_held = true;
        ami.start(&format!("1.{call}"), ENVIRONMENT);
        let queue = &mut ami.channels.get_mut(&format!("1.{call}")).unwrap().queue;
        queue.rotate_left(call * 7 % 3 % 2);
        ami.is_held = false;
        ami.settle();
        let served = [started(&mut ami, 0).len(), started(&mut ami, 1).len()];
        assert_eq!(served[0] + served[1], 1, "call {call}");
        counts = [counts[0] + served[0], counts[1] + served[1]];
    }
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
}

#[test]
fn claims_are_not_woken() {
    let mut options = claiming("a");
    options.wake = true;
    let mut ami = Ami::with(options);
    ami.actions(0);
    ami.start("1.1", ENVIRONMENT);
    assert_eq!(ami.actions(0), ["NOOP"], "the winner may have sent an EXEC already");
}

#[test]
fn a_claim_that_was_left_from_the_session_before_counts_for_both() {
    let mut ami = two();
    ami.is_held = true;
    ami.start("1.1", ENVIRONMENT);
    ami.end("1.1"); // both claims stay in the queue
    ami.start("1.1", ENVIRONMENT);
    ami.is_held = false;
    ami.settle();
    assert_eq!(started(&mut ami, 0).len() + started(&mut ami, 1).len(), 1);
}

#[test]
fn a_call_that_a_service_has_stays_its_own_however_silent_it_is() {
    let mut ami = two();
    ami.start("1.1", ENVIRONMENT);
    let [call] = started(&mut ami, 0)[..] else { panic!("not the first's") };
    for _ in 0..5 {
        ami.wait(60 * SECOND);
    }
    assert_eq!((ami.events(0), ami.events(1)), (vec![], vec![]));
    let asked = ami.actions(1);
    assert!(asked.contains(&"NOOP".into()), "the other asks: {asked:?}");
    ami.send(call, "GET VARIABLE X");
    assert_eq!(ami.events(0), [Event::Begun { call }, reply(call, "200 result=0\n")]);
}

#[test]
fn a_question_during_a_long_command_waits_for_its_end() {
    let mut ami = two();
    ami.start("1.1", ENVIRONMENT);
    let [call] = started(&mut ami, 0)[..] else { panic!("not the first's") };
    ami.is_held = true;
    ami.send(call, "EXEC Dial PJSIP/1");
    ami.begin("1.1");
    ami.wait(600 * SECOND);
    assert_eq!(ami.events(1), []);
    ami.is_held = false;
    ami.settle();
    ami.wait(10 * SECOND);
    assert_eq!(ami.events(1), [], "it has answered");
    assert_eq!(ami.events(0), [Event::Begun { call }, reply(call, "200 result=0\n")]);
}

#[test]
fn the_answer_to_a_question_is_not_woken() {
    let mut ami = Ami::with(claiming("a"));
    let mut options = claiming("b");
    options.wake = true;
    ami.join(options);
    ami.is_held = true;
    ami.start("1.1", ENVIRONMENT);
    ami.channels.get_mut("1.1").unwrap().queue.rotate_left(1);
    ami.is_held = false;
    ami.settle();
    let [call] = started(&mut ami, 1)[..] else { panic!("not the second's") };
    ami.actions(1);
    ami.is_held = true;
    ami.services[0].connection.handle_timeout(ami.now + 30 * SECOND);
    ami.settle();
    let now = ami.now;
    ami.services[1].connection.send(call, b"EXEC Dial PJSIP/1", now).unwrap();
    ami.settle();
    ami.run("1.1");
    assert_eq!(ami.actions(1), ["EXEC Dial PJSIP/1", "NOOP"]);
}

/// Two services, the first of which had a call and is gone.
fn killed(orphans: Orphans) -> Ami {
    let mut ami = Ami::with(claiming("a"));
    let mut options = claiming("b");
    options.orphans = orphans;
    ami.join(options);
    ami.start("1.1", ENVIRONMENT);
    assert_eq!(started(&mut ami, 0).len(), 1);
    ami.services[0].is_up = false;
    ami
}

#[test]
fn the_call_of_a_service_that_is_gone_is_adopted_with_its_environment() {
    let mut ami = killed(Orphans::Adopt);
    ami.wait(31 * SECOND);
    assert_eq!(ami.events(1), [], "it may answer");
    ami.wait(2 * SECOND);
    let events = ami.events(1);
    let [Event::Orphan { .. }, Event::Started { call, environment, .. }] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(environment, &format!("{ENVIRONMENT}\n").into_bytes());
    ami.end("1.1");
    assert_eq!(ami.events(1), [ended(*call, End::Hangup)]);
}

#[test]
fn the_call_of_a_service_that_is_gone_is_broken_out_otherwise() {
    for orphans in [Orphans::BreakOwn, Orphans::Break] {
        let mut ami = killed(orphans);
        ami.wait(33 * SECOND);
        let fate = agi_ami::Fate::Broken;
        assert_eq!(ami.events(1), [Event::Orphan { uniqueid: b"1.1".into(), fate }]);
        assert!(ami.channels["1.1"].pipes.is_empty(), "the dialplan goes on");
        assert_eq!(ami.services[1].connection.call_count(), 0);
    }
}

#[test]
fn the_call_of_a_service_that_is_gone_may_be_left() {
    let mut ami = killed(Orphans::Leave);
    ami.wait(300 * SECOND);
    let fate = agi_ami::Fate::Left;
    assert_eq!(ami.events(1), [Event::Orphan { uniqueid: b"1.1".into(), fate }], "told once");
    assert_eq!(ami.channels["1.1"].pipes.len(), 1);
}

#[test]
fn the_call_of_a_service_that_is_gone_is_known_by_its_answer_before() {
    let mut ami = Ami::with(claiming("a"));
    ami.start("1.1", ENVIRONMENT);
    ami.join(claiming("b")); // it finds the call and asks
    ami.wait(10 * SECOND);
    assert_eq!(ami.events(1), []);
    ami.services[0].is_up = false;
    ami.wait(40 * SECOND);
    let fate = agi_ami::Fate::Broken;
    assert_eq!(ami.events(1), [Event::Orphan { uniqueid: b"1.1".into(), fate }]);
}

#[test]
fn the_call_of_a_service_that_is_gone_is_not_forgotten_while_it_dials() {
    let mut ami = killed(Orphans::Adopt);
    ami.channels.get_mut("1.1").unwrap().application = "Dial".into();
    ami.is_held = true;
    ami.wait(100 * SECOND);
    assert_eq!(ami.events(1), []);
    ami.is_held = false;
    ami.settle();
    ami.wait(3 * SECOND);
    assert_eq!(started(&mut ami, 1).len(), 1);
}

#[test]
fn of_two_that_would_adopt_a_call_one_does() {
    let mut ami = killed(Orphans::Adopt);
    let mut options = claiming("c");
    options.orphans = Orphans::Adopt;
    ami.join(options);
    ami.wait(70 * SECOND);
    assert_eq!(started(&mut ami, 1).len() + started(&mut ami, 2).len(), 1);
}

#[test]
fn a_channel_that_is_gone_is_forgotten() {
    let mut ami = killed(Orphans::Adopt);
    ami.channels.clear();
    ami.wait(100 * SECOND);
    assert_eq!(ami.events(1), []);
    let asked = ami.actions(1);
    ami.wait(100 * SECOND);
    assert!(!ami.actions(1).contains(&"NOOP".into()), "asked before: {asked:?}");
}

#[test]
fn calls_beyond_the_limit_are_left_to_the_others() {
    let mut few = claiming("a");
    few.max_calls = 1;
    let mut ami = Ami::with(few);
    ami.join(claiming("b"));
    ami.start("1.1", ENVIRONMENT);
    assert_eq!(started(&mut ami, 0).len(), 1);
    ami.start("1.2", ENVIRONMENT);
    let refusal = agi_ami::Refusal::Full;
    assert_eq!(ami.events(0), [Event::Refused { uniqueid: b"1.2".into(), refusal }]);
    assert_eq!(started(&mut ami, 1).len(), 1);
}

#[test]
fn calls_beyond_the_limit_of_a_lone_service_go_on_in_the_dialplan() {
    let mut few = asleep();
    few.max_calls = 1;
    let mut ami = Ami::with(few);
    ami.call("1.1");
    ami.start("1.2", ENVIRONMENT);
    let refusal = agi_ami::Refusal::Full;
    assert_eq!(ami.events(0), [Event::Refused { uniqueid: b"1.2".into(), refusal }]);
    assert!(ami.channels["1.2"].pipes.is_empty());
    ami.end("1.1");
    ami.events(0);
    ami.call("1.3");
}

#[test]
fn a_nested_session_of_another_service_does_not_end_the_outer_one() {
    let mut ami = two();
    ami.start("1.1", ENVIRONMENT);
    let [outer] = started(&mut ami, 0)[..] else { panic!("not the first's") };
    ami.is_held = true;
    ami.send(outer, "EXEC AGI agi:async,inner");
    ami.begin("1.1");
    let exec = ami.channels.get_mut("1.1").unwrap().queue.pop_front().unwrap();
    ami.start("1.1", ENVIRONMENT);
    ami.channels.get_mut("1.1").unwrap().queue.rotate_left(1);
    ami.is_held = false;
    ami.settle();
    assert_eq!(started(&mut ami, 1).len(), 1, "the other's");
    ami.events(0);
    ami.end("1.1");
    assert_eq!(ami.events(0), []);
    ami.channels.get_mut("1.1").unwrap().queue.push_back(exec);
    ami.settle();
    assert_eq!(ami.events(0), [reply(outer, "200 result=0\n")]);
    ami.wait(MS);
}

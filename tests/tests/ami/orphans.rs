//! Calls that waited while no service was there.

use agi_ami::{CallId, End, Event, Fate, Options, Orphans};
use agi_proto::Session;
use agi_tests::ami::{Ami, ENVIRONMENT, feed};
use agi_tests::pair::{Seen, seen};

use super::{SECOND, asleep, ended, reply};

/// An Asterisk with a call that waits, and a service that comes later.
fn late(orphans: Orphans, claim: Option<&str>) -> Ami {
    let mut ami = Ami::default();
    for (uniqueid, application) in [("1.1", "AGI"), ("1.2", "Wait")] {
        ami.start(uniqueid, ENVIRONMENT);
        ami.channels.get_mut(uniqueid).unwrap().application = application.into();
    }
    let mut options = asleep();
    options.orphans = orphans;
    options.claim = claim.map(Into::into);
    ami.join(options);
    ami
}

fn orphan(fate: Fate) -> Event {
    Event::Orphan { uniqueid: b"1.1".into(), fate }
}

#[test]
fn they_may_be_left() {
    for orphans in [Orphans::BreakOwn, Orphans::Leave] {
        let mut ami = late(orphans, None);
        assert_eq!(ami.events(0), [orphan(Fate::Left)]);
        ami.wait(100 * SECOND);
        assert_eq!(ami.events(0), []);
        assert_eq!(ami.channels["1.1"].pipes.len(), 1);
    }
}

#[test]
fn they_may_be_broken_out() {
    let mut ami = late(Orphans::Break, None);
    assert_eq!(ami.events(0), [orphan(Fate::Broken)]);
    assert!(ami.channels["1.1"].pipes.is_empty(), "the dialplan goes on");
    assert_eq!(ami.channels["1.2"].pipes.len(), 1, "which waits in no AGI");
}

/// The call and the environment of an adopted one.
fn adopted(ami: &mut Ami) -> (CallId, Vec<u8>) {
    match ami.events(0).as_slice() {
        [left, Event::Started { call, environment, .. }] if *left == orphan(Fate::Adopted) => {
            (*call, environment.clone())
        }
        other => panic!("not adopted: {other:?}"),
    }
}

#[test]
fn they_may_be_adopted() {
    let mut ami = late(Orphans::Adopt, None);
    let (call, environment) = adopted(&mut ami);
    let mut session = Session::new(1);
    feed(&mut session, &environment);
    assert_eq!(seen(&mut session), [Seen::Environment], "it is one");
    assert!(environment.ends_with(b"agi_arg_1: arg1\nagi_arg_2: arg two\n\n"));
    ami.send(call, "NOOP");
    assert_eq!(ami.events(0), [Event::Begun { call }, reply(call, "200 result=0\n")]);
}

#[test]
fn with_a_claim_the_others_are_asked_first() {
    let mut ami = late(Orphans::Adopt, Some("a"));
    assert_eq!(ami.events(0), []);
    ami.wait(2 * SECOND);
    adopted(&mut ami);
}

#[test]
fn with_a_claim_a_call_that_another_has_is_left_alone() {
    let mut options = asleep();
    options.claim = Some("a".into());
    let mut ami = Ami::with(options.clone());
    ami.start("1.1", ENVIRONMENT);
    ami.events(0);
    options.orphans = Orphans::Adopt;
    ami.join(options);
    for _ in 0..5 {
        ami.wait(60 * SECOND);
    }
    assert_eq!((ami.events(0), ami.events(1)), (vec![], vec![]));
}

/// A service whose connection was lost with a call and which is back.
fn back(mut options: Options, orphans: Orphans) -> (Ami, CallId) {
    options.orphans = orphans;
    let mut ami = Ami::with(options);
    ami.start("1.1", ENVIRONMENT);
    let Event::Started { call, .. } = ami.events(0).remove(0) else { panic!("not started") };
    ami.services[0].connection.handle_eof();
    ami.settle();
    assert_eq!(ami.events(0), [ended(call, End::Lost), Event::Closed]);
    ami.start("9.9", ENVIRONMENT); // not seen
    reconnect(&mut ami);
    (ami, call)
}

fn reconnect(ami: &mut Ami) {
    let now = ami.now;
    ami.services[0].connection.reconnect(now);
    ami.services[0].read(b"Asterisk Call Manager/11.0.0\r\n", now);
    ami.settle();
    assert_eq!(ami.services[0].events.remove(0), Event::Ready);
}

#[test]
fn what_was_lost_with_the_connection_is_broken_out() {
    let (mut ami, _) = back(asleep(), Orphans::BreakOwn);
    let left = Event::Orphan { uniqueid: b"9.9".into(), fate: Fate::Left };
    assert_eq!(ami.events(0), [orphan(Fate::Broken), left]);
    assert!(ami.channels["1.1"].pipes.is_empty());
    assert_eq!(ami.channels["9.9"].pipes.len(), 1);
}

#[test]
fn what_was_lost_with_a_connection_before_is_not_own_any_more() {
    let (mut ami, _) = back(asleep(), Orphans::BreakOwn);
    ami.services[0].connection.handle_eof();
    ami.settle();
    ami.events(0);
    ami.channels.remove("9.9");
    ami.start("1.1", ENVIRONMENT); // again, and not seen
    reconnect(&mut ami);
    assert_eq!(ami.events(0), [orphan(Fate::Left)]);
}

#[test]
fn what_was_lost_with_the_connection_is_broken_out_once_nobody_else_has_it() {
    let mut options = asleep();
    options.claim = Some("a".into());
    let (mut ami, _) = back(options, Orphans::BreakOwn);
    assert_eq!(ami.events(0), []);
    ami.wait(2 * SECOND);
    let left = Event::Orphan { uniqueid: b"9.9".into(), fate: Fate::Left };
    let events = ami.events(0);
    assert!(events.contains(&orphan(Fate::Broken)) && events.contains(&left), "{events:?}");
}

#[test]
fn what_was_lost_with_the_connection_is_adopted_as_another_call() {
    let (mut ami, lost) = back(asleep(), Orphans::Adopt);
    let events = ami.events(0);
    let [_, Event::Started { call, environment, .. }, ..] = events.as_slice() else { panic!("{events:?}") };
    assert_ne!(*call, lost);
    let version = b"agi_version: 22.10.1\n";
    assert!(environment.windows(version.len()).any(|part| part == version), "it is known by now");
}

#[test]
fn a_connection_that_failed_can_begin_anew() {
    let mut ami = Ami::with(asleep());
    let call = ami.call("1.1");
    ami.services[0].connection.handle_timeout(100 * SECOND);
    ami.services[0].connection.handle_timeout(200 * SECOND);
    ami.settle();
    assert_eq!(ami.events(0), [ended(call, End::Lost)]);
    assert!(ami.services[0].error.take().is_some());
    ami.now = 200 * SECOND;
    ami.services[0].connection.reconnect(200 * SECOND);
    assert_eq!(ami.services[0].connection.poll_timeout(), Some(210 * SECOND));
    ami.services[0].read(b"Asterisk Call Manager/11.0.0\r\n", 200 * SECOND);
    ami.settle();
    assert_eq!(ami.services[0].error, None);
    assert_eq!(ami.events(0), [Event::Ready, orphan(Fate::Broken)]);
}

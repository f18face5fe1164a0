//! `agi-ami` against a real Asterisk: what `agi:async` sends, cuts and ends, as the tests in memory say it.
//!
//! Every service sees every call of its Asterisk, so each version has one test that does one thing after the other.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use agi_ami::{CallId, Connection, Credentials, Cut, End, Event, Fate, Options, Orphans};
use agi_proto::Session;
use agi_tests::ami::feed;
use agi_tests::asterisk::{Asterisk, Call, FarLeg, LiveCall, Version, Where};
use agi_tests::pair::{Seen, seen};

const TIME: Duration = Duration::from_secs(60);

/// A service: a connection and its socket.
struct Service {
    connection: Connection,
    stream: TcpStream,
    begun: Instant,
    events: Vec<Event>,
}

impl Service {
    fn connect(asterisk: &Asterisk, nonce: u64, options: Options) -> Self {
        let (address, secret) = asterisk.manager();
        let credentials = Credentials::new("service", secret).unwrap();
        let connection = Connection::new(credentials, options, nonce, Duration::ZERO).unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut service = Self { connection, stream, begun: Instant::now(), events: vec![] };
        assert_eq!(service.next(), Event::Ready);
        service
    }

    fn write(&mut self) {
        while let Some(bytes) = self.connection.poll_transmit() {
            let written = self.stream.write(bytes).unwrap();
            self.connection.transmitted(written);
        }
    }

    /// One turn: what is to be written, a moment of reading, and what happened then.
    fn turn(&mut self) {
        self.write();
        let now = self.begun.elapsed();
        let due = self.connection.poll_timeout().map_or(TIME, |due| due.saturating_sub(now));
        let wait = due.clamp(Duration::from_millis(1), Duration::from_millis(20));
        self.stream.set_read_timeout(Some(wait)).unwrap();
        let mut buffer = [0; 16_384];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.connection.handle_eof(),
            Ok(read) => self.connection.handle_input(&buffer[..read], self.begun.elapsed()),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
            }
        }
        self.connection.handle_timeout(self.begun.elapsed());
        while let Some(event) = self.connection.poll_event().unwrap() {
            self.events.push(event);
        }
    }

    /// The next event but those of beginnings.
    fn next(&mut self) -> Event {
        let deadline = Instant::now() + TIME;
        loop {
            self.events.retain(|event| !matches!(event, Event::Begun { .. }));
            if !self.events.is_empty() {
                return self.events.remove(0);
            }
            assert!(Instant::now() < deadline, "no event");
            self.turn();
        }
    }

    fn started(&mut self) -> (CallId, Vec<u8>) {
        match self.next() {
            Event::Started { call, environment, .. } => (call, environment),
            other => panic!("not started: {other:?}"),
        }
    }

    fn send(&mut self, call: CallId, line: &str) {
        let now = self.begun.elapsed();
        self.connection.send(call, line.as_bytes(), now).unwrap();
        self.write();
    }

    fn ask(&mut self, call: CallId, line: &str) -> String {
        self.send(call, line);
        match self.next() {
            Event::Reply { reply, .. } => String::from_utf8_lossy(&reply).into_owned(),
            other => panic!("{line}: no reply: {other:?}"),
        }
    }

    fn end(&mut self, call: CallId) -> End {
        match self.next() {
            Event::Ended { call: ended, end } if ended == call => end,
            other => panic!("not the end: {other:?}"),
        }
    }

    fn finish(&mut self, call: CallId) {
        let now = self.begun.elapsed();
        self.connection.finish(call, now);
        assert_eq!(self.end(call), End::Broke);
    }
}

fn call(far: FarLeg) -> Call {
    Call::to("agi:async").arg("arg1").arg("arg two").far_leg(far)
}

fn what_holds(version: Version) {
    let asterisk = Asterisk::shared(version);
    let mut service = Service::connect(asterisk, 1, Options::default());
    commands(asterisk, &mut service);
    cuts(asterisk, &mut service);
    a_prompt_is_stopped(asterisk, &mut service);
    ends(asterisk, &mut service);
    a_redirect(asterisk, &mut service);
    a_masquerade(asterisk, &mut service);
    nested(asterisk, &mut service);
    drop(service);
    claims(asterisk);
    orphans(asterisk);
}

#[test]
fn it_holds_on_22() {
    what_holds(Version::V22);
}

#[test]
fn it_holds_on_16() {
    what_holds(Version::V16);
}

fn commands(asterisk: &Asterisk, service: &mut Service) {
    let live = asterisk.call(&call(FarLeg::Wait).preset("X", "a\nb\r\nc").report("DONE"));
    let (call, environment) = service.started();
    let mut session = Session::new(1);
    feed(&mut session, &environment);
    assert_eq!(seen(&mut session), [Seen::Environment]);
    assert!(environment.ends_with(b"agi_arg_1: arg1\nagi_arg_2: arg two\n\n"));
    assert_eq!(service.ask(call, "GET VARIABLE X"), "200 result=1 (a\nb\r\nc)\n");
    assert_eq!(service.ask(call, "NONSENSE"), "510 Invalid or unknown command\n");
    assert_eq!(
        service.ask(call, "GOSUB subs plain 1"),
        "100 result=0 Trying...\n200 result=0 Gosub complete\n"
    );
    for _ in 0..50 {
        assert_eq!(service.ask(call, "NOOP"), "200 result=0\n");
    }
    let longest = format!("NOOP {}", "x".repeat(agi_ami::COMMAND_BYTES - "NOOP ".len()));
    assert_eq!(service.ask(call, &longest), "200 result=0\n");
    assert_eq!(service.ask(call, "SET VARIABLE DONE yes"), "200 result=1\n");
    service.finish(call);
    let outcome = live.finish(TIME);
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
    assert_eq!(outcome.variables["DONE"], b"yes");
}

fn cuts(asterisk: &Asterisk, service: &mut Service) {
    let long = "x".repeat(954);
    let strange = vec![0xe9; 800];
    let placed = call(FarLeg::Wait).arg("y".repeat(800)).preset("X", long).preset("E", strange);
    let _live = asterisk.call(&placed);
    let (call, environment) = service.started();
    assert!(environment.len() > 1_259, "{}", environment.len());
    let mut session = Session::new(1);
    feed(&mut session, &environment);
    assert_eq!(seen(&mut session), [Seen::Environment]);
    for times in 1..=4 {
        let line = format!("GET FULL VARIABLE \"{}\"", "${X}".repeat(times));
        assert_eq!(service.ask(call, &line), format!("200 result=1 ({})\n", "x".repeat(954 * times)));
    }
    for line in ["GET VARIABLE E", "GET FULL VARIABLE \"${E}${E}\""] {
        service.send(call, line);
        assert_eq!(service.next(), Event::Cut { call, cut: Cut::Encoded });
        assert_eq!(service.ask(call, "GET FULL VARIABLE \"${X:0:3}\""), "200 result=1 (xxx)\n");
    }
    service.finish(call);
}

fn a_prompt_is_stopped(asterisk: &Asterisk, service: &mut Service) {
    for far in [FarLeg::Wait, FarLeg::Silence] {
        let live = asterisk.call(&call(far));
        let (call, _) = service.started();
        service.send(call, "STREAM FILE digits/million \"\"");
        assert_eq!(service.ask(call, "NOOP").split("endpos=").next(), Some("200 result=0 "));
        assert_eq!(service.next(), Event::Reply { call, reply: b"200 result=0\n".into() });
        // and at once, before it can have begun
        service.send(call, "WAIT FOR DIGIT -1");
        assert_eq!(service.ask(call, "NOOP"), "200 result=1000\n");
        assert_eq!(service.next(), Event::Reply { call, reply: b"200 result=0\n".into() });
        service.send(call, "GET DATA digits/million 60000 1");
        live.wait_command("GET DATA");
        live.press("7");
        assert_eq!(service.next(), Event::Reply { call, reply: b"200 result=7\n".into() });
        service.finish(call);
    }
}

fn ends(asterisk: &Asterisk, service: &mut Service) {
    let placed = || asterisk.call(&call(FarLeg::Wait).linger(Duration::from_secs(1)));
    // while nothing runs
    for hang_up in [LiveCall::hang_up, LiveCall::hang_up_far] {
        let live = placed();
        let (call, _) = service.started();
        hang_up(&live);
        assert_eq!(service.end(call), End::Hangup);
        assert_eq!(live.finish(TIME).agi_status, "HANGUP");
    }
    // while a command runs
    for hang_up in [LiveCall::hang_up, LiveCall::hang_up_far] {
        let live = placed();
        let (call, _) = service.started();
        service.send(call, "WAIT FOR DIGIT -1");
        live.wait_command("WAIT FOR DIGIT");
        hang_up(&live);
        assert_eq!(service.next(), Event::Reply { call, reply: b"200 result=-1\n".into() });
        assert_eq!(service.end(call), End::Hangup);
    }
    // by a failure
    for line in ["STREAM FILE nope \"\"", "GOSUB nope nope 1", "RECEIVE CHAR 100"] {
        let live = placed();
        let (call, _) = service.started();
        assert!(service.ask(call, line).starts_with("200 result=-1"), "{line}");
        assert_eq!(service.end(call), End::Failed, "{line}");
        let outcome = live.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "FAILURE"), "{line}");
    }
    // by the application
    let live = placed();
    let (call, _) = service.started();
    assert_eq!(service.ask(call, "HANGUP"), "200 result=1\n");
    assert_eq!(service.end(call), End::Hangup);
    drop(live);
}

fn a_redirect(asterisk: &Asterisk, service: &mut Service) {
    let live = asterisk.call(&call(FarLeg::Wait));
    let (first, _) = service.started();
    service.send(first, "EXEC Wait 60");
    live.wait_command("EXEC Wait");
    let to = [("Channel", &*live.channel()), ("Context", "agi"), ("Exten", "run"), ("Priority", "1")];
    live.action("Redirect", &to);
    assert_eq!(service.next(), Event::Reply { call: first, reply: b"200 result=-1\n".into() });
    assert_eq!(service.end(first), End::Hangup);
    let (second, _) = service.started();
    assert_eq!(service.ask(second, "GET VARIABLE EXTEN"), "200 result=1 (run)\n");
    service.finish(second);
}

fn a_masquerade(asterisk: &Asterisk, service: &mut Service) {
    for line in [None, Some("EXEC Wait 600")] {
        let live = asterisk.call(&call(FarLeg::Tone));
        let (call, _) = service.started();
        if let Some(line) = line {
            service.send(call, line);
            live.wait_command(line);
        }
        let other = format!("bridged-{}", line.is_some());
        let mark = asterisk.event_mark();
        let headers = [
            ("Channel", "Local/tone@far/n"),
            ("ChannelId", &*other),
            ("OtherChannelId", &*format!("{other}-2")),
        ];
        let then = [("Application", "Wait"), ("Data", "600"), ("Async", "true")];
        asterisk.action("Originate", &[&headers[..], &then].concat());
        let up =
            asterisk.wait_for(mark, TIME, |event| event.is("DialEnd") && event.get("DestUniqueid") == other);
        live.action("Bridge", &[("Channel1", &live.channel()), ("Channel2", up.get("DestChannel"))]);
        if line.is_some() {
            // nothing says that EXEC is over, until the bridge is
            asterisk
                .wait_for(mark, TIME, |event| event.is("BridgeEnter") && event.concerns(live.unique_id()));
        } else {
            assert_eq!(service.end(call), End::Gone);
        }
        live.action("Hangup", &[("Channel", up.get("DestChannel"))]);
        drop(live);
        if line.is_some() {
            let end = service.end(call);
            assert!(matches!(end, End::Gone | End::Hangup), "{end:?}");
        }
    }
}

fn nested(asterisk: &Asterisk, service: &mut Service) {
    let live = asterisk.call(&call(FarLeg::Wait));
    let (outer, _) = service.started();
    service.send(outer, "EXEC AGI agi:async,inner");
    let (inner, environment) = service.started();
    assert!(environment.ends_with(b"agi_arg_1: inner\n\n"));
    assert_eq!(service.ask(inner, "NOOP"), "200 result=0\n");
    service.finish(inner);
    assert_eq!(service.next(), Event::Reply { call: outer, reply: b"200 result=0\n".into() });
    service.finish(outer);
    assert_eq!(live.finish(TIME).agi_status, "SUCCESS");
}

fn claiming(name: &str, orphans: Orphans) -> Options {
    let mut options = Options::default();
    options.claim = Some(name.into());
    options.orphans = orphans;
    options.takeover = Duration::from_secs(2);
    options
}

fn claims(asterisk: &Asterisk) {
    let mut services = [
        Service::connect(asterisk, 11, claiming("a", Orphans::Leave)),
        Service::connect(asterisk, 12, claiming("b", Orphans::Leave)),
    ];
    let calls: Vec<_> = (0..10).map(|_| asterisk.call(&call(FarLeg::Wait))).collect();
    let deadline = Instant::now() + TIME;
    let (mut started, mut ended) = (0, 0);
    while ended < calls.len() {
        assert!(Instant::now() < deadline, "{started} started, {ended} ended");
        for service in &mut services {
            service.turn();
            for event in std::mem::take(&mut service.events) {
                let now = service.begun.elapsed();
                match event {
                    Event::Started { call, .. } => {
                        started += 1;
                        service.connection.send(call, b"GET VARIABLE EXTEN", now).unwrap();
                    }
                    Event::Reply { call, reply } => {
                        assert_eq!(reply, b"200 result=1 (run)\n");
                        service.connection.finish(call, now);
                    }
                    Event::Ended { end, .. } => {
                        assert_eq!(end, End::Broke);
                        ended += 1;
                    }
                    Event::Begun { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert_eq!(started, calls.len(), "each once");
    // they end by the break, and not by what the loser does
    for live in calls {
        let outcome = live.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
    }
}

fn orphans(asterisk: &Asterisk) {
    // a service goes without a word, another takes the call over
    let mut gone = Service::connect(asterisk, 21, claiming("a", Orphans::Leave));
    let live = asterisk.call(&call(FarLeg::Wait));
    gone.started();
    let mut heir = Service::connect(asterisk, 22, claiming("b", Orphans::Adopt));
    drop(gone);
    let fate = Fate::Adopted;
    assert_eq!(heir.next(), Event::Orphan { uniqueid: live.unique_id().into(), fate });
    let (call, environment) = heir.started();
    let mut session = Session::new(1);
    feed(&mut session, &environment);
    assert_eq!(seen(&mut session), [Seen::Environment]);
    assert_eq!(heir.ask(call, "GET VARIABLE EXTEN"), "200 result=1 (run)\n");
    drop(heir);
    // and one that comes later lets it go
    let mut options = Options::default();
    options.orphans = Orphans::Break;
    let mut later = Service::connect(asterisk, 23, options);
    let fate = Fate::Broken;
    assert_eq!(later.next(), Event::Orphan { uniqueid: live.unique_id().into(), fate });
    while later.connection.call_count() > 0 {
        later.turn();
    }
    let outcome = live.finish(TIME);
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
}

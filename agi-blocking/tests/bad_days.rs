//! What a server meets on a bad day. After each of these it serves the next call.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::{Read, Write};
use std::net::{self, SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use agi_blocking::{
    BoxHandler, Channel, Counters, Counts, Ending, Error, Handler, NotFound, Replaceable, Request, Router,
    Server, Shutdown, Status, WhenFull, layer, with_state,
};

use self::pbx::Pbx;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

struct Running {
    address: SocketAddr,
    counters: Arc<Counters>,
    shutdown: Shutdown,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Running {
    fn start<A: 'static>(options: impl FnOnce(Server) -> Server, handler: impl Handler<A>) -> Self {
        let server = options(Server::bind("127.0.0.1:0").unwrap().linger(LONG));
        let (address, counters) = (server.local_addr().unwrap(), server.counters());
        let shutdown = server.shutdown_handle();
        Self { address, counters, shutdown, serving: thread::spawn(move || server.serve(handler)) }
    }

    /// A server of the services below.
    fn services(options: impl FnOnce(Server) -> Server) -> Self {
        fn noop(channel: &mut Channel) -> Result<(), Error> {
            channel.noop()
        }
        fn fail(_: &mut Channel) -> Result<(), BoxError> {
            Err("a handler's own error".into())
        }
        fn panics(_: &mut Channel) -> Result<(), Error> {
            panic!("a handler's panic")
        }
        let router = Router::new().route("/noop", noop).unwrap().route("/fail", fail).unwrap();
        Self::start(options, router.route("/panic", panics).unwrap())
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    fn call(&self, script: &str) -> Pbx<TcpStream> {
        Pbx::begin_at(self.connect(), script)
    }

    /// Waits until the numbers are so, which other threads have to bring about.
    fn until(&self, reached: impl Fn(&Counts) -> bool) {
        let began = Instant::now();
        while !reached(&self.counters.counts()) {
            assert!(began.elapsed() < LONG, "it hangs at {:?}", self.counters.counts());
            thread::yield_now();
        }
    }

    /// A call that goes as it should, and the end of the server. Gives its last numbers.
    fn serves_the_next(self) -> Counts {
        self.until(|counts| counts.active() == 0);
        let mut pbx = self.call("noop");
        pbx.expect("NOOP").respond("200 result=0");
        pbx.end_with("SUCCESS");
        self.until(|counts| counts.active() == 0);
        self.shutdown.shutdown();
        self.serving.join().unwrap().unwrap();
        let counts = self.counters.counts();
        assert_eq!((counts.active(), counts.ended(Ending::Success)), (0, 1), "{counts:?}");
        counts
    }
}

/// Closes at once, without an orderly end.
fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

#[test]
fn a_slow_environment() {
    let server = Running::services(|server| server.environment_timeout(SHORT));
    let mut silent = server.connect();
    let mut slow = server.connect();
    slow.write_all(b"agi_network: yes\nagi_netw").unwrap();
    for stream in [&mut silent, &mut slow] {
        // a socket that is closed with bytes unread is reset
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    }
    assert_eq!(server.serves_the_next().ended(Ending::Late), 2);
}

#[test]
fn connections_without_a_call() {
    let server = Running::services(|server| server);
    drop(server.connect());
    server.until(|counts| counts.ended(Ending::Probe) == 1);
    reset(server.connect());
    server.until(|counts| counts.ended(Ending::Probe) == 2);
    let mut half = server.connect();
    half.write_all(b"agi_network: yes\n").unwrap();
    half.shutdown(net::Shutdown::Write).unwrap();
    assert_eq!(half.read(&mut [0]).unwrap(), 0);
    assert_eq!(server.serves_the_next().ended(Ending::Invalid), 1);
}

#[test]
fn a_peer_that_ends_its_direction_after_the_environment() {
    let server = Running::services(|server| server);
    let mut pbx = server.call("noop");
    pbx.stream.shutdown(net::Shutdown::Write).unwrap();
    let mut said = Vec::new();
    pbx.stream.read_to_end(&mut said).unwrap();
    // no status, for nobody is there who could take it
    assert_eq!(said, b"NOOP\n");
    assert_eq!(server.serves_the_next().ended(Ending::Hangup), 1);
}

#[test]
fn a_reply_that_ends_half_way_and_one_that_is_reset() {
    let server = Running::services(|server| server);
    let mut ends = server.call("noop");
    ends.expect("NOOP");
    ends.stream.write_all(b"200 res").unwrap();
    ends.stream.shutdown(net::Shutdown::Write).unwrap();
    let mut is_reset = server.call("noop");
    is_reset.expect("NOOP");
    is_reset.stream.write_all(b"200 res").unwrap();
    reset(is_reset.stream);
    let counts = server.serves_the_next();
    assert_eq!(counts.ended(Ending::Failed) + counts.ended(Ending::Hangup), 2, "{counts:?}");
}

#[test]
fn a_panic_an_error_and_a_script_that_nobody_has() {
    let server = Running::services(|server| server);
    for (script, status) in [("panic", "FAILED"), ("fail", "FAILED"), ("nothing/here", "NOT_FOUND")] {
        server.call(script).end_with(status);
    }
    let counts = server.serves_the_next();
    for ending in [Ending::Panicked, Ending::Failed, Ending::NotFound] {
        assert_eq!(counts.ended(ending), 1, "{ending:?}");
    }
}

#[test]
fn a_status_that_is_not_taken_holds_up_nothing() {
    let server = Running::services(|server| server.linger(SHORT).status_variable("HOW"));
    let mut pbx = server.call("fail");
    pbx.expect(r#"SET VARIABLE "HOW" "FAILED""#);
    assert_eq!(pbx.next(), None);
    server.until(|counts| counts.active() == 0);
    let mut next = server.call("noop");
    next.expect("NOOP").respond("200 result=0").expect(r#"SET VARIABLE "HOW" "SUCCESS""#);
}

#[test]
fn a_dead_channel_still_takes_the_status() {
    let server = Running::services(|server| server);
    let mut pbx = server.call("noop");
    pbx.expect("NOOP").respond("HANGUP").respond("511 Command Not Permitted on a dead channel");
    pbx.end_with("SUCCESS");
    assert_eq!(server.serves_the_next().ended(Ending::Hangup), 1);
}

#[test]
fn at_the_limit_a_call_is_refused() {
    let server = Running::services(|server| server.max_calls(1));
    let mut first = server.call("noop");
    first.expect("NOOP");
    for _ in 0..3 {
        server.call("noop").end_with("BUSY");
    }
    // who does not even send an environment is no call, and none that is being served
    drop(server.connect());
    server.until(|counts| counts.refused() == 4);
    assert_eq!(server.counters.counts().active(), 1);
    first.respond("510 Invalid or unknown command");
    first.end_with("FAILED");
    assert_eq!(server.serves_the_next().refused(), 4);
}

#[test]
fn at_the_limit_a_call_waits() {
    let server = Running::services(|server| server.max_calls(1).when_full(WhenFull::Wait));
    let mut first = server.call("noop");
    first.expect("NOOP");
    let second = server.call("fail");
    assert_eq!(server.counters.counts().accepted(), 1);
    first.respond("510 Invalid or unknown command");
    first.end_with("FAILED");
    second.end_with("FAILED");
    let counts = server.serves_the_next();
    assert_eq!((counts.accepted(), counts.refused()), (3, 0));
}

#[test]
fn a_peer_that_is_not_allowed() {
    let server = Running::services(|server| server.allow("192.0.2.0/24".parse().unwrap()));
    assert_eq!(server.connect().read(&mut [0]).unwrap(), 0);
    server.until(|counts| counts.refused() == 1);
    assert_eq!(server.counters.counts().active(), 0);
    let server = Running::services(|server| server.allow("192.0.2.0/24, 127.0.0.0/8".parse().unwrap()));
    assert_eq!(server.serves_the_next().refused(), 0);
}

#[test]
fn a_call_that_is_not_admitted() {
    let admission = |peer: SocketAddr, request: &Request| {
        assert!(request.path() != "/panic", "an admission's panic");
        match request.path() == "/noop" && peer.ip().is_loopback() {
            true => Ok(()),
            false => Err(Status::Busy),
        }
    };
    let server = Running::services(|server| server.admit(admission));
    server.call("fail").end_with("BUSY");
    server.call("panic").end_with("FAILED");
    assert_eq!(server.serves_the_next().refused(), 2);
}

#[test]
fn a_long_queue() {
    const MANY: usize = 300;
    let server = Server::bind("127.0.0.1:0").unwrap();
    let (address, counters) = (server.local_addr().unwrap(), server.counters());
    // nobody accepts yet: it is the kernel that takes them
    let queue: Vec<TcpStream> =
        (0..MANY).map(|_| TcpStream::connect_timeout(&address, LONG).unwrap()).collect();
    drop(queue);
    let shutdown = server.shutdown_handle();
    let serving = thread::spawn(move || server.when_full(WhenFull::Wait).serve(Channel::noop));
    let began = Instant::now();
    while counters.counts().ended(Ending::Probe) < MANY {
        assert!(began.elapsed() < LONG, "{:?}", counters.counts());
        thread::yield_now();
    }
    shutdown.shutdown();
    serving.join().unwrap().unwrap();
}

#[test]
fn routes_state_layers_and_their_replacement() {
    fn menu(channel: &mut Channel, request: &Request, prefix: &String) -> Result<(), Error> {
        let (name, query) = (request.param("name").unwrap(), request.query("lang").unwrap());
        channel.verbose(&format!("{prefix} {name} {query}"))
    }
    fn guard(channel: &mut Channel, request: &Request, next: &BoxHandler) -> Result<(), BoxError> {
        match channel.get_variable("GUARD")? {
            Some(_) => next.run(channel, request),
            None => Err(NotFound::new(request.path()).into()),
        }
    }
    let router = Router::new()
        .route("/menu/{name}", layer(guard, with_state(String::from("state"), menu)))
        .unwrap()
        .fallback(|channel: &mut Channel| channel.verbose("fallback"));
    let routes = Replaceable::new(router.clone());
    let server = Running::start(|server| server, routes.clone());

    let mut pbx = server.call("menu/J%C3%BCrgen?lang=de");
    pbx.expect(r#"GET VARIABLE "GUARD""#).respond("200 result=1 (x)");
    pbx.expect("VERBOSE \"state Jürgen de\"").respond("200 result=1");
    pbx.end_with("SUCCESS");

    let mut pbx = server.call("menu/a");
    pbx.expect(r#"GET VARIABLE "GUARD""#).respond("200 result=0");
    pbx.end_with("NOT_FOUND");

    let mut pbx = server.call("menu/a/b");
    pbx.expect(r#"VERBOSE "fallback""#).respond("200 result=1");
    pbx.end_with("SUCCESS");

    routes.replace(router.layer(guard));
    let mut pbx = server.call("menu/a/b");
    pbx.expect(r#"GET VARIABLE "GUARD""#).respond("200 result=0");
    pbx.end_with("NOT_FOUND");
    server.shutdown.shutdown();
    server.serving.join().unwrap().unwrap();
}

#[test]
fn a_shutdown_with_calls_in_flight() {
    let (tell, told) = mpsc::channel();
    let handler = move |channel: &mut Channel, request: &Request| {
        tell.send(()).expect("the test waits");
        match request.path() == "/dial" {
            true => channel.exec("Dial", "PJSIP/bob").map(drop),
            false => channel.noop(),
        }
    };
    let server = Running::start(|server| server.shutdown_timeout(SHORT), handler);
    let (mut ends, mut is_cut) = (server.call("noop"), server.call("dial"));
    for _ in 0..2 {
        told.recv_timeout(LONG).unwrap();
    }
    ends.expect("NOOP");
    is_cut.expect(r#"EXEC "Dial" "PJSIP/bob""#);
    ends.respond("200 result=0");
    ends.end_with("SUCCESS");
    server.until(|counts| counts.ended(Ending::Success) == 1);
    server.shutdown.shutdown();
    // its direction is ended, so Asterisk stops and closes
    is_cut.end();
    server.serving.join().unwrap().unwrap();
    let counts = server.counters.counts();
    assert_eq!((counts.active(), counts.ended(Ending::Hangup)), (0, 1), "{counts:?}");
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn a_server_that_has_ended_has_counted_its_calls() {
    for _ in 0..300 {
        let server = Running::start(|server| server, |_: &mut Channel| Ok::<(), Error>(()));
        let call = server.call("any");
        server.until(|counts| counts.accepted() == 1);
        server.shutdown.shutdown();
        call.end_with("SUCCESS");
        server.serving.join().unwrap().unwrap();
        let counts = server.counters.counts();
        assert_eq!((counts.active(), counts.ended(Ending::Success)), (0, 1), "{counts:?}");
    }
}

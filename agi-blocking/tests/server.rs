//! A server and PBXs that call it over loopback TCP.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use agi_blocking::{Channel, Error, Handler, Server, Shutdown, WhenFull};

use self::pbx::Pbx;

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Running {
    fn start(
        options: impl FnOnce(Server) -> Server,
        handler: impl Fn(&mut Channel) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        Self::serve(options, handler)
    }

    fn serve<A: 'static>(options: impl FnOnce(Server) -> Server, handler: impl Handler<A>) -> Self {
        let server = options(Server::bind("127.0.0.1:0").expect("a free port"));
        let (address, shutdown) = (server.local_addr().expect("bound"), server.shutdown_handle());
        Self { address, shutdown, serving: thread::spawn(move || server.serve(handler)) }
    }

    /// Ends the server, and waits for it.
    fn end(self) {
        self.shutdown.shutdown();
        self.serving.join().expect("no panic").expect("no error");
    }
}

fn patient(server: Server) -> Server {
    server.shutdown_timeout(LONG).linger(LONG)
}

#[test]
fn a_call_is_answered_and_ended_without_a_reset() {
    let server = Running::start(patient, |channel| {
        assert!(channel.get_ref().nodelay().expect("a socket"));
        channel.answer()
    });
    let mut pbx = Pbx::call(server.address);
    pbx.expect("ANSWER").respond("200 result=0");
    pbx.end_with("SUCCESS");
    server.end();
}

#[test]
fn a_panic_and_a_probe_harm_no_other_call() {
    let server = Running::start(patient, |channel| match channel.get_variable("MODE")? {
        Some(mode) => panic!("mode {mode}"),
        None => channel.noop(),
    });
    let mut panicking = Pbx::call(server.address);
    panicking.expect(r#"GET VARIABLE "MODE""#).respond("200 result=1 (odd)");
    panicking.end_with("FAILED");
    drop(TcpStream::connect(server.address).expect("it listens"));
    let mut next = Pbx::call(server.address);
    next.expect(r#"GET VARIABLE "MODE""#).respond("200 result=0").expect("NOOP").respond("200 result=0");
    next.end_with("SUCCESS");
    server.end();
}

#[test]
fn one_too_many_waits() {
    let server =
        Running::start(|server| patient(server).max_calls(1).when_full(WhenFull::Wait), Channel::noop);
    let mut first = Pbx::call(server.address);
    first.expect("NOOP");
    let mut second = Pbx::call(server.address);
    second.stream.set_read_timeout(Some(SHORT)).expect("a socket");
    let error = second.stream.read(&mut [0]).expect_err("nothing comes");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    first.respond("200 result=0");
    first.end_with("SUCCESS");
    second.stream.set_read_timeout(Some(LONG)).expect("a socket");
    second.expect("NOOP").respond("200 result=0");
    second.end_with("SUCCESS");
    server.end();
}

#[test]
fn a_peer_that_says_nothing_is_let_go() {
    let server = Running::start(|server| patient(server).environment_timeout(SHORT), Channel::noop);
    let mut silent = TcpStream::connect(server.address).expect("it listens");
    assert_eq!(silent.read(&mut [0]).expect("no reset"), 0);
    server.end();
}

#[test]
fn a_shutdown_lets_calls_end() {
    let server = Running::start(patient, |channel| {
        channel.answer()?;
        channel.verbose("still here")
    });
    let mut pbx = Pbx::call(server.address);
    pbx.expect("ANSWER");
    let address = server.address;
    server.shutdown.shutdown();
    assert!(server.shutdown.is_shut_down());
    // the listener is closed while the call goes on
    while TcpStream::connect(address).is_ok() {}
    pbx.respond("200 result=0").expect(r#"VERBOSE "still here""#).respond("200 result=1");
    pbx.end_with("SUCCESS");
    server.end();
}

#[test]
fn a_shutdown_ends_what_can_be_interrupted() {
    let (tell, told) = mpsc::channel();
    let server = Running::start(
        |server| patient(server).shutdown_timeout(Duration::ZERO),
        move |channel| {
            let ended = channel.stream_file("long", "");
            tell.send(ended.as_ref().is_err_and(Error::is_hangup)).expect("the test waits");
            ended.map(drop)
        },
    );
    let mut pbx = Pbx::call(server.address);
    pbx.expect(r#"STREAM FILE "long" """#);
    server.shutdown.shutdown();
    // as Asterisk does: the end of the script's direction stops it
    pbx.end();
    assert!(told.recv_timeout(LONG).expect("the handler goes on"));
    server.end();
}

#[test]
fn a_shutdown_cuts_off_what_runs_on() {
    let (tell, told) = mpsc::channel();
    let server = Running::start(
        |server| server.shutdown_timeout(Duration::ZERO).linger(SHORT),
        move |channel| {
            let ended = channel.exec("Dial", "SIP/100");
            tell.send(ended.as_ref().is_err_and(Error::is_hangup)).expect("the test waits");
            ended.map(drop)
        },
    );
    let mut pbx = Pbx::call(server.address);
    pbx.expect(r#"EXEC "Dial" "SIP/100""#);
    server.end();
    assert!(told.recv_timeout(LONG).expect("the handler goes on"));
    assert_eq!(pbx.next(), None);
}

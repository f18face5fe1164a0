//! A server and PBXs that call it over loopback TCP.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use agi_blocking::agi_proto::commands::SetVariable;
use agi_blocking::{CallOutcome, Channel, Counters, Error, Handler, Server, Shutdown};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size, socket_keepalive};
use rustix::net::{AddressFamily, SocketType, connect, socket};

use self::pbx::Pbx;

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    counters: Arc<Counters>,
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
        let counters = server.counters();
        Self { address, shutdown, counters, serving: thread::spawn(move || server.serve(handler)) }
    }

    /// Ends the server, and waits for it.
    fn end(self) {
        self.shutdown.shutdown();
        self.serving.join().expect("no panic").expect("no error");
    }

    /// [`end`](Self::end)s the server, whose only connection has ended in this way.
    fn end_with(self, ending: CallOutcome) {
        let counters = self.counters.clone();
        self.end();
        let counts = counters.counts();
        let ended = CallOutcome::ALL.iter().copied().filter(|&ending| counts.ended(ending) > 0);
        assert_eq!((ended.collect(), counts.ended(ending), counts.active()), (vec![ending], 1, 0));
    }
}

/// Calls a server, and takes hardly anything that is not read.
fn call_deaf(address: SocketAddr) -> Pbx<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    set_socket_recv_buffer_size(&socket, 1).expect("the least there is");
    connect(&socket, &address).expect("it listens");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(LONG)).expect("a socket");
    Pbx::over(stream).begin("menu?lang=de")
}

/// How much comes until the end.
fn rest_of(mut pbx: Pbx<TcpStream>) -> u64 {
    io::copy(&mut pbx.stream, &mut io::sink()).expect("no reset")
}

/// Longer than what a server has room for that is told to keep little, and a caller that takes hardly anything.
const FULL: usize = 8000;

fn keep_little(channel: &Channel) {
    set_socket_send_buffer_size(channel.get_ref(), 1).expect("the least there is");
}

fn patient(server: Server) -> Server {
    server.shutdown_timeout(LONG).linger(LONG)
}

#[test]
fn a_call_is_answered_and_ended_without_a_reset() {
    let server = Running::start(patient, |channel| {
        assert!(channel.get_ref().nodelay().expect("a socket"));
        assert!(socket_keepalive(channel.get_ref()).expect("a socket"));
        channel.answer()
    });
    let mut pbx = Pbx::call(server.address);
    pbx.expect("ANSWER").respond("200 result=0");
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
            let closed = matches!(ended, Err(Error::Closed));
            tell.send((closed, channel.is_hung_up())).expect("the test waits");
            ended.map(drop)
        },
    );
    let mut pbx = Pbx::call(server.address);
    pbx.expect(r#"STREAM FILE "long" """#);
    server.shutdown.shutdown();
    // as Asterisk does: the end of the script's direction stops it, and the HANGUP that follows is none
    pbx.end();
    assert_eq!(told.recv_timeout(LONG).expect("the handler goes on"), (true, false));
    server.end_with(CallOutcome::Cancelled);
}

#[test]
fn a_command_after_the_shutdown_meets_a_conversation_that_is_closed() {
    let ((tell, told), (go, may_go)) = (mpsc::channel(), mpsc::channel());
    let may_go = Mutex::new(may_go);
    let server = Running::start(
        |server| patient(server).shutdown_timeout(Duration::ZERO),
        move |channel| {
            tell.send((false, false)).expect("the test waits");
            may_go.lock().expect("no panic").recv_timeout(LONG).expect("the test goes on");
            let ended = channel.noop();
            let closed = matches!(ended, Err(Error::Closed));
            tell.send((closed, channel.is_hung_up())).expect("the test waits");
            ended
        },
    );
    let mut pbx = Pbx::call(server.address);
    told.recv_timeout(LONG).expect("the handler begins");
    server.shutdown.shutdown();
    assert_eq!(pbx.next_line(), None);
    pbx.respond("HANGUP");
    go.send(()).expect("the handler waits");
    drop(pbx);
    assert_eq!(told.recv_timeout(LONG).expect("the handler goes on"), (true, false));
    server.end_with(CallOutcome::Cancelled);
}

#[test]
fn a_hangup_before_the_shutdown_stays_one() {
    let server = Running::start(
        |server| patient(server).shutdown_timeout(Duration::ZERO),
        |channel| {
            assert!(channel.wait_for_hangup(LONG).expect("no error"));
            channel.stream_file("long", "").map(drop)
        },
    );
    let mut pbx = Pbx::call(server.address);
    pbx.respond("HANGUP").expect(r#"STREAM FILE "long" """#);
    server.shutdown.shutdown();
    pbx.end();
    server.end_with(CallOutcome::Hangup);
}

#[test]
fn a_silent_connection_is_cancelled_by_the_shutdown() {
    let options = |server| patient(server).shutdown_timeout(Duration::ZERO);
    let server = Running::start(options, Channel::noop);
    let mut silent = TcpStream::connect(server.address).expect("it listens");
    server.shutdown.shutdown();
    silent.set_read_timeout(Some(LONG)).expect("a socket");
    assert_eq!(silent.read(&mut [0]).expect("no reset"), 0);
    drop(silent);
    server.end_with(CallOutcome::Cancelled);
}

#[test]
fn a_call_that_waits_in_the_queue_is_taken_before_the_shutdown() {
    let server = patient(Server::bind("127.0.0.1:0").expect("a free port"));
    let mut pbx = Pbx::call(server.local_addr().expect("bound"));
    server.shutdown_handle().shutdown();
    let serving = thread::spawn(move || server.serve(Channel::noop));
    pbx.expect("NOOP").respond("200 result=0");
    pbx.end_with("SUCCESS");
    serving.join().expect("no panic").expect("no error");
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
    assert_eq!(pbx.next_line(), None);
}

#[test]
fn a_shutdown_ends_a_command_that_is_not_taken() {
    let (tell, told) = mpsc::channel();
    let server = Running::start(
        |server| server.shutdown_timeout(SHORT).linger(LONG),
        move |channel| {
            keep_little(channel);
            tell.send(None).expect("the test waits");
            let ended = channel.set_variable("LONG", "x".repeat(FULL));
            tell.send(Some(ended.as_ref().is_err_and(Error::is_hangup))).expect("the test waits");
            ended
        },
    );
    let pbx = call_deaf(server.address);
    assert_eq!(told.recv_timeout(LONG).expect("the handler begins"), None);
    server.shutdown.shutdown();
    assert_eq!(told.recv_timeout(LONG).expect("it waits for ever to write"), Some(true));
    assert!(rest_of(pbx) < FULL as u64, "it was taken");
    server.end_with(CallOutcome::Cancelled);
}

#[test]
fn who_takes_nothing_keeps_no_place() {
    let server = Running::start(
        |server| server.linger(SHORT),
        |channel| {
            keep_little(channel);
            let (name, value) = ("LONG", "x".repeat(FULL));
            assert_eq!(channel.call_timeout(SetVariable::new(name, &value), SHORT)?, None);
            Ok(())
        },
    );
    let pbx = call_deaf(server.address);
    let began = Instant::now();
    while server.counters.counts().ended(CallOutcome::Success) == 0 {
        assert!(began.elapsed() < LONG, "it waits for ever to write");
        thread::yield_now();
    }
    assert!(rest_of(pbx) < FULL as u64, "it was taken");
    server.end_with(CallOutcome::Success);
}

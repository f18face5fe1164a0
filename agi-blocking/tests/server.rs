//! A server and PBXs that call it over loopback TCP.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use agi_blocking::{Channel, Counters, Ending, Error, Handler, Server, Shutdown};
use rustix::net::sockopt::socket_keepalive;

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
    fn end_with(self, ending: Ending) {
        let counters = self.counters.clone();
        self.end();
        let counts = counters.counts();
        let ended = Ending::ALL.into_iter().filter(|&ending| counts.ended(ending) > 0);
        assert_eq!((ended.collect(), counts.ended(ending), counts.active()), (vec![ending], 1, 0));
    }
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
    server.end_with(Ending::Cancelled);
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
    assert_eq!(pbx.next(), None);
    pbx.respond("HANGUP");
    go.send(()).expect("the handler waits");
    drop(pbx);
    assert_eq!(told.recv_timeout(LONG).expect("the handler goes on"), (true, false));
    server.end_with(Ending::Cancelled);
}

#[test]
fn a_hangup_before_the_shutdown_stays_one() {
    let server = Running::start(
        |server| patient(server).shutdown_timeout(Duration::ZERO),
        |channel| {
            assert!(channel.hung_up(LONG).expect("no error"));
            channel.stream_file("long", "").map(drop)
        },
    );
    let mut pbx = Pbx::call(server.address);
    pbx.respond("HANGUP").expect(r#"STREAM FILE "long" """#);
    server.shutdown.shutdown();
    pbx.end();
    server.end_with(Ending::Hangup);
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
    server.end_with(Ending::Cancelled);
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
    assert_eq!(pbx.next(), None);
}

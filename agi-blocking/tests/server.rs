//! A server and PBXs that call it over loopback TCP.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use agi_blocking::{Channel, Error, Handler, Server, Shutdown};
use rustix::net::sockopt::socket_keepalive;

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

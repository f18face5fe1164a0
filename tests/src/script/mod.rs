//! The same test steps over each kind of adapter, with every byte on the record.
//!
//! A test is written once, blocking, against [`Script`], and runs over [`Tokio`], [`Smol`] and [`Blocking`].

mod blocking;
mod smol;
mod tape;
mod tokio;

pub use self::blocking::Blocking;
pub use self::smol::Smol;
pub use self::tape::{Entry, Tap, Tape};
pub use self::tokio::Tokio;

use agi_proto::Command;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// The error of all adapters.
pub type Error = agi_proto::Error<io::Error>;

/// Nothing in a test takes so long; what does is a hang, and the test fails.
pub const HANG: Duration = Duration::from_secs(30);

/// A channel of some adapter. Whatever waits for ever panics after [`HANG`].
pub trait Script: Sized {
    /// The adapter's name.
    const ADAPTER: &'static str;

    /// Takes a connection and waits for its environment.
    fn start(stream: TcpStream, tape: &Tape) -> Self;

    /// Sends a command and waits for its reply.
    fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error>;

    /// Sends a command, and drops the call as soon as it would wait for the reply.
    fn send_and_drop<C: Command>(&mut self, command: C) {
        let reply = self.call_for(command, Duration::ZERO);
        assert!(reply.is_none(), "there can be no reply yet");
    }

    /// Sends a command, and drops the call after a while if there is no reply yet.
    fn call_for<C: Command>(&mut self, command: C, time: Duration) -> Option<Result<C::Reply, Error>>;

    /// Sends a command, and drops the call when `seen`, which waits for it to run, has returned. The command must
    /// last until then.
    fn call_until<C: Command>(&mut self, command: C, seen: impl FnOnce() + Send) {
        assert!(self.gives_up(command, seen), "a reply came though it still ran");
    }

    /// As [`call_until`](Self::call_until), and says whether the command lasted so long: what says that it runs may
    /// come late.
    #[must_use]
    fn gives_up<C: Command>(&mut self, command: C, seen: impl FnOnce() + Send) -> bool;

    /// Waits for the hangup or the end, and says whether it came in time.
    fn wait_for_hangup(&mut self, at_most: Duration) -> bool;

    /// The same, asking in each interval.
    fn wait_for_hangup_polling(&mut self, interval: Duration, at_most: Duration) -> bool;

    /// Pairs replies again.
    fn resync(&mut self) -> Result<(), Error>;

    /// Whether a hangup is known.
    fn is_hung_up(&self) -> bool;

    /// Whether the end is known.
    fn is_closed(&self) -> bool;

    /// Ends the conversation.
    fn close(self) -> Result<(), Error>;
}

/// Where one Asterisk at a time connects.
#[derive(Debug)]
pub struct Port(TcpListener);

impl Port {
    /// A port of its own on the loopback interface.
    #[must_use]
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        // for `accept` it is a deadline, too
        socket2::SockRef::from(&listener).set_read_timeout(Some(HANG)).expect("Linux lets it");
        Self(listener)
    }

    /// What the dialplan calls.
    #[must_use]
    pub fn url(&self) -> String {
        format!("agi://{}/script", self.0.local_addr().expect("it is bound"))
    }

    /// Waits for a connection and its environment.
    pub fn accept<S: Script>(&self, tape: &Tape) -> S {
        S::start(self.accept_raw(), tape)
    }

    /// Waits for a connection.
    pub fn accept_raw(&self) -> TcpStream {
        let (stream, _) = self.0.accept().expect("Asterisk connects");
        stream.set_nodelay(true).expect("a socket");
        stream
    }
}

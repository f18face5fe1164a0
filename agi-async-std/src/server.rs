//! The FastAGI server: takes connections, and sees every call to its end.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use agi_proto::{Leniency, Limits};
use agi_smol::generic::{self, DEFAULT_ADDRESS, Options, Runtime};
use async_std::net::{TcpListener, ToSocketAddrs};
use async_std::task;

use crate::{Connection, Handler};

/// A FastAGI server.
///
/// ```no_run
/// use agi_async_std::{Channel, Error, Server};
///
/// async fn hello(mut channel: Channel) -> Result<(), Error> {
///     channel.answer().await?;
///     channel.stream_file("hello-world", "").await?;
///     Ok(())
/// }
///
/// # async fn example() -> std::io::Result<()> {
/// Server::bind("127.0.0.1:4573").await?.serve(hello).await
/// # }
/// ```
///
/// For each connection it waits for the environment within a [deadline](Self::environment_deadline), runs the
/// handler in a [task](task::spawn) of its own, and when the channel was dropped closes the connection so that Asterisk's
/// last `HANGUP` is still read. That is so whether the handler returned, failed, panicked (the other calls do
/// not notice) or was cancelled.
///
/// A handler's failure is logged with the channel and its unique id, unless it only says that the call
/// [is over](agi_proto::Error::is_hangup).
///
/// AGI knows no passwords, and whoever can connect can pretend to be a call. Listen on the loopback address,
/// or on a network without strangers.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    options: Options,
}

impl Server {
    /// Listens on an address.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self::from_listener)
    }

    /// Listens on 127.0.0.1:4573, the port that `AGI(agi://127.0.0.1/path)` means.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn bind_default() -> io::Result<Self> {
        Self::bind(DEFAULT_ADDRESS).await
    }

    /// Takes connections from a listener that is there already, such as one of systemd's.
    pub fn from_listener(listener: TcpListener) -> Self {
        Self { listener, options: Options::default() }
    }

    /// How much a peer may make us keep.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Which oddities of an environment are let pass.
    pub fn leniency(mut self, leniency: Leniency) -> Self {
        self.options.leniency = leniency;
        self
    }

    /// How long a new connection may take to send its whole environment. Asterisk sends it at once; 30
    /// seconds unless told otherwise.
    pub fn environment_deadline(mut self, deadline: Duration) -> Self {
        self.options.environment_deadline = deadline;
        self
    }

    /// How long to wait at the end of a call for Asterisk to close too: 5 seconds unless told otherwise.
    pub fn linger(mut self, deadline: Duration) -> Self {
        self.options.linger = deadline;
        self
    }

    /// How long [`serve_until`](Self::serve_until) lets calls go on at shutdown: 30 seconds unless told
    /// otherwise.
    pub fn drain(mut self, deadline: Duration) -> Self {
        self.options.drain = deadline;
        self
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves for ever. A connection that cannot be accepted is logged and survived.
    ///
    /// Dropping this cancels the handlers; their calls are still closed properly as long as the process
    /// goes on.
    pub async fn serve<H: Handler<Connection>>(self, handler: H) -> ! {
        self.serve_until(handler, pending()).await;
        unreachable!("what it served until never comes")
    }

    /// Serves until `shutdown` ends, then lets calls end: new connections are refused, running handlers have
    /// the time that [`drain`](Self::drain) gives, then they are cancelled and their calls closed properly.
    ///
    /// ```no_run
    /// # async fn hello(_: agi_async_std::Channel) -> Result<(), agi_async_std::Error> { Ok(()) }
    /// # async fn example(server: agi_async_std::Server) {
    /// let (stop, stopped) = async_channel::bounded::<()>(1);
    /// let shutdown = async {
    ///     let _ = stopped.recv().await;
    /// };
    /// server.serve_until(hello, shutdown).await;
    /// # drop(stop);
    /// # }
    /// ```
    pub async fn serve_until<H: Handler<Connection>>(self, handler: H, shutdown: impl Future<Output = ()>) {
        generic::serve_until::<AsyncStd, H>(self.listener, self.options, handler, shutdown).await;
    }
}

enum AsyncStd {}

impl Runtime for AsyncStd {
    type Listener = TcpListener;
    type Stream = Connection;

    async fn accept(listener: &TcpListener) -> io::Result<(Connection, SocketAddr)> {
        listener.accept().await.map(|(stream, peer)| (stream.into(), peer))
    }

    fn set_nodelay(stream: &Connection) -> io::Result<()> {
        stream.set_nodelay(true)
    }

    fn spawn(call: impl Future<Output = ()> + Send + 'static) {
        task::spawn(call);
    }
}

//! The FastAGI server: takes connections, and sees every call to its end.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use agi_proto::service::{Counters, Options};
use agi_smol::generic::{self, LOCAL, Runtime};
use async_std::net::{TcpListener, ToSocketAddrs};
use async_std::task;

use crate::{Channel, Connection, Handler};

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
/// * **A connection** must come from a network that is [allowed](Self::allow), and send its environment
///   [in time](Self::environment_timeout). One that is closed without a byte is no
///   fault: it is counted as a [`Probe`](crate::Ending::Probe).
/// * **A call** must be [admitted](Self::admit), and find fewer than [as many](Self::max_calls) others; else it
///   is [refused or waits](Self::when_full). Its handler runs in a [task](task::spawn) of its own.
/// * **When the handler has ended and its channel was dropped**, the dialplan is told
///   [how it went](Self::status_variable), and the connection is closed so that Asterisk's last `HANGUP` is still
///   read. That is so whether the handler returned, failed, panicked (the other calls do not notice) or was cancelled.
/// * **A machine that died** with its calls says nothing. So on Unix the system asks after a connection on which
///   nothing comes (`SO_KEEPALIVE`), at its own times, which are hours as a rule; then the call fails.
/// * **A handler's failure** is logged, unless it only says that the call
///   [is over](agi_proto::Error::is_hangup).
/// * **[Counters](Self::counters)** say at any time how many there are.
///
/// What it has to say goes to `tracing`, in a span `call` with the call's channel, unique id and script: at
/// the level of debugging also each command, its reply and how long that took, and with the target
/// `agi_smol::wire` at the level of traces the bytes.
///
/// AGI knows no passwords, and whoever can connect can pretend to be a call. Listen on the loopback address,
/// or on a network without strangers; the example `digest` of agi-tokio asks for a secret that both sides know.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    options: Options,
    counters: Arc<Counters>,
}

/// How it is told what to do.
impl Server {
    agi_proto::server_options!();
}

impl Server {
    /// Listens on an address, with the longest queue that the system allows.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        #[cfg(unix)]
        generic::lengthen_queue(&listener)?;
        Ok(Self::from_listener(listener))
    }

    /// Listens on 127.0.0.1:4573, the port that `AGI(agi://127.0.0.1/path)` means.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn bind_local() -> io::Result<Self> {
        Self::bind(LOCAL).await
    }

    /// Takes connections from a listener that is there already, such as one of systemd's. How many may wait
    /// in its queue is for whoever made it to say.
    pub fn from_listener(listener: TcpListener) -> Self {
        Self { listener, options: Options::default(), counters: Arc::default() }
    }

    /// How many connections were accepted and refused, are active, and ended in which way: to be kept, and
    /// read at any time.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
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
    pub async fn serve<A: 'static>(self, handler: impl Handler<Channel, A>) -> ! {
        self.serve_until(handler, pending()).await;
        unreachable!("what it served until never comes")
    }

    /// Serves until `shutdown` ends, then lets calls end: new connections are refused, running handlers have
    /// the time that [`shutdown_timeout`](Self::shutdown_timeout) gives, then they are cancelled and their
    /// calls closed properly.
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
    pub async fn serve_until<A: 'static>(
        self,
        handler: impl Handler<Channel, A>,
        shutdown: impl Future<Output = ()>,
    ) {
        let Self { listener, options, counters } = self;
        generic::serve_until::<AsyncStd, A>(listener, options, counters, handler, shutdown).await;
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

    fn keep_alive(stream: &Connection) -> io::Result<()> {
        #[cfg(unix)]
        generic::keep_alive(&**stream)?;
        #[cfg(not(unix))]
        let _ = stream;
        Ok(())
    }

    fn acknowledge(stream: &Connection) {
        #[cfg(unix)]
        generic::acknowledge(&**stream);
        #[cfg(not(unix))]
        let _ = stream;
    }

    fn spawn(call: impl Future<Output = ()> + Send + 'static) {
        task::spawn(call);
    }
}

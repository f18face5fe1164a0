//! The FastAGI server: takes connections, and sees every call to its end.

mod accept;
mod call;
mod calls;
mod cancel;
mod places;

use std::fmt;
use std::future::{Future, pending, ready};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

pub use self::calls::Calls;
use crate::driver::race::{Won, race};
use crate::runtime::yield_now;
use crate::{Channel, Counters, Handler, Options, Runtime, tcp};

/// The most connections that are still taken from the queue at the end: as many as Linux keeps there by default. More may
/// come meanwhile, as fast as they are taken.
const LAST: usize = 4096;

/// A FastAGI server.
///
/// ```no_run
/// use agi_tokio::{Channel, Error, Server};
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
///   [in time](Self::environment_timeout). One that is closed without a byte is not a fault: it is counted as a
///   [`Probe`](crate::CallOutcome::Probe). Connections that stay silent keep no call out: the oldest of them makes room.
/// * **A call** must be [admitted](Self::admit), and find fewer than [the most](Self::max_calls) others; otherwise it
///   [is refused or waits](Self::when_full). Its handler runs in a task of its own.
/// * **When the handler has ended and its channel was dropped**, the dialplan is told
///   [how it went](Self::status_variable), and the connection is closed so that Asterisk's last `HANGUP` is still read.
///   That is so whether the handler returned, failed, panicked (the other calls do not notice) or was cancelled.
/// * **A machine that died** with its calls says nothing. So the system asks after a silent connection
///   (`SO_KEEPALIVE`), at its own intervals, which are usually hours; then the call fails.
/// * **A handler's failure** is logged, unless it only says that the call [is over](agi_proto::Error::is_hangup).
/// * **[Counters](Self::counters)** can be read at any time.
///
/// The log goes to [`tracing`], in a span `call` with the call's channel, unique id and script: at the level `info` the
/// begin and the end of each call, at the level `debug` also each command with its reply and how long that took, and with
/// the target `agi::wire` at the level `trace` the bytes.
///
/// AGI has no passwords: whoever can connect can pretend to be a call. Listen on the loopback address, or on a network
/// without strangers; agi-tokio's example `digest` asks for a secret that both sides know.
pub struct Server<R: Runtime> {
    listener: R::Listener,
    options: Options,
    counters: Arc<Counters>,
}

/// Options.
impl<R: Runtime> Server<R> {
    crate::server_options!(self => self.options);
}

impl<R: Runtime> Server<R> {
    /// Listens on an address, with the longest queue that the system allows.
    ///
    /// A host name is resolved by the system, which blocks this thread meanwhile; an address is not.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[expect(clippy::unused_async, reason = "servers of other runtimes may have to wait for their listener")]
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::from_std(tcp::listen(address)?)
    }

    /// Listens on 127.0.0.1:4573, the port that `AGI(agi://127.0.0.1/path)` means.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    pub async fn bind_local() -> io::Result<Self> {
        Self::bind((Ipv4Addr::LOCALHOST, tcp::PORT)).await
    }

    /// Takes connections from a listener of std, such as one that systemd passed on; it may be blocking. The length of its
    /// queue is its maker's choice.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::from_listener(R::listener(listener)?))
    }

    /// Takes connections from a listener of the runtime. The length of its queue is its maker's choice.
    pub fn from_listener(listener: R::Listener) -> Self {
        Self { listener, options: Options::default(), counters: Arc::default() }
    }

    /// Returns the counters: how many connections were accepted and refused, are active, and ended in which way. They can
    /// be kept, and read at any time.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    /// Returns the address that the server listens on.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        R::local_addr(&self.listener)
    }

    /// Serves forever. A connection that cannot be accepted is logged and survived.
    ///
    /// Dropping this cancels the handlers; their calls are still closed properly as long as the runtime goes on.
    ///
    /// # Panics
    ///
    /// At once, in a runtime without timers.
    pub async fn serve<A: 'static>(self, handler: impl Handler<Channel<R::Connection>, A>) -> ! {
        self.serve_until(handler, pending()).await;
        unreachable!("a shutdown that never comes")
    }

    /// Serves until `shutdown` ends, then lets calls end: new connections are refused, running handlers have the time of
    /// [`shutdown_timeout`](Self::shutdown_timeout), then they are cancelled and their calls closed properly.
    ///
    /// ```no_run
    /// # async fn hello(_: agi_tokio::Channel) -> Result<(), agi_tokio::Error> { Ok(()) }
    /// # async fn example(server: agi_tokio::Server) {
    /// let shutdown = async {
    ///     let _ = tokio::signal::ctrl_c().await;
    /// };
    /// server.serve_until(hello, shutdown).await;
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// As [`serve`](Self::serve).
    pub async fn serve_until<A: 'static>(
        self,
        handler: impl Handler<Channel<R::Connection>, A>,
        shutdown: impl Future<Output = ()>,
    ) {
        // in a runtime without timers every call would panic
        drop(R::sleep(Duration::ZERO));
        let Self { listener, options, counters } = self;
        let calls = Calls::with_counters(options, handler, counters);
        let take = |(stream, peer, seat)| {
            if let Some(call) = calls.serve_connection(stream, peer, seat) {
                R::spawn(call);
            }
        };
        let mut shutdown = pin!(shutdown);
        // the shutdown comes first, because connections may never cease
        while let Won::Second(connection) =
            race(shutdown.as_mut(), pin!(accept::next::<R>(&listener, calls.places()))).await
        {
            take(connection);
            // the task that was begun, and the others of this thread, would wait as long as connections come
            yield_now().await;
        }
        // connections in the queue would be reset when the listener is closed
        for _ in 0..LAST {
            let next = pin!(accept::next::<R>(&listener, calls.places()));
            let Won::First(connection) = race(next, ready(())).await else { break };
            take(connection);
            yield_now().await;
        }
        drop(listener);
        calls.shutdown().await;
    }
}

impl<R: Runtime> fmt::Debug for Server<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.local_addr().ok())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

//! The FastAGI server: takes connections, and sees every call to its end.

mod accept;
mod call;
mod cancel;

use std::future::{Future, pending, ready};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use agi_proto::service::{Counters, Options};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs, lookup_host};
use tokio::sync::mpsc;
use tokio::task::coop::unconstrained;
use tokio::time::{sleep, timeout};

use self::accept::{LAST, Slot, Slots};
use self::call::{Call, Shared};
use self::cancel::{Cancel, Canceller};
use crate::race::{Won, race};
use crate::{BoxHandler, Channel, Handler};

/// The port that `AGI(agi://host/path)` means.
const PORT: u16 = 4573;

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
///   [in time](Self::environment_timeout). One that is closed without a byte is no
///   fault: it is counted as a [`Probe`](crate::Ending::Probe).
/// * **A call** must be [admitted](Self::admit), and find fewer than [as many](Self::max_calls) others; else it
///   is [refused or waits](Self::when_full). Its handler runs in a task of its own.
/// * **When the handler has ended and its channel was dropped**, the dialplan is told
///   [how it went](Self::status_variable), and the connection is closed so that Asterisk's last `HANGUP` is still
///   read. That is so whether the handler returned, failed, panicked (the other calls do not notice) or was cancelled.
/// * **A machine that died** with its calls says nothing. So on Unix the system asks after a connection on which
///   nothing comes (`SO_KEEPALIVE`), at its own times, which are hours as a rule; then the call fails.
/// * **A handler's failure** is logged, unless it only says that the call
///   [is over](agi_proto::Error::is_hangup).
/// * **[Counters](Self::counters)** say at any time how many there are.
///
/// What it has to say goes to [`tracing`], in a span `call` with the call's channel, unique id and script: at
/// the level of debugging also each command, its reply and how long that took, and with the target
/// `agi_tokio::wire` at the level of traces the bytes.
///
/// AGI knows no passwords, and whoever can connect can pretend to be a call. Listen on the loopback address,
/// or on a network without strangers; the example `digest` asks for a secret that both sides know.
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
        let mut refused = io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on");
        for address in lookup_host(address).await? {
            match accept::listen(address) {
                Ok(listener) => return Ok(Self::from_listener(listener)),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Listens on 127.0.0.1:4573, the port that `AGI(agi://127.0.0.1/path)` means.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn bind_local() -> io::Result<Self> {
        Self::bind((Ipv4Addr::LOCALHOST, PORT)).await
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
    /// Dropping this cancels the handlers; their calls are still closed properly as long as the runtime
    /// goes on.
    ///
    /// # Panics
    ///
    /// In a runtime without time (see [`enable_time`](tokio::runtime::Builder::enable_time)), at once.
    pub async fn serve<A: 'static>(self, handler: impl Handler<Channel, A>) -> ! {
        self.serve_until(handler, pending()).await;
        unreachable!("what it served until never comes")
    }

    /// Serves until `shutdown` ends, then lets calls end: new connections are refused, running handlers have
    /// the time that [`shutdown_timeout`](Self::shutdown_timeout) gives, then they are cancelled and their
    /// calls closed properly.
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
        handler: impl Handler<Channel, A>,
        shutdown: impl Future<Output = ()>,
    ) {
        // in a runtime without time every call would panic
        drop(sleep(Duration::ZERO));
        let Self { listener, options, counters } = self;
        let slots = Slots::new(&options);
        let handler = BoxHandler::new(handler);
        let shared = Arc::new(Shared { options, counters, handler, cancel: Cancel::default() });
        // a call that holds `running` is not over; once `cancel` is gone it is told to end
        let (running, mut over) = mpsc::channel::<()>(1);
        let cancel = Canceller(shared.clone());
        let take = |(stream, peer, slot): (TcpStream, SocketAddr, Slot)| {
            shared.counters.accept();
            if !shared.options.allows(peer.ip()) {
                shared.counters.refuse();
                tracing::warn!(%peer, "this peer may not connect");
                return;
            }
            let call = Call { peer, server: shared.clone(), running: running.clone() };
            tokio::spawn(call.run(stream, slot));
        };
        let mut shutdown = pin!(shutdown);
        // the shutdown comes first, for there may be no end of connections
        while let Won::Second(connection) = race(shutdown.as_mut(), pin!(slots.next(&listener))).await {
            take(connection);
        }
        // what is in the queue would be reset when the listener is closed
        for _ in 0..LAST {
            let next = pin!(unconstrained(slots.next(&listener)));
            let Won::First(connection) = race(next, ready(())).await else { break };
            take(connection);
        }
        drop((listener, running));
        if timeout(shared.options.shutdown_timeout, over.recv()).await.is_err() {
            tracing::warn!("calls are cancelled that did not end in time");
        }
        drop(cancel);
        over.recv().await;
    }
}

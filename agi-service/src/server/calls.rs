//! The calls of a server, or of a source of streams that is not a listener.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_listener::{Event, listener};

use super::call::Call;
use super::cancel::Cancel;
use super::places::{Places, Seat};
use crate::driver::race::within;
use crate::log::TARGET;
use crate::runtime::Carries;
use crate::{BoxHandler, Channel, Counters, Handler, Options, Transport, panics};

/// Serves streams that Asterisk speaks on as a [`Server`](crate::Server) serves connections, from wherever they come: a
/// listener of your own, a Unix socket, TLS, memory.
///
/// ```no_run
/// use agi_tokio::{Calls, Channel, Error, Options};
/// use tokio::net::{UnixListener, UnixStream};
///
/// async fn hello(mut channel: Channel<UnixStream>) -> Result<(), Error> {
///     channel.stream_file("hello-world", "").await.map(drop)
/// }
///
/// # async fn example(listener: UnixListener) -> std::io::Result<()> {
/// let calls = Calls::new(Options::default().max_calls(100), hello);
/// loop {
///     let (stream, _) = listener.accept().await?;
///     tokio::spawn(calls.serve(stream, ([127, 0, 0, 1], 0).into()));
/// }
/// # }
/// ```
///
/// Dropping it tells the handlers to end at once. Their calls are still closed properly as long as the futures of
/// [`serve`](Self::serve) are polled.
pub struct Calls<T: Transport> {
    shared: Arc<Shared<T>>,
}

/// The part that all calls share.
pub(super) struct Shared<T> {
    pub(super) options: Options,
    pub(super) counters: Arc<Counters>,
    pub(super) handler: BoxHandler<Channel<T>>,
    pub(super) places: Arc<Places>,
    pub(super) cancel: Cancel,
    /// How many calls there are, and the event that there are none.
    pub(super) active: AtomicUsize,
    pub(super) idle: Event,
}

impl<T: Transport + Send + 'static> Calls<T> {
    /// Makes ready to serve calls by a handler.
    pub fn new<A: 'static>(options: Options, handler: impl Handler<Channel<T>, A>) -> Self {
        Self::with_counters(options, handler, Arc::default())
    }

    pub(super) fn with_counters<A: 'static>(
        options: Options,
        handler: impl Handler<Channel<T>, A>,
        counters: Arc<Counters>,
    ) -> Self {
        panics::note_places();
        let places = Arc::new(Places::new(&options));
        let handler = BoxHandler::new(handler);
        let (cancel, active, idle) = (Cancel::default(), AtomicUsize::new(0), Event::new());
        Self { shared: Arc::new(Shared { options, counters, handler, places, cancel, active, idle }) }
    }

    /// Returns the counters: how many connections were accepted and refused, are active, and ended in which way. They can
    /// be kept, and read at any time.
    pub fn counters(&self) -> Arc<Counters> {
        self.shared.counters.clone()
    }

    /// Serves one stream from its environment to its end, as the options say, if the peer is
    /// [allowed](Options::allow). Run the future in a task of its own; dropping it cuts the call.
    ///
    /// The peer's address is for the admission, the log and the list of allowed networks.
    pub fn serve<S>(&self, stream: S, peer: SocketAddr) -> impl Future<Output = ()> + Send + use<T, S>
    where
        T::Runtime: Carries<S, Transport = T>,
    {
        let call = self.take(peer).map(|call| call.run(T::Runtime::carry(stream), None));
        async move {
            if let Some(call) = call {
                call.await;
            }
        }
    }

    /// Serves a connection that has a place in the lobby.
    pub(super) fn serve_connection(
        &self,
        transport: T,
        peer: SocketAddr,
        seat: Seat,
    ) -> Option<impl Future<Output = ()> + Send + use<T>> {
        let call = self.take(peer)?;
        let newcomer = self.shared.places.enter(seat, peer.ip());
        Some(call.run(transport, Some(newcomer)))
    }

    fn take(&self, peer: SocketAddr) -> Option<Call<T>> {
        self.shared.counters.accept();
        if !self.shared.options.allows(peer.ip()) {
            self.shared.counters.refuse();
            tracing::warn!(target: TARGET, %peer, "connection: this peer may not connect");
            return None;
        }
        Some(Call::new(self.shared.clone(), peer))
    }

    pub(super) fn places(&self) -> &Places {
        &self.shared.places
    }

    /// Waits until all calls have ended: for as long as [`shutdown_timeout`](Options::shutdown_timeout) says of their own
    /// accord, then they are cancelled and closed properly.
    pub async fn shutdown(self) {
        let limit = self.shared.options.shutdown_timeout;
        if within::<T::Runtime, _>(limit, self.idle()).await.is_none() {
            let calls = self.shared.active.load(Ordering::Acquire);
            tracing::warn!(target: TARGET, calls, after = ?limit, "shutdown: calls did not end in time, and are cancelled");
        }
        self.shared.cancel.tell();
        self.idle().await;
    }

    async fn idle(&self) {
        loop {
            listener!(self.shared.idle => idle);
            if self.shared.active.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl<T: Transport> Drop for Calls<T> {
    fn drop(&mut self) {
        self.shared.cancel.tell();
    }
}

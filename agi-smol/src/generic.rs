//! A server on whichever runtime has streams of [`futures_io`]. Not for use: it is shared by this crate's
//! server and agi-async-std's, and may change with any release.

mod accept;
mod call;

use std::convert::Infallible;
use std::future::{Future, ready};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
#[cfg(unix)]
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Arc;

use agi_proto::service::{Counters, Options};
use async_channel::bounded;
use futures_io::{AsyncRead, AsyncWrite};
use futures_lite::future::yield_now;

use self::accept::{LAST, Slot, Slots};
use self::call::Call;
use crate::race::{Won, race, within};
use crate::{BoxHandler, Channel, Handler};

/// The loopback address, and the port that `AGI(agi://host/path)` means.
pub const LOCAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 4573);

/// What a server has of its runtime.
pub trait Runtime: 'static {
    type Listener: Send + Sync;
    /// Closing it must end its writing side.
    type Stream: Stream;

    /// The next connection; it may be dropped at any time.
    fn accept(
        listener: &Self::Listener,
    ) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    fn set_nodelay(stream: &Self::Stream) -> io::Result<()>;

    /// By [`keep_alive`], where there are file descriptors.
    fn keep_alive(stream: &Self::Stream) -> io::Result<()>;

    /// By [`acknowledge`], where there are file descriptors.
    fn acknowledge(stream: &Self::Stream);

    /// Runs a call, whatever becomes of who began it.
    fn spawn(call: impl Future<Output = ()> + Send + 'static);
}

/// A connection.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Makes a listener's queue the longest that the system allows: it shortens what it is asked for.
///
/// # Errors
///
/// What the operating system says.
#[cfg(unix)]
pub fn lengthen_queue(listener: impl AsFd) -> io::Result<()> {
    Ok(rustix::net::listen(listener, i32::MAX)?)
}

/// Has the system ask after a peer of which nothing comes, at its own times: one whose machine died says nothing,
/// and its call would never end.
///
/// # Errors
///
/// What the operating system says.
#[cfg(unix)]
pub fn keep_alive(stream: impl AsFd) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_keepalive(stream, true)?)
}

/// Acknowledges what was received at once, where the system puts that off.
#[cfg(unix)]
pub fn acknowledge(stream: impl AsFd) {
    // where it fails the answer comes later, and that is all
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_quickack(stream, true);
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// Serves until `shutdown` ends, then lets calls end.
pub async fn serve_until<R: Runtime, A: 'static>(
    listener: R::Listener,
    options: Options,
    counters: Arc<Counters>,
    handler: impl Handler<Channel<R::Stream>, A>,
    shutdown: impl Future<Output = ()>,
) {
    let slots = Slots::new(&options);
    let (handler, options) = (BoxHandler::new(handler), Arc::new(options));
    // Nothing is ever sent. A call that holds `running` is not over; once `cancel` is gone it is told to end.
    let (running, over) = bounded::<Infallible>(1);
    let (cancel, cancelled) = bounded::<Infallible>(1);
    // whether it is a call
    let take = |(stream, peer, slot): (R::Stream, SocketAddr, Slot)| {
        counters.accept();
        if !options.allows(peer.ip()) {
            counters.refuse();
            tracing::warn!(%peer, "this peer may not connect");
            return false;
        }
        let call =
            Call { peer, options: options.clone(), counters: counters.clone(), cancelled: cancelled.clone() };
        let (handler, running) = (handler.clone(), running.clone());
        R::spawn(async move {
            call.run::<R>(stream, slot, handler).await;
            drop(running);
        });
        true
    };
    let mut shutdown = pin!(shutdown);
    // the shutdown comes first, for there may be no end of connections
    while let Won::Second(connection) = race(shutdown.as_mut(), pin!(slots.next::<R>(&listener))).await {
        if !take(connection) {
            // nor would other tasks of this thread have their turn, for nothing limits how many these are
            yield_now().await;
        }
    }
    // what is in the queue would be reset when the listener is closed
    for _ in 0..LAST {
        let Won::First(connection) = race(pin!(slots.next::<R>(&listener)), ready(())).await else { break };
        take(connection);
    }
    drop((listener, running, cancelled));
    if within(options.shutdown_timeout, over.recv()).await.is_none() {
        tracing::warn!("calls are cancelled that did not end in time");
    }
    drop(cancel);
    let _ = over.recv().await;
}

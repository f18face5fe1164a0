//! A server on whichever runtime has streams of [`futures_io`]. Not for use: it is shared by this crate's
//! server and agi-async-std's, and may change with any release.

mod accept;
mod call;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use agi_proto::{Leniency, Limits};
use async_channel::bounded;
use futures_io::{AsyncRead, AsyncWrite};

use self::call::Call;
use crate::channel::LINGER;
use crate::handler::Handler;
use crate::race::{Won, race, within};

/// Where a server listens unless told otherwise: the loopback address, and the port that
/// `AGI(agi://host/path)` means.
pub const DEFAULT_ADDRESS: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 4573);

/// What a server has of its runtime.
pub trait Runtime: 'static {
    type Listener: Send + Sync;
    /// Closing it must end its writing side.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection; it may be dropped at any time.
    fn accept(
        listener: &Self::Listener,
    ) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    fn set_nodelay(stream: &Self::Stream) -> io::Result<()>;

    /// Runs a call, whatever becomes of who began it.
    fn spawn(call: impl Future<Output = ()> + Send + 'static);
}

/// What can be said about a server.
#[derive(Clone, Debug)]
pub struct Options {
    pub limits: Limits,
    pub leniency: Leniency,
    pub environment_deadline: Duration,
    pub linger: Duration,
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            leniency: Leniency::default(),
            environment_deadline: Duration::from_secs(30),
            linger: LINGER,
            drain: Duration::from_secs(30),
        }
    }
}

/// Serves until `shutdown` ends, then lets calls end.
pub async fn serve_until<R: Runtime, H: Handler<R::Stream>>(
    listener: R::Listener,
    options: Options,
    handler: H,
    shutdown: impl Future<Output = ()>,
) {
    let drain = options.drain;
    let (handler, options) = (Arc::new(handler), Arc::new(options));
    // Nothing is ever sent. A call that holds `running` is not over; once `cancel` is gone it is told to end.
    let (running, over) = bounded::<Infallible>(1);
    let (cancel, cancelled) = bounded::<Infallible>(1);
    let mut shutdown = pin!(shutdown);
    // accepting comes first, for what is in the queue would be reset when the listener is closed
    while let Won::First((stream, peer)) = race(pin!(accept::next::<R>(&listener)), shutdown.as_mut()).await {
        let call = Call { options: options.clone(), cancelled: cancelled.clone(), running: running.clone() };
        R::spawn(call.run(stream, peer, handler.clone()));
    }
    drop((listener, running, cancelled));
    if within(drain, over.recv()).await.is_none() {
        tracing::warn!("calls are cancelled that did not end in time");
    }
    drop(cancel);
    let _ = over.recv().await;
}

//! Taking connections, whatever happens.

use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use agi_proto::service::{Options, WhenFull};
use async_io::Timer;
use async_lock::{Semaphore, SemaphoreGuardArc};

use super::Runtime;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How many calls are being refused at once, which takes until Asterisk has closed. Further ones wait.
const REFUSALS: usize = 1024;

/// How many more calls are taken.
pub(super) struct Slots {
    calls: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    when_full: WhenFull,
}

/// What a connection holds until it is closed.
pub(super) struct Slot {
    /// There was none for a call.
    pub(super) is_refusal: bool,
    _room: SemaphoreGuardArc,
}

impl Slots {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            calls: Arc::new(Semaphore::new(options.max_calls)),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            when_full: options.when_full,
        }
    }

    /// The next connection, and whether it is served. It may be dropped at any time.
    pub(super) async fn next<R: Runtime>(&self, listener: &R::Listener) -> (R::Stream, SocketAddr, Slot) {
        let waits = self.when_full == WhenFull::Wait;
        let room = if waits { &self.calls } else { &self.refusals };
        let room = room.acquire_arc().await;
        let (stream, peer) = next::<R>(listener).await;
        let slot = match self.calls.try_acquire_arc() {
            _ if waits => Slot { is_refusal: false, _room: room },
            Some(call) => Slot { is_refusal: false, _room: call },
            None => Slot { is_refusal: true, _room: room },
        };
        (stream, peer, slot)
    }
}

/// The next connection. It may be dropped at any time.
async fn next<R: Runtime>(listener: &R::Listener) -> (R::Stream, SocketAddr) {
    let mut pause = FIRST_PAUSE;
    loop {
        match R::accept(listener).await {
            Ok((stream, peer)) => {
                prepare::<R>(&stream);
                return (stream, peer);
            }
            // that connection is gone, and the next one may be there
            Err(error)
                if matches!(
                    error.kind(),
                    ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
                ) =>
            {
                tracing::debug!(%error, "a connection was gone before it was accepted");
            }
            // Too many open files, as a rule. The connection stays in the queue, so trying again at once
            // would spin until some call ends.
            Err(error) => {
                tracing::warn!(%error, ?pause, "no connection can be accepted");
                Timer::after(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Sets the options of a new connection.
fn prepare<R: Runtime>(stream: &R::Stream) {
    // A command is one small write, and it must not wait for the acknowledgement of the one before.
    if let Err(error) = R::set_nodelay(stream) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    if let Err(error) = R::keep_alive(stream) {
        tracing::debug!(%error, "SO_KEEPALIVE cannot be set");
    }
}

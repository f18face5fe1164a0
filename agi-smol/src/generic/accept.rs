//! Taking connections, whatever happens.

use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use agi_proto::service::{Options, WhenFull};
use async_io::Timer;
use async_lock::{Semaphore, SemaphoreGuardArc};

use super::Runtime;
use crate::race::{Won, race};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How many calls are being refused at once, which takes until Asterisk has closed. Further ones wait.
const REFUSALS: usize = 1024;
/// How many connections are still taken from the queue in the end: as many as Linux keeps there, unless told
/// otherwise. There may come more meanwhile, and as fast as they are taken.
pub(super) const LAST: usize = 4096;

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
        let mut slot = self.free().await;
        let (stream, peer) = next::<R>(listener).await;
        if slot.is_refusal {
            // a call may have ended meanwhile
            slot = self.call().unwrap_or(slot);
        }
        (stream, peer, slot)
    }

    /// The place that is free first: a call's, or where calls do not wait also one for being refused.
    async fn free(&self) -> Slot {
        if let Some(slot) = self.call() {
            return slot;
        }
        let call = pin!(self.calls.acquire_arc());
        match self.when_full {
            WhenFull::Wait => Slot { is_refusal: false, _room: call.await },
            WhenFull::Refuse => match race(call, pin!(self.refusals.acquire_arc())).await {
                Won::First(room) => Slot { is_refusal: false, _room: room },
                Won::Second(room) => Slot { is_refusal: true, _room: room },
            },
        }
    }

    /// A call's place, if one is free.
    fn call(&self) -> Option<Slot> {
        Some(Slot { is_refusal: false, _room: self.calls.try_acquire_arc()? })
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

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_once};

    use super::*;
    use crate::race::within;

    #[test]
    fn a_free_place_is_used_while_no_more_calls_can_be_refused() {
        let mut options = Options::default();
        options.max_calls = 1;
        let slots = Slots::new(&options);
        let refusals: Vec<_> = std::iter::from_fn(|| slots.refusals.try_acquire_arc()).collect();
        block_on(async {
            let first = poll_once(slots.free()).await.expect("a call's place is free");
            assert!(!first.is_refusal);

            // whichever is free first
            let mut second = pin!(slots.free());
            assert!(poll_once(second.as_mut()).await.is_none(), "none is free");
            drop(refusals);
            let second = within(Duration::from_secs(20), second).await.expect("a refusal's place is free");
            assert!(second.is_refusal);
            drop(first);
            assert!(!slots.free().await.is_refusal);
        });
    }
}

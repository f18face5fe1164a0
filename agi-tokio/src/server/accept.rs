//! Taking connections, whatever happens.

use std::io;
use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use agi_proto::service::{Options, WhenFull};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

#[cfg(unix)]
use crate::conversation::keep_alive;
use crate::race::{Won, race};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How many calls are being refused at once, which takes until Asterisk has closed. Further ones wait.
const REFUSALS: usize = 1024;
/// How many connections are still taken from the queue in the end: as many as Linux keeps there, unless told
/// otherwise. There may come more meanwhile, and as fast as they are taken.
pub(super) const LAST: usize = 4096;

/// Listens with the longest queue that the system allows: it shortens what it is asked for.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted server gets its port back though old connections linger. On Windows this would let others
    // take the port away.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(i32::MAX.unsigned_abs())
}

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
    _room: OwnedSemaphorePermit,
}

impl Slots {
    pub(super) fn new(options: &Options) -> Self {
        let calls = options.max_calls.min(Semaphore::MAX_PERMITS);
        Self {
            calls: Arc::new(Semaphore::new(calls)),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            when_full: options.when_full,
        }
    }

    /// The next connection, and whether it is served. It may be dropped at any time.
    pub(super) async fn next(&self, listener: &TcpListener) -> (TcpStream, SocketAddr, Slot) {
        let mut slot = self.free().await;
        let (stream, peer) = next(listener).await;
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
        let call = pin!(self.calls.clone().acquire_owned());
        let (room, is_refusal) = match self.when_full {
            WhenFull::Wait => (call.await, false),
            WhenFull::Refuse => match race(call, pin!(self.refusals.clone().acquire_owned())).await {
                Won::First(room) => (room, false),
                Won::Second(room) => (room, true),
            },
        };
        Slot { is_refusal, _room: room.expect("nobody closes a semaphore here") }
    }

    /// A call's place, if one is free.
    fn call(&self) -> Option<Slot> {
        let room = self.calls.clone().try_acquire_owned().ok()?;
        Some(Slot { is_refusal: false, _room: room })
    }
}

/// The next connection. It may be dropped at any time.
async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = FIRST_PAUSE;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                prepare(&stream);
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
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Sets the options of a new connection.
fn prepare(stream: &TcpStream) {
    // A command is one small write, and it must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    #[cfg(unix)]
    if let Err(error) = keep_alive(stream) {
        tracing::debug!(%error, "SO_KEEPALIVE cannot be set");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use std::future::poll_fn;
    use std::net::Ipv4Addr;
    use std::task::Poll;

    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_free_place_is_used_while_no_more_calls_can_be_refused() {
        let mut options = Options::default();
        options.max_calls = 1;
        let slots = Slots::new(&options);
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let _peers = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let refusals = slots.refusals.clone().try_acquire_many_owned(REFUSALS as u32).unwrap();
        let (_, _, first) = timeout(LONG, slots.next(&listener)).await.expect("it waits");
        assert!(!first.is_refusal);

        // whichever is free first
        let mut second = pin!(slots.next(&listener));
        assert!(poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx).is_pending())).await, "none is free");
        drop(refusals);
        let (_, _, second) = timeout(LONG, second).await.expect("it waits");
        assert!(second.is_refusal);
        drop(first);
        assert!(!slots.free().await.is_refusal);
    }
}

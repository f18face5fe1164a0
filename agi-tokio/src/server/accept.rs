//! Taking connections, whatever happens.

use std::io;
use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use agi_proto::service::{Options, WhenFull};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

#[cfg(unix)]
use crate::conversation::keep_alive;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How many calls are being refused at once, which takes until Asterisk has closed. Further ones wait.
const REFUSALS: usize = 1024;

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
        let waits = self.when_full == WhenFull::Wait;
        let room = if waits { &self.calls } else { &self.refusals };
        let room = room.clone().acquire_owned().await.expect("nobody closes a semaphore here");
        let (stream, peer) = next(listener).await;
        let slot = match self.calls.clone().try_acquire_owned() {
            _ if waits => Slot { is_refusal: false, _room: room },
            Ok(call) => Slot { is_refusal: false, _room: call },
            Err(_) => Slot { is_refusal: true, _room: room },
        };
        (stream, peer, slot)
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

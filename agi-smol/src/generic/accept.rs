//! Taking connections, whatever happens.

use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
use std::net::SocketAddr;
use std::time::Duration;

use async_io::Timer;

use super::Runtime;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The next connection. It may be dropped at any time.
pub(super) async fn next<R: Runtime>(listener: &R::Listener) -> (R::Stream, SocketAddr) {
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
}

//! Taking connections, whatever happens.

use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
use std::net::SocketAddr;
use std::time::Duration;

use super::places::{Places, Seat};
use crate::Runtime;
use crate::log::TARGET;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Waits for the next connection. It may be dropped at any time.
pub(super) async fn next<R: Runtime>(
    listener: &R::Listener,
    places: &Places,
) -> (R::Connection, SocketAddr, Seat) {
    let seat = places.seat().await;
    let mut pause = FIRST_PAUSE;
    loop {
        match R::accept(listener).await {
            Ok((stream, peer)) => return (stream, peer, seat),
            // that connection is gone, and the next one may be there
            Err(error)
                if matches!(
                    error.kind(),
                    ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
                ) =>
            {
                tracing::debug!(target: TARGET, %error, "accept: the connection was gone already");
            }
            // Usually too many open files. The connection stays in the queue, so trying again at once would spin until
            // some call ends.
            Err(error) => {
                let evicted = places.evict_oldest();
                tracing::warn!(target: TARGET, %error, ?pause, evicted, "accept: no connection can be taken");
                R::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

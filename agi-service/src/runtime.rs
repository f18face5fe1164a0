//! What the driver needs of a runtime.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::Transport;

/// An async runtime: timers, tasks and listeners. Each adapter implements it for its own.
pub trait Runtime: Sized + Send + Sync + 'static {
    /// A timer that is running.
    type Sleep: Future<Output = ()> + Send;
    /// A TCP listener.
    type Listener: Send + Sync + 'static;
    /// A TCP connection that was accepted.
    type Connection: Transport<Runtime = Self> + Send + 'static;

    /// Starts a timer.
    ///
    /// # Panics
    ///
    /// If the runtime has no timers.
    fn sleep(duration: Duration) -> Self::Sleep;

    /// Returns the time by the clock of the timers.
    fn now() -> Instant {
        Instant::now()
    }

    /// Starts a task that runs to its end, even if nobody waits for it.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);

    /// Makes a listener of one that is non-blocking.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn listener(listener: std::net::TcpListener) -> io::Result<Self::Listener>;

    /// Returns the address that a listener is bound to.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn local_addr(listener: &Self::Listener) -> io::Result<SocketAddr>;

    /// Waits for the next connection, and sets its options by [`prepare`](crate::tcp::prepare). It may be dropped at any
    /// time.
    fn accept(
        listener: &Self::Listener,
    ) -> impl Future<Output = io::Result<(Self::Connection, SocketAddr)>> + Send;
}

/// A runtime that makes a [`Transport`] of a user's stream of type `S`.
pub trait Carries<S>: Runtime {
    /// The transport.
    type Transport: Transport<Stream = S, Runtime = Self>;

    /// Wraps a stream.
    fn carry(stream: S) -> Self::Transport;
}

/// A runtime that makes a [`Transport`] of a TCP stream of type `S`.
pub trait CarriesTcp<S>: Carries<S> {
    /// Wraps a TCP stream and sets its options by [`prepare`](crate::tcp::prepare).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn carry_tcp(stream: S) -> io::Result<Self::Transport>;
}

/// Lets the other tasks of this thread have their turn.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

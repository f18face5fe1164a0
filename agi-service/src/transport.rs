//! The bytes of one conversation, whatever carries them.

use std::io;
use std::task::{Context, Poll};

use crate::Runtime;

/// A stream of bytes between Asterisk and a [`Channel`](crate::Channel): the poll methods that the driver needs.
///
/// Each adapter implements it for the streams of its runtime. Implement it for a transport of your own that is not
/// such a stream.
pub trait Transport: Unpin {
    /// The user's own stream inside.
    type Stream;
    /// The runtime that has the timers.
    type Runtime: Runtime;

    /// Reads once, into space that exists only during this call, and passes the bytes to `take` together with whether
    /// they filled that space. Returns how many there were; 0 is the end of the stream, at which `take` is not called.
    ///
    /// A channel waits for most of its life. The space is the transport's so that nothing is kept meanwhile.
    fn poll_read(&mut self, cx: &mut Context<'_>, take: impl FnOnce(&[u8], bool)) -> Poll<io::Result<usize>>;

    /// Writes some bytes, and returns how many.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Sends what lies in a buffer of the stream's own.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends our direction and leaves the other one open: Asterisk learns that the script is done.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Acknowledges at once what was received, if the stream is TCP. Asterisk writes some things in two pieces, and the
    /// second one waits until the first is acknowledged, which Linux delays by 40 ms.
    fn acknowledge(&self) {}

    /// Returns the stream inside.
    fn stream(&self) -> &Self::Stream;

    /// Returns the stream inside.
    fn stream_mut(&mut self) -> &mut Self::Stream;

    /// Returns the stream inside, and drops the rest.
    fn into_stream(self) -> Self::Stream;
}

/// The error of a read by which a transport reports a hangup that it learned of beside its bytes, such as a signal. The
/// stream is read on afterwards.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the caller hung up")]
pub struct HangupSignal;

impl HangupSignal {
    pub(crate) fn is(error: &io::Error) -> bool {
        matches!(error.get_ref(), Some(inner) if inner.is::<Self>())
    }
}

impl From<HangupSignal> for io::Error {
    fn from(signal: HangupSignal) -> Self {
        Self::new(io::ErrorKind::Interrupted, signal)
    }
}

/// Returns whether an error means that the peer has left, which is how a conversation ends if Asterisk closes while a
/// command is on its way to it.
pub fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

//! Streams of futures-io, for the runtimes that have such streams.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::{Runtime, Transport};

/// The most bytes of one read: an environment or a reply usually comes by one.
const READ: usize = 1024;

/// A stream of futures-io, as a [`Transport`]. Its [`poll_close`](AsyncWrite::poll_close) must end its writing side: that is
/// how Asterisk learns that the script is done.
pub struct FuturesIo<S, R> {
    stream: S,
    acknowledge: fn(&S),
    runtime: PhantomData<fn() -> R>,
}

impl<S, R> FuturesIo<S, R> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Self {
        Self { stream, acknowledge: |_| {}, runtime: PhantomData }
    }

    /// Wraps such a stream over TCP, by the function that acknowledges what came.
    pub fn tcp(stream: S, acknowledge: fn(&S)) -> Self {
        Self { stream, acknowledge, runtime: PhantomData }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, R: Runtime> Transport for FuturesIo<S, R> {
    type Stream = S;
    type Runtime = R;

    fn poll_read(&mut self, cx: &mut Context<'_>, take: impl FnOnce(&[u8], bool)) -> Poll<io::Result<usize>> {
        let mut space = [0; READ];
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut space))?;
        if read > 0 {
            take(&space[..read], read == READ);
        }
        Poll::Ready(Ok(read))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }

    fn acknowledge(&self) {
        (self.acknowledge)(&self.stream);
    }

    fn stream(&self) -> &S {
        &self.stream
    }

    fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    fn into_stream(self) -> S {
        self.stream
    }
}

impl<S: fmt::Debug, R> fmt::Debug for FuturesIo<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FuturesIo").field("stream", &self.stream).finish_non_exhaustive()
    }
}

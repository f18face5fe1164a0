//! Streams of tokio, and tokio itself, for the driver.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use agi_service::{Carries, CarriesTcp, Runtime, Transport, tcp};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The most bytes of one read: an environment or a reply usually comes by one.
const READ: usize = 2048;

/// Tokio, as a [`Runtime`].
#[derive(Clone, Copy, Debug)]
pub struct Tokio;

/// A stream of tokio, as a [`Transport`].
#[derive(Debug)]
pub struct TokioIo<S> {
    stream: S,
    acknowledge: fn(&S),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport for TokioIo<S> {
    type Stream = S;
    type Runtime = Tokio;

    fn poll_read(&mut self, cx: &mut Context<'_>, take: impl FnOnce(&[u8], bool)) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); READ];
        let mut buf = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
        let bytes = buf.filled();
        if !bytes.is_empty() {
            take(bytes, bytes.len() == READ);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
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

impl Runtime for Tokio {
    type Sleep = tokio::time::Sleep;
    type Listener = TcpListener;
    type Connection = TokioIo<TcpStream>;

    fn sleep(duration: Duration) -> Self::Sleep {
        tokio::time::sleep(duration)
    }

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    fn listener(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::from_std(listener)
    }

    fn local_addr(listener: &TcpListener) -> io::Result<SocketAddr> {
        listener.local_addr()
    }

    async fn accept(listener: &TcpListener) -> io::Result<(Self::Connection, SocketAddr)> {
        let (stream, peer) = listener.accept().await?;
        Ok((Self::carry_tcp(stream)?, peer))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Carries<S> for Tokio {
    type Transport = TokioIo<S>;

    fn carry(stream: S) -> TokioIo<S> {
        TokioIo { stream, acknowledge: |_| {} }
    }
}

impl CarriesTcp<TcpStream> for Tokio {
    fn carry_tcp(stream: TcpStream) -> io::Result<TokioIo<TcpStream>> {
        tcp::prepare(&stream)?;
        Ok(TokioIo { stream, acknowledge: |stream| tcp::acknowledge(stream) })
    }
}

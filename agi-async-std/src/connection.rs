//! A connection that can be closed on one side.

use std::io;
use std::net::Shutdown;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_std::net::TcpStream;
use futures_io::{AsyncRead, AsyncWrite};

/// A TCP connection whose close ends its writing side.
///
/// That of async-std's own [`TcpStream`] only flushes: Asterisk would not learn that the script is done, and
/// a [`Channel`](crate::Channel) over it would wait in vain for Asterisk to close.
///
/// ```no_run
/// # async fn example(stream: async_std::net::TcpStream) -> Result<(), agi_async_std::Error> {
/// use agi_async_std::{ChannelBuilder, Connection};
///
/// if let Some(mut channel) = ChannelBuilder::new().start_tcp(Connection::from(stream)).await? {
///     channel.answer().await?;
///     channel.close().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Connection(TcpStream);

impl From<TcpStream> for Connection {
    fn from(stream: TcpStream) -> Self {
        Self(stream)
    }
}

impl From<Connection> for TcpStream {
    fn from(connection: Connection) -> Self {
        connection.0
    }
}

impl Deref for Connection {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.0
    }
}

/// For [`ChannelBuilder::start_tcp`](crate::ChannelBuilder::start_tcp).
#[cfg(unix)]
impl std::os::fd::AsFd for Connection {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shutdown(Shutdown::Write))
    }
}

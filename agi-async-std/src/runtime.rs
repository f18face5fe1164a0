//! async-std for the driver.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use agi_service::{Carries, CarriesTcp, FuturesIo, Runtime, tcp};
use async_io::Timer;
use async_std::net::TcpListener;
use async_std::task;
use futures_io::{AsyncRead, AsyncWrite};

use crate::Connection;

/// async-std, as a [`Runtime`].
#[derive(Clone, Copy, Debug)]
pub struct AsyncStd;

/// A timer as a future without an output.
#[derive(Debug)]
pub struct Sleep(Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

impl Runtime for AsyncStd {
    type Sleep = Sleep;
    type Listener = TcpListener;
    type Connection = FuturesIo<Connection, Self>;

    fn sleep(duration: Duration) -> Sleep {
        Sleep(Timer::after(duration))
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        task::spawn(task);
    }

    fn listener(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        Ok(listener.into())
    }

    fn local_addr(listener: &TcpListener) -> io::Result<SocketAddr> {
        listener.local_addr()
    }

    async fn accept(listener: &TcpListener) -> io::Result<(Self::Connection, SocketAddr)> {
        let (stream, peer) = listener.accept().await?;
        Ok((Self::carry_tcp(stream.into())?, peer))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Carries<S> for AsyncStd {
    type Transport = FuturesIo<S, Self>;

    fn carry(stream: S) -> Self::Transport {
        FuturesIo::new(stream)
    }
}

impl CarriesTcp<Connection> for AsyncStd {
    fn carry_tcp(stream: Connection) -> io::Result<Self::Transport> {
        tcp::prepare(&stream)?;
        Ok(FuturesIo::tcp(stream, tcp::acknowledge))
    }
}

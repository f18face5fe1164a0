//! Smol for the driver.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use agi_service::{Carries, CarriesTcp, FuturesIo, Runtime, tcp};
use futures_io::{AsyncRead, AsyncWrite};
use smol::Timer;
use smol::net::{TcpListener, TcpStream};

/// Smol, as a [`Runtime`].
#[derive(Clone, Copy, Debug)]
pub struct Smol;

/// A timer as a future without an output.
#[derive(Debug)]
pub struct Sleep(Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

impl Runtime for Smol {
    type Sleep = Sleep;
    type Listener = TcpListener;
    type Connection = FuturesIo<TcpStream, Self>;

    fn sleep(duration: Duration) -> Sleep {
        Sleep(Timer::after(duration))
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }

    fn listener(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        Ok(smol::Async::new(listener)?.into())
    }

    fn local_addr(listener: &TcpListener) -> io::Result<SocketAddr> {
        listener.local_addr()
    }

    async fn accept(listener: &TcpListener) -> io::Result<(Self::Connection, SocketAddr)> {
        let (stream, peer) = listener.accept().await?;
        Ok((Self::carry_tcp(stream)?, peer))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Carries<S> for Smol {
    type Transport = FuturesIo<S, Self>;

    fn carry(stream: S) -> Self::Transport {
        FuturesIo::new(stream)
    }
}

impl CarriesTcp<TcpStream> for Smol {
    fn carry_tcp(stream: TcpStream) -> io::Result<Self::Transport> {
        tcp::prepare(&stream)?;
        Ok(FuturesIo::tcp(stream, tcp::acknowledge))
    }
}

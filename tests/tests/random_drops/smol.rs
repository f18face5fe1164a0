//! Over agi-smol.

use std::io;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::smol::block_on;
use ::smol::future::or;
use ::smol::io::{AsyncRead, AsyncWrite};
use ::smol::net::unix::UnixStream as AsyncStream;
use agi_proto::Command;
use agi_smol::{Channel, ChannelBuilder};
use fastrand::Rng;

use super::sockets::{Error, Line, sip, ten_thousand_drops};

/// A socket that takes a few bytes at a time.
struct Sipping(AsyncStream, Rng);

impl AsyncRead for Sipping {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Sipping {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let length = sip(buf, &mut self.1);
        Pin::new(&mut self.0).poll_write(cx, &buf[..length])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

impl Line for Channel<Sipping> {
    fn start(stream: UnixStream, random: Rng) -> Self {
        let stream = AsyncStream::try_from(stream).unwrap();
        block_on(ChannelBuilder::new().start(Sipping(stream, random))).unwrap().unwrap()
    }

    fn call_for<C: Command>(&mut self, command: C, time: Duration) -> Option<Result<C::Reply, Error>> {
        let reply = async { Some(self.call(command).await) };
        let limit = async {
            ::smol::Timer::after(time).await;
            None
        };
        block_on(or(reply, limit))
    }

    fn resync(&mut self) -> Result<(), Error> {
        block_on(Channel::resync(self))
    }

    fn close(self) -> Result<(), Error> {
        block_on(Channel::close(self))
    }
}

#[test]
fn ten_thousand_drops_over_smol() {
    ten_thousand_drops::<Channel<Sipping>>("smol");
}

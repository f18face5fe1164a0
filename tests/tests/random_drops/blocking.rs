//! Over agi-blocking.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use agi_blocking::{Channel, ChannelBuilder, Stream};
use agi_proto::Command;
use fastrand::Rng;

use super::sockets::{Error, Line, sip, ten_thousand_drops};

/// A socket that takes a few bytes at a time.
struct Sipping(UnixStream, Rng);

impl Read for Sipping {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Sipping {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let length = sip(buf, &mut self.1);
        self.0.write(&buf[..length])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Sipping {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        Stream::set_read_timeout(&mut self.0, timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        Stream::set_write_timeout(&mut self.0, timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.shutdown_write()
    }
}

impl Line for Channel<Sipping> {
    fn start(stream: UnixStream, random: Rng) -> Self {
        ChannelBuilder::new().start(Sipping(stream, random)).unwrap().unwrap()
    }

    fn call_for<C: Command>(&mut self, command: C, time: Duration) -> Option<Result<C::Reply, Error>> {
        self.call_timeout(command, time).transpose()
    }

    fn resync(&mut self) -> Result<(), Error> {
        self.resync()
    }

    fn close(mut self) -> Result<(), Error> {
        Channel::close(&mut self)
    }
}

#[test]
fn ten_thousand_drops_over_blocking() {
    ten_thousand_drops::<Channel<Sipping>>("blocking");
}

//! A channel over a transport that fails.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use agi_blocking::{Channel, Error, Stream};

use self::pbx::Pbx;

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(20);

/// A socket of which one read or one write fails, once there is a call.
struct Failing {
    stream: UnixStream,
    /// So many reads and writes are good before that.
    reads: Option<usize>,
    writes: Option<usize>,
}

fn count(left: &mut Option<usize>) -> io::Result<()> {
    *left = match *left {
        Some(0) => None,
        Some(left) => Some(left - 1),
        None => return Ok(()),
    };
    if left.is_none() { Err(io::Error::other("a bad cable")) } else { Ok(()) }
}

impl Read for Failing {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        count(&mut self.reads)?;
        self.stream.read(buf)
    }
}

impl Write for Failing {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        count(&mut self.writes)?;
        self.stream.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Stream for Failing {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        UnixStream::set_read_timeout(&self.stream, timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.stream.shutdown_write()
    }
}

#[test]
fn a_transport_that_failed_is_not_used_again() {
    for (reads, writes) in [(Some(2), None), (None, Some(1))] {
        let (stream, theirs) = UnixStream::pair().expect("a pair of sockets");
        theirs.set_read_timeout(Some(LONG)).expect("a socket");
        let pbx = thread::spawn(move || {
            let mut pbx = Pbx::begin(theirs);
            pbx.expect("NOOP").respond("200 result=0");
            while pbx.next().is_some() {}
        });
        let mut channel = Channel::start(Failing { stream, reads, writes }).unwrap().unwrap();
        channel.noop().expect("answered");
        assert!(matches!(channel.noop(), Err(Error::Io(_))));
        assert!(matches!(channel.noop(), Err(Error::Closed)), "it would be waited for without an end");
        drop(channel);
        pbx.join().expect("the script went as written");
    }
}

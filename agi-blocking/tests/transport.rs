//! A channel over a transport that fails.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use agi_blocking::agi_proto::commands::{Noop, SetVariable};
use agi_blocking::{Channel, ChannelBuilder, Error, Stream};
use rustix::net::sockopt::set_socket_send_buffer_size;

use self::pbx::Pbx;

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(20);

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

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        UnixStream::set_write_timeout(&self.stream, timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.stream.shutdown_write()
    }
}

/// A socket that may be full for whoever waits only so long, and counts how often it is told how long.
struct Full {
    stream: UnixStream,
    is_full: bool,
    limit: Option<Duration>,
    told: Arc<AtomicUsize>,
}

impl Read for Full {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buf)
    }
}

impl Write for Full {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self.limit {
            Some(_) if self.is_full => Err(ErrorKind::WouldBlock.into()),
            _ => self.stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Stream for Full {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        UnixStream::set_read_timeout(&self.stream, timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.told.fetch_add(1, Ordering::Relaxed);
        self.limit = timeout;
        Ok(())
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.stream.shutdown_write()
    }
}

/// A socket behind a buffer, which is written when it is flushed.
struct Buffered(BufWriter<UnixStream>);

impl Read for Buffered {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.get_mut().read(buf)
    }
}

impl Write for Buffered {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Buffered {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        UnixStream::set_read_timeout(self.0.get_ref(), timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        UnixStream::set_write_timeout(self.0.get_ref(), timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.flush()?;
        self.0.get_mut().shutdown_write()
    }
}

/// A channel over this transport, and a PBX that answers whatever it is asked. It gives how much it was asked.
fn with_answers<S: Stream>(
    transport: impl FnOnce(UnixStream) -> S,
    test: impl FnOnce(&mut Channel<S>),
) -> usize {
    let (stream, theirs) = UnixStream::pair().expect("a pair of sockets");
    theirs.set_read_timeout(Some(LONG)).expect("a socket");
    let pbx = thread::spawn(move || {
        let mut pbx = Pbx::over(theirs).begin("menu?lang=de");
        let mut asked = 0;
        while pbx.next_line().is_some() {
            pbx.respond("200 result=0");
            asked += 1;
        }
        asked
    });
    let mut channel = ChannelBuilder::new().start(transport(stream)).unwrap().unwrap();
    test(&mut channel);
    drop(channel);
    pbx.join().expect("no reset")
}

#[test]
fn the_limit_of_an_earlier_call_is_no_other_calls() {
    let full = |stream| Full { stream, is_full: true, limit: None, told: Arc::default() };
    let asked = with_answers(full, |channel| {
        assert_eq!(channel.call_timeout(Noop::new(), SHORT).expect("no error"), None);
        channel.noop().expect("answered");
    });
    assert_eq!(asked, 1, "nothing was written of the first");
}

#[test]
fn a_stream_is_hardly_ever_told_how_long_to_write() {
    let told = Arc::new(AtomicUsize::new(0));
    let free = |stream| Full { stream, is_full: false, limit: None, told: told.clone() };
    with_answers(free, |channel| {
        for _ in 0..1000 {
            assert_eq!(channel.call_timeout(Noop::new(), LONG).expect("no error"), Some(()));
            assert_eq!(channel.call_timeout(Noop::new(), LONG * 2).expect("no error"), Some(()));
            channel.noop().expect("answered");
        }
    });
    // once more for each time when the test itself had to wait for longer than ever before
    assert!(told.load(Ordering::Relaxed) < 100);
}

#[test]
fn what_is_not_flushed_in_time_is_flushed_later() {
    let (tell, told) = mpsc::channel();
    let (stream, theirs) = UnixStream::pair().expect("a pair of sockets");
    theirs.set_read_timeout(Some(LONG)).expect("a socket");
    set_socket_send_buffer_size(&stream, 1).expect("the least there is");
    let value = "x".repeat(8000);
    let line = format!(r#"SET VARIABLE "LONG" "{value}""#);
    let pbx = thread::spawn(move || {
        let mut pbx = Pbx::over(theirs).begin("menu?lang=de");
        told.recv_timeout(LONG).expect("it waits for ever to write");
        pbx.expect(&line).respond("200 result=1").expect("NOOP").respond("200 result=0");
        told.recv_timeout(LONG).expect("it waits for ever to write");
    });
    let mut channel = ChannelBuilder::new().start(Buffered(BufWriter::new(stream))).unwrap().unwrap();
    let long = || SetVariable::new("LONG", &value);
    assert_eq!(channel.call_timeout(long(), SHORT).expect("no error"), None);
    tell.send(()).expect("the script waits");
    channel.noop().expect("answered");
    assert_eq!(channel.call_timeout(long(), SHORT).expect("no error"), None);
    let error = channel.close_within(SHORT).expect_err("it takes nothing");
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut));
    tell.send(()).expect("the script waits");
    pbx.join().expect("the script went as written");
}

#[test]
fn a_transport_that_failed_is_not_used_again() {
    for (reads, writes) in [(Some(2), None), (None, Some(1))] {
        let (stream, theirs) = UnixStream::pair().expect("a pair of sockets");
        theirs.set_read_timeout(Some(LONG)).expect("a socket");
        let pbx = thread::spawn(move || {
            let mut pbx = Pbx::over(theirs).begin("menu?lang=de");
            pbx.expect("NOOP").respond("200 result=0");
            while pbx.next_line().is_some() {}
        });
        let mut channel = ChannelBuilder::new().start(Failing { stream, reads, writes }).unwrap().unwrap();
        channel.noop().expect("answered");
        assert!(matches!(channel.noop(), Err(Error::Io(_))));
        assert!(matches!(channel.noop(), Err(Error::Closed)), "it would be waited for without an end");
        drop(channel);
        pbx.join().expect("the script went as written");
    }
}

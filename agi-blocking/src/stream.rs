//! What a channel needs of its transport.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use agi_service::tcp;

/// A blocking transport: bytes both ways, time limits for reads and writes, and an end of its own direction.
///
/// Sockets are one. Anything else that reads and writes can be one by these three methods, or inside
/// [`NoTimeouts`] without them.
pub trait Stream: Read + Write {
    /// Makes a read fail with [`WouldBlock`](io::ErrorKind::WouldBlock) or
    /// [`TimedOut`](io::ErrorKind::TimedOut) after so long without a byte; `None` waits for ever. The
    /// duration is never zero.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) where reads cannot be limited: calls then work as far
    /// as they have no deadline.
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Makes a write or a flush fail in the same way after so long in which the peer took nothing more; what it
    /// took before is told as written. `None` waits for ever. The duration is never zero.
    ///
    /// A peer that takes nothing must not hold up a call that has a deadline. A write that does not have to wait may
    /// ignore the limit.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) where writes cannot be limited: calls then work as far
    /// as they have no deadline.
    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Tells the peer that nothing more will be written, and leaves the other direction open: what
    /// [`Channel::close`](crate::Channel::close) does first, so that Asterisk's last words do not meet a
    /// closed socket.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) where one direction cannot end alone.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// Acknowledges what was received at once, where the stream knows such a thing; otherwise it does nothing.
    ///
    /// Asterisk writes some answers in two pieces, and over TCP the second one waits until the first is
    /// acknowledged, which Linux puts off for 40 ms unless told otherwise.
    fn acknowledge(&mut self) {}

    /// Whether the transport has been told of a hangup beside its bytes since this was last asked, as a
    /// program that Asterisk runs itself is [by a signal](crate::process). A read that waits then ends with
    /// [`Interrupted`](io::ErrorKind::Interrupted). Sockets never are.
    fn take_hangup(&mut self) -> bool {
        false
    }
}

/// Any reader and writer as a [`Stream`], without time limits and without an end of one direction.
///
/// Commands work as over a socket. What needs a time limit
/// ([`Channel::call_timeout`](crate::Channel::call_timeout),
/// [`Channel::wait_for_hangup`](crate::Channel::wait_for_hangup) with one) is an
/// [`Unsupported`](io::ErrorKind::Unsupported) error, and
/// [`Channel::close`](crate::Channel::close) waits for nothing.
///
/// ```
/// use std::io::{self, Read, Write};
/// use agi_blocking::{ChannelBuilder, NoTimeouts};
///
/// fn serve<S: Read + Write>(stream: S) -> Result<(), agi_blocking::Error> {
///     let Some(mut channel) = ChannelBuilder::new().start(NoTimeouts(stream))? else { return Ok(()) };
///     channel.verbose("over a transport of one's own")
/// }
/// # let _ = serve::<std::net::TcpStream>;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTimeouts<S>(
    /// The reader and writer.
    pub S,
);

impl<S: Read> Read for NoTimeouts<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<S: Write> Write for NoTimeouts<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<S: Read + Write> Stream for NoTimeouts<S> {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match timeout {
            None => Ok(()),
            Some(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

macro_rules! socket {
    ($($(#[$attribute:meta])* $socket:ty: $acknowledge:expr),*) => {$(
        $(#[$attribute])*
        impl Stream for $socket {
            fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                <$socket>::set_read_timeout(self, timeout)
            }

            fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                <$socket>::set_write_timeout(self, timeout)
            }

            fn shutdown_write(&mut self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }

            fn acknowledge(&mut self) {
                $acknowledge(self);
            }
        }

        /// The time limits are the socket's, so they are shared with every other user of it.
        $(#[$attribute])*
        impl Stream for &$socket {
            fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                <$socket>::set_read_timeout(self, timeout)
            }

            fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                <$socket>::set_write_timeout(self, timeout)
            }

            fn shutdown_write(&mut self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }

            fn acknowledge(&mut self) {
                $acknowledge(self);
            }
        }
    )*};
}

socket!(
    TcpStream: |stream: &TcpStream| tcp::acknowledge(stream),
    #[cfg(unix)]
    UnixStream: |_| {}
);

impl<S: Stream + ?Sized> Stream for &mut S {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        (**self).set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        (**self).set_write_timeout(timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        (**self).shutdown_write()
    }

    fn acknowledge(&mut self) {
        (**self).acknowledge();
    }

    fn take_hangup(&mut self) -> bool {
        (**self).take_hangup()
    }
}

/// `Channel<Box<dyn Stream>>` is a channel over whichever transport there is.
impl<S: Stream + ?Sized> Stream for Box<S> {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        (**self).set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        (**self).set_write_timeout(timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        (**self).shutdown_write()
    }

    fn acknowledge(&mut self) {
        (**self).acknowledge();
    }

    fn take_hangup(&mut self) -> bool {
        (**self).take_hangup()
    }
}

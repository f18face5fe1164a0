//! Standard input and output as the transport of a channel.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::guard::Guard;
use super::hangup::{Hangup, Ready, wait, writable};
use crate::Stream;

/// A pipe that can be written to takes so much without waiting.
const PIPE_BUF: usize = 4096;

/// Standard input and output, and SIGHUP: what the conversation of a program that Asterisk runs goes over.
///
/// Taking it puts other things in their place, see [the module](super); dropping it puts them back, unless the
/// channel was [closed](crate::Channel::close). [`run`](super::run) does all of it. Who wants limits or
/// leniencies of their own begins with this:
///
/// ```no_run
/// use agi_blocking::process::Stdio;
/// use agi_blocking::{Channel, ChannelBuilder, Error, Leniency, Limits};
///
/// fn main() -> Result<(), Error> {
///     let stdio = Stdio::take().map_err(Error::Io)?;
///     let Some(mut channel) = ChannelBuilder::new().leniency(Leniency::ALL).start(stdio)? else {
///         return Ok(());
///     };
///     channel.verbose("at your service")?;
///     channel.close()
/// }
/// ```
///
/// Any kind of descriptor will do, so a program can be tried by hand: a terminal, a file, a socket.
#[derive(Debug)]
pub struct Stdio {
    // dropped first, so that prints stay away while the signal is still caught
    guard: Guard,
    hangup: Hangup,
    heard: Heard,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

/// What has become of the hangup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// It has come, and the channel is still to be told.
    Hangup,
    /// All is told.
    Told,
}

impl Stdio {
    /// Takes them, and SIGHUP with them.
    ///
    /// # Errors
    ///
    /// [`ResourceBusy`](ErrorKind::ResourceBusy) where they are taken already; what the operating system
    /// says.
    pub fn take() -> io::Result<Self> {
        let hangup = Hangup::new()?;
        let guard = Guard::new()?;
        Ok(Self { guard, hangup, heard: Heard::Nothing, read_timeout: None, write_timeout: None })
    }

    /// Readable when the caller has hung up or the conversation has ended.
    pub(crate) fn end(&self) -> &UnixStream {
        &self.hangup.socket
    }

    fn listen(&mut self, timeout: Option<Duration>) -> io::Result<Ready> {
        let hangup = (self.heard == Heard::Nothing).then_some(&self.hangup.socket);
        let ready = wait(&self.guard.input, hangup, timeout)?;
        if ready.hangup {
            self.heard = Heard::Hangup;
        }
        Ok(ready)
    }
}

impl Read for Stdio {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.guard.output.is_none() {
            // Asterisk waits for this program and will close nothing before it has ended
            return Ok(0);
        }
        match self.listen(self.read_timeout)? {
            Ready { input: true, .. } => self.guard.input.read(buf),
            Ready { hangup: true, .. } => Err(ErrorKind::Interrupted.into()),
            _ => Err(ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for Stdio {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let Some(output) = &mut self.guard.output else { return Err(ErrorKind::BrokenPipe.into()) };
        if self.write_timeout.is_none() {
            return output.write(buf);
        }
        if !writable(&output, self.write_timeout)? {
            return Err(ErrorKind::TimedOut.into());
        }
        output.write(&buf[..buf.len().min(PIPE_BUF)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Stdio {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.read_timeout = timeout;
        Ok(())
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.write_timeout = timeout;
        Ok(())
    }

    /// Closes standard output for good: Asterisk sees its end, and waits for the program's.
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.guard.output = None;
        // a hangup that came first stays one
        while self.heard == Heard::Nothing {
            match self.listen(Some(Duration::ZERO)) {
                Ok(Ready { hangup: false, .. }) => self.heard = Heard::Told,
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        // whoever listens to the caller has to learn of the end, as Asterisk keeps the audio open
        self.hangup.end();
        Ok(())
    }

    fn take_hangup(&mut self) -> bool {
        // one that has come while nobody read
        if self.heard == Heard::Nothing && self.listen(Some(Duration::ZERO)).is_err() {
            return false;
        }
        let heard = self.heard == Heard::Hangup;
        if heard {
            self.heard = Heard::Told;
        }
        heard
    }
}

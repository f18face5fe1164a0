//! Standard input and output as the stream of a channel.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use agi_service::HangupSignal;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot::{Receiver, Sender, channel};

use super::guard::Guard;

/// Standard input and output, and SIGHUP: what the conversation of a program that Asterisk runs goes over.
///
/// Taking it puts other things in their place, see [the module](super); dropping it puts them back, unless the
/// channel was [closed](agi_service::Channel::close). [`run`](super::run) does all of it. Who wants limits or
/// leniencies of their own begins with this:
///
/// ```no_run
/// use agi_tokio::process::Stdio;
/// use agi_tokio::{ChannelBuilder, Error, Leniency};
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), Error> {
///     let stdio = Stdio::take().map_err(Error::Io)?;
///     let channel = ChannelBuilder::new().leniency(Leniency::ALL).start(stdio).await?;
///     let Some(mut channel) = channel else { return Ok(()) };
///     channel.verbose("at your service").await?;
///     channel.close().await
/// }
/// ```
///
/// Any kind of descriptor will do, so a program can be tried by hand: a terminal, a file, a socket. No thread
/// waits in a read, as one of `tokio::io::stdin` does and keeps the program from ending.
#[derive(Debug)]
pub struct Stdio {
    guard: Guard,
    hangup: Signal,
    /// SIGHUP has come, and the channel is still to be told.
    heard: bool,
    /// Nothing is ever sent: who has the other end learns that these are gone.
    until_end: Vec<Sender<Infallible>>,
}

impl Stdio {
    /// Takes them, and SIGHUP with them.
    ///
    /// # Errors
    ///
    /// [`ResourceBusy`](ErrorKind::ResourceBusy) where they are taken already; what the operating system
    /// says.
    ///
    /// # Panics
    ///
    /// Outside of a runtime of tokio's, and in one without I/O.
    pub fn take() -> io::Result<Self> {
        let hangup = signal(SignalKind::hangup())?;
        Ok(Self { guard: Guard::new()?, hangup, heard: false, until_end: Vec::new() })
    }

    /// Whether SIGHUP has come and the channel does not know yet. It will still be told.
    pub(crate) fn has_heard_hangup(&mut self) -> bool {
        self.heard |= self.hangup.poll_recv(&mut Context::from_waker(Waker::noop())).is_ready();
        self.heard
    }

    /// Fails when the conversation has ended, for our direction or as a whole.
    pub(crate) fn end(&mut self) -> Receiver<Infallible> {
        let (sender, end) = channel();
        self.until_end.retain(|sender| !sender.is_closed());
        if self.guard.output.is_some() {
            self.until_end.push(sender);
        }
        end
    }
}

impl AsyncRead for Stdio {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.guard.output.is_none() {
            // Asterisk waits for this program and will close nothing before it has ended
            return Poll::Ready(Ok(()));
        }
        if std::mem::take(&mut self.heard) || self.hangup.poll_recv(cx).is_ready() {
            return Poll::Ready(Err(HangupSignal.into()));
        }
        Pin::new(&mut self.guard.input).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stdio {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.guard.output {
            Some(output) => Pin::new(output).poll_write(cx, buf),
            None => Poll::Ready(Err(ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Closes standard output for good: Asterisk sees its end, and waits for the program's.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.guard.output = None;
        self.until_end.clear();
        Poll::Ready(Ok(()))
    }
}

//! The beginning of a call.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use agi_proto::{Event, Leniency, Limits, Session};

use super::Channel;
use agi_service::log::ConversationLog;
use agi_service::{nonce, tcp};

use super::drive::{MOMENT, after};
use crate::{Error, Stream};

/// Makes a [`Channel`] of a stream that Asterisk speaks on, without a server.
///
/// ```no_run
/// use agi_blocking::{ChannelBuilder, Error, Leniency};
///
/// fn serve(stream: std::os::unix::net::UnixStream) -> Result<(), Error> {
///     let channel = ChannelBuilder::new().leniency(Leniency::ALL).start(stream)?;
///     let Some(mut channel) = channel else { return Ok(()) };
///     channel.answer()?;
///     channel.close()
/// }
/// # let _ = serve;
/// ```
#[derive(Clone, Debug, Default)]
pub struct ChannelBuilder {
    limits: Limits,
    leniency: Leniency,
    environment_timeout: Option<Duration>,
}

impl ChannelBuilder {
    /// Returns a builder with the default limits, no leniency and no deadline.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits how many of the peer's bytes the channel keeps.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets deviations of a peer that is not Asterisk pass.
    pub fn leniency(mut self, leniency: Leniency) -> Self {
        self.leniency = leniency;
        self
    }

    /// Limits the time until the whole environment has come. There is no limit by default: set one if strangers can
    /// connect.
    pub fn environment_timeout(mut self, timeout: Duration) -> Self {
        self.environment_timeout = Some(timeout);
        self
    }

    /// Reads the environment, with which every call begins.
    ///
    /// `None` means that the peer closed without a byte, for example because it only looked whether the port is open.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] for bytes that are not an environment, [`Error::Io`] if the stream failed, with the kind
    /// [`TimedOut`](ErrorKind::TimedOut) after the [deadline](Self::environment_timeout).
    pub fn start<S: Stream>(self, stream: S) -> Result<Option<Channel<S>>, Error> {
        let mut channel = Channel::new(stream, self.limits, self.leniency, Arc::default());
        let deadline = self.environment_timeout.and_then(after);
        Ok(channel.begin(deadline)?.then_some(channel))
    }

    /// Reads the environment of a TCP connection, whose options it sets as a [`Server`](crate::Server) does: a command
    /// does not wait for the acknowledgement of the one before, and the system asks after a peer that is silent
    /// (`SO_KEEPALIVE`, at its own intervals).
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_tcp(self, stream: TcpStream) -> Result<Option<Channel<TcpStream>>, Error> {
        tcp::prepare(&stream).map_err(Error::Io)?;
        self.start(stream)
    }
}

impl<S: Stream> Channel<S> {
    /// A channel that is still to [`begin`](Self::begin), with the server's word that it has cut the stream.
    pub(crate) fn new(stream: S, limits: Limits, leniency: Leniency, cut: Arc<AtomicBool>) -> Self {
        Self {
            session: Session::with_config(nonce(), limits, leniency),
            stream,
            read_timeout: None,
            write_timeout: None,
            unflushed: false,
            quiet_since: None,
            log: ConversationLog::default(),
            cut,
        }
    }

    /// Waits for the environment. `false`: the peer closed without a byte. A channel for which this fails is good
    /// for nothing but to be closed.
    pub(crate) fn begin(&mut self, deadline: Option<Instant>) -> Result<bool, Error> {
        self.stream.set_read_timeout(None).map_err(Error::Io)?;
        self.stream.set_write_timeout(None).map_err(Error::Io)?;
        // an environment that is there already is read, however short the time
        let deadline = deadline.map(|deadline| deadline.max(Instant::now() + MOMENT));
        let started = self.drive(deadline, |event| match event {
            Event::Environment(_) => Some(true),
            Event::Closed => Some(false),
            _ => None,
        })?;
        match started {
            // if anything came along behind the environment, it was forged: polling finds that
            Some(true) => {
                while self.session.poll_event()?.is_some() {}
                Ok(true)
            }
            Some(false) => Ok(false),
            None => Err(Error::Io(ErrorKind::TimedOut.into())),
        }
    }
}

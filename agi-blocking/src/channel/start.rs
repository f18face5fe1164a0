//! The beginning of a call.

use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use agi_proto::{Event, Leniency, Limits, Session};

use super::Channel;
use super::drive::after;
use crate::log::Log;
use crate::{Error, Stream};

impl<S: Stream> Channel<S> {
    /// Reads the environment, which begins every call, with the default limits and no leniency.
    ///
    /// `None` where the peer closed without a byte: somebody looked whether the port is open.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] for what is no environment of Asterisk's, [`Error::Io`].
    pub fn start(stream: S) -> Result<Option<Self>, Error> {
        Self::start_with(stream, Limits::default(), Leniency::default())
    }

    /// [`start`](Self::start) within limits and with leniencies of one's own.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_with(stream: S, limits: Limits, leniency: Leniency) -> Result<Option<Self>, Error> {
        Self::open(stream, limits, leniency, None)
    }

    /// [`start_with`](Self::start_with), with so much time for the whole environment: against a peer that
    /// connects and keeps silent.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); [`TimedOut`](ErrorKind::TimedOut) when the time has passed.
    pub fn start_timeout(
        stream: S,
        limits: Limits,
        leniency: Leniency,
        timeout: Duration,
    ) -> Result<Option<Self>, Error> {
        Self::open(stream, limits, leniency, after(timeout))
    }

    fn open(
        stream: S,
        limits: Limits,
        leniency: Leniency,
        deadline: Option<Instant>,
    ) -> Result<Option<Self>, Error> {
        let mut channel = Self::new(stream, limits, leniency, Arc::default());
        Ok(channel.begin(deadline)?.then_some(channel))
    }

    /// A channel that is still to [`begin`](Self::begin), with the server's word that it has cut the stream.
    pub(crate) fn new(stream: S, limits: Limits, leniency: Leniency, cut: Arc<AtomicBool>) -> Self {
        Self {
            session: Session::with(nonce(), limits, leniency),
            stream,
            read_timeout: None,
            write_timeout: None,
            unflushed: false,
            quiet_since: None,
            log: Log::default(),
            cut,
        }
    }

    /// Waits for the environment. `false`: the peer closed without a byte. A channel for which this fails is good
    /// for nothing but to be closed.
    pub(crate) fn begin(&mut self, deadline: Option<Instant>) -> Result<bool, Error> {
        self.stream.set_read_timeout(None).map_err(Error::Io)?;
        self.stream.set_write_timeout(None).map_err(Error::Io)?;
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

/// Nobody can guess it who does not see this session's commands: the hasher is SipHash under a key of 128
/// bits from the operating system's random numbers, of which its output tells nothing.
fn nonce() -> u64 {
    RandomState::new().hash_one(())
}

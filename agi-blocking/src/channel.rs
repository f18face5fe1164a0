//! One call.

mod close;
mod drive;
mod methods;
mod start;

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use agi_proto::commands::ChannelStatus;
use agi_proto::{Command, Environment, Event, Rejection, Request, Session};

pub use self::start::ChannelBuilder;

use self::drive::{after, left};
use agi_service::log::ConversationLog;

use crate::{Error, Stream};

/// A call that Asterisk put into this program's hands.
///
/// Three kinds of methods:
///
/// * **Commands**: [`call`](Self::call) takes any [`Command`] and gives its typed reply;
///   [`call_timeout`](Self::call_timeout) gives up after a while. For each common command there is a
///   method as well, such as [`answer`](Self::answer) and [`stream_file`](Self::stream_file).
/// * **The conversation**: [`wait_for_hangup`](Self::wait_for_hangup), [`resync`](Self::resync), [`close`](Self::close).
/// * **Getters**: [`environment`](Self::environment), [`request`](Self::request),
///   [`is_hung_up`](Self::is_hung_up), [`is_closed`](Self::is_closed).
///
/// A command has no time limit of its own: `EXEC Dial` may last for hours. When the caller hangs up, the
/// command that runs fails with an error for which [`is_hangup`](agi_proto::Error::is_hangup) holds, so that
/// `?` ends the handler; the commands that Asterisk still runs on a dead channel go on working.
///
/// Dropping a channel closes its stream at once, and Asterisk may write its last words into a closed
/// socket. [`close`](Self::close) it; [`Server`](crate::Server) does so after the handler.
#[derive(Debug)]
pub struct Channel<S = TcpStream> {
    session: Session,
    stream: S,
    /// The time limits that the stream was last given.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    /// What was written may still lie in a buffer of the stream's own.
    unflushed: bool,
    /// Since when nothing has come that the session waits for only so long. It outlives a call that was given up:
    /// else calls that all give up sooner would put the end of the wait off for ever.
    quiet_since: Option<Instant>,
    log: ConversationLog,
    /// Set before somebody else ends this direction of the stream: its server, that is shut down.
    cut: Arc<AtomicBool>,
}

impl<S: Stream> Channel<S> {
    /// Sends a command and waits for its reply, for as long as it takes.
    ///
    /// ```no_run
    /// use agi_blocking::agi_proto::{EscapeDigits, commands::StreamFile};
    /// # fn example(channel: &mut agi_blocking::Channel) -> Result<(), agi_blocking::Error> {
    /// let played = channel.call(StreamFile::new("demo-congrats", EscapeDigits::new("#")?))?;
    /// # let _ = played; Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error`]; its page says for each kind whether one may go on.
    pub fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
        let reply = self.call_until(command, None)?;
        Ok(reply.expect("without a deadline none passes"))
    }

    /// [`call`](Self::call), but gives up and gives `None` when no reply has come for so long, or when Asterisk has
    /// not taken the command by then. What it has taken a part of goes out whole before the next command.
    ///
    /// The next call gets its own reply all the same. What can be interrupted (`STREAM FILE`, `GET DATA`,
    /// `WAIT FOR DIGIT` and the like) stops when the next command is sent, or at once by
    /// [`resync`](Self::resync); anything else runs to its end first, and the next call waits for that.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call); [`Unsupported`](std::io::ErrorKind::Unsupported), with nothing sent, where the stream
    /// knows no time limits.
    pub fn call_timeout<C: Command>(
        &mut self,
        command: C,
        timeout: Duration,
    ) -> Result<Option<C::Reply>, Error> {
        self.limit(timeout)?;
        self.call_until(command, after(timeout))
    }

    fn call_until<C: Command>(
        &mut self,
        command: C,
        deadline: Option<Instant>,
    ) -> Result<Option<C::Reply>, Error> {
        self.session.abandon();
        let settled = self.session.is_synced();
        let mut pending = Some(self.session.send(&command).map_err(|error| self.session.send_error(error))?);
        self.log.command(&command, settled);
        let outcome = self.drive(deadline, |event| match event {
            Event::Response(response) => pending.take().map(|pending| Some(pending.decode(response))),
            Event::Closed => Some(None),
            _ => None,
        })?;
        match outcome {
            Some(Some(reply)) => Ok(Some(reply?)),
            Some(None) => Err(self.session.close_error()),
            None => {
                self.session.abandon();
                Ok(None)
            }
        }
    }

    /// Waits until the caller hangs up or the conversation ends, at most so long (`None`: for ever), and
    /// says whether it has.
    ///
    /// Asterisk tells a hangup of its own accord unless the channel variable `AGISIGHUP` is `no`; then only
    /// the next command that needs a live channel finds out.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] for bytes that no command asked for, [`Error::Io`].
    pub fn wait_for_hangup(&mut self, timeout: impl Into<Option<Duration>>) -> Result<bool, Error> {
        if self.is_hung_up() || self.is_closed() {
            return Ok(true);
        }
        let deadline = timeout.into().and_then(after);
        self.stream.acknowledge();
        let ended = self.drive(deadline, |event| match event {
            Event::Hangup | Event::Closed => Some(()),
            _ => None,
        })?;
        Ok(ended.is_some())
    }

    /// Waits as [`wait_for_hangup`](Self::wait_for_hangup) does, also where the dialplan has set `AGISIGHUP=no` and Asterisk
    /// does not tell: asks once in each `interval` with a `CHANNEL STATUS`, which a dead channel answers
    /// with 511.
    ///
    /// That costs a round trip each time, and two of Asterisk's manager events; an interval of some seconds
    /// is right.
    ///
    /// # Errors
    ///
    /// As for [`wait_for_hangup`](Self::wait_for_hangup).
    pub fn wait_for_hangup_polling(
        &mut self,
        timeout: impl Into<Option<Duration>>,
        interval: Duration,
    ) -> Result<bool, Error> {
        let deadline = timeout.into().and_then(after);
        loop {
            let left = left(deadline);
            let last = left.is_some_and(|left| left <= interval);
            if self.wait_for_hangup(left.map_or(interval, |left| left.min(interval)))? {
                return Ok(true);
            }
            if last {
                return Ok(false);
            }
            match self.call_until(ChannelStatus::new(), deadline) {
                Err(error) if error.is_hangup() => return Ok(true),
                Err(error) => return Err(error),
                Ok(Some(_)) => {}
                // it waits for the end of a command that was given up before
                Ok(None) => return Ok(false),
            }
        }
    }

    /// Asks Asterisk whether the channel is still alive, by a `CHANNEL STATUS`. It is in an interception routine, too.
    ///
    /// [`is_hung_up`](Self::is_hung_up) returns what is known already. It does not know of a hangup that Asterisk has not
    /// reported: one during `EXEC`, whose reply comes before the `HANGUP`, and any at all if the dialplan has set
    /// `AGISIGHUP=no`. So ask after `EXEC Dial`, for example.
    ///
    /// # Errors
    ///
    /// [`Error`], except for the kinds for which [`is_hangup`](agi_proto::Error::is_hangup) holds: those are `Ok(false)`.
    pub fn is_alive(&mut self) -> Result<bool, Error> {
        match self.call(ChannelStatus::new()) {
            Ok(_) => Ok(!self.is_hung_up()),
            // an interception routine
            Err(Error::Rejected(Rejection::DeadChannel { hung_up: false, .. })) => Ok(true),
            Err(error) if error.is_hangup() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Pairs commands and replies again after a call that was given up, and with that stops what it still
    /// plays, if that can be stopped. Where no call was given up it proves that nothing unasked was sent.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] for bytes that no command asked for; otherwise as [`call`](Self::call).
    pub fn resync(&mut self) -> Result<(), Error> {
        let settled = self.resync_until(None)?;
        assert!(settled, "without a deadline none passes");
        Ok(())
    }

    /// [`resync`](Self::resync), but gives up after so long, and says whether it was done. What runs to its end,
    /// such as `EXEC Dial`, may take longer.
    ///
    /// # Errors
    ///
    /// As [`resync`](Self::resync) and [`call_timeout`](Self::call_timeout).
    pub fn resync_timeout(&mut self, timeout: Duration) -> Result<bool, Error> {
        self.limit(timeout)?;
        self.resync_until(after(timeout))
    }

    fn resync_until(&mut self, deadline: Option<Instant>) -> Result<bool, Error> {
        self.session.abandon();
        self.session.resync().map_err(|error| self.session.send_error(error))?;
        loop {
            if self.progress(deadline, |event| matches!(event, Event::Closed).then_some(()))?.is_some() {
                return Err(self.session.close_error());
            }
            if self.session.is_synced() {
                return Ok(true);
            }
            if !self.read(deadline)? {
                return Ok(false);
            }
        }
    }

    /// What Asterisk said about the call when it began.
    pub fn environment(&self) -> &Environment {
        self.session.environment().expect("there is no channel before the environment has come")
    }

    /// What the dialplan asked for: the script's path, its query and its arguments. A handler that also
    /// takes a [`Request`] gets it with what a `Router` captured.
    pub fn request(&self) -> Request {
        Request::new(self.environment())
    }

    /// Whether the log may show the values that are set in variables and in the database, and what the
    /// caller enters. Those may be PINs, and are hidden unless told otherwise.
    pub fn reveal_values(&mut self, reveal: bool) {
        self.log.redactor.reveal(reveal);
    }

    /// Whether the caller is known to have hung up. Nothing is read for that: see
    /// [`wait_for_hangup`](Self::wait_for_hangup).
    pub fn is_hung_up(&self) -> bool {
        self.session.is_hung_up()
    }

    /// Returns whether the channel seems to have been hung up before the call began, as it is in the extension `h` and in
    /// a hangup handler: no hangup was reported, and no command ran that needs a live channel. A server reports such a
    /// call as [`CallOutcome::Refused`](crate::CallOutcome::Refused). See [`Session::began_dead`](agi_proto::Session::began_dead).
    pub fn began_dead(&self) -> bool {
        self.session.began_dead()
    }

    /// Whether the conversation is over.
    pub fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// The stream, for its addresses and the like. Its time limits are the channel's.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

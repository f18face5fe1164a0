//! One call.

mod drive;
#[macro_use]
mod methods;

use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use agi_proto::{Command, Environment, Event, Leniency, Limits, Request, Session};

use self::drive::after;
use crate::{Error, Stream};

/// How long [`Channel::close`] waits for Asterisk unless told otherwise.
const LINGER: Duration = Duration::from_secs(5);

/// A call that Asterisk put into this program's hands.
///
/// Three kinds of methods:
///
/// * **Commands**: [`call`](Self::call) takes any [`Command`] and gives its typed reply;
///   [`call_timeout`](Self::call_timeout) gives up after a while. For each common command there is a
///   method as well, such as [`answer`](Self::answer) and [`stream_file`](Self::stream_file).
/// * **The conversation**: [`hung_up`](Self::hung_up), [`resync`](Self::resync), [`close`](Self::close).
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
pub struct Channel<S> {
    session: Session,
    stream: S,
    /// The time limit that the stream was last given.
    read_timeout: Option<Duration>,
    linger: Duration,
}

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
        let session = Session::with(nonce(), limits, leniency);
        let mut channel = Self { session, stream, read_timeout: None, linger: LINGER };
        channel.stream.set_read_timeout(None).map_err(Error::Io)?;
        let started = channel.drive(deadline, |event| match event {
            Event::Environment(_) => Some(true),
            Event::Closed => Some(false),
            _ => None,
        })?;
        match started {
            Some(true) => Ok(Some(channel)),
            Some(false) => Ok(None),
            None => Err(Error::Io(ErrorKind::TimedOut.into())),
        }
    }

    /// Sends a command and waits for its reply, for as long as it takes.
    ///
    /// ```no_run
    /// use agi_blocking::proto::{EscapeDigits, commands::StreamFile};
    /// # fn example(channel: &mut agi_blocking::Channel<std::net::TcpStream>) -> Result<(), agi_blocking::Error> {
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

    /// [`call`](Self::call), but gives up and gives `None` when no reply has come for so long.
    ///
    /// The next call gets its own reply all the same. What can be interrupted (`STREAM FILE`, `GET DATA`,
    /// `WAIT FOR DIGIT` and the like) stops when the next command is sent, or at once by
    /// [`resync`](Self::resync); anything else runs to its end first, and the next call waits for that.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call); [`Unsupported`](ErrorKind::Unsupported), with nothing sent, where the stream
    /// knows no time limits.
    pub fn call_timeout<C: Command>(
        &mut self,
        command: C,
        timeout: Duration,
    ) -> Result<Option<C::Reply>, Error> {
        self.limit_reads(Some(timeout)).map_err(Error::Io)?;
        self.call_until(command, after(timeout))
    }

    fn call_until<C: Command>(
        &mut self,
        command: C,
        deadline: Option<Instant>,
    ) -> Result<Option<C::Reply>, Error> {
        self.session.abandon();
        let mut pending = Some(self.session.send(&command).map_err(|error| self.not_sent(error))?);
        let outcome = self.drive(deadline, |event| match event {
            Event::Response(response) => pending.take().map(|pending| Some(pending.decode(response))),
            Event::Closed => Some(None),
            _ => None,
        })?;
        match outcome {
            Some(Some(reply)) => Ok(Some(reply?)),
            Some(None) => Err(self.over()),
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
    /// the next command finds out.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] for bytes that no command asked for, [`Error::Io`].
    pub fn hung_up(&mut self, timeout: impl Into<Option<Duration>>) -> Result<bool, Error> {
        if self.is_hung_up() || self.is_closed() {
            return Ok(true);
        }
        let deadline = timeout.into().and_then(after);
        let ended = self.drive(deadline, |event| match event {
            Event::Hangup | Event::Closed => Some(()),
            _ => None,
        })?;
        Ok(ended.is_some())
    }

    /// Pairs commands and replies again after a call that was given up, and with that stops what it still
    /// plays, if that can be stopped. Where no call was given up it proves that nothing unasked was sent.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] for bytes that no command asked for; otherwise as [`call`](Self::call).
    pub fn resync(&mut self) -> Result<(), Error> {
        self.session.abandon();
        self.session.resync().map_err(|error| self.not_sent(error))?;
        loop {
            if self.progress(|event| matches!(event, Event::Closed).then_some(()))?.is_some() {
                return Err(self.over());
            }
            if self.session.is_settled() {
                return Ok(());
            }
            self.read(None)?;
        }
    }

    /// Ends the conversation as Asterisk likes it: says that no more commands will come, lets what runs come
    /// to its end, and waits until Asterisk has closed; so nothing that it writes meets a closed socket.
    /// The dialplan goes on then.
    ///
    /// Gives whether Asterisk closed within the [time for it](Self::set_linger). It does so within a
    /// millisecond unless a command that was given up still runs. Drop the channel after this.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn close(&mut self) -> Result<bool, Error> {
        let ended = self.is_closed() || self.linger().map_err(Error::Io)?;
        self.session.handle_eof();
        // a conversation that failed stays failed, and has ended all the same
        while let Ok(Some(_)) = self.session.poll_event() {}
        Ok(ended)
    }

    /// How long [`close`](Self::close) waits for Asterisk: 5 seconds unless told otherwise.
    pub fn set_linger(&mut self, linger: Duration) {
        self.linger = linger;
    }

    /// What Asterisk said about the call when it began.
    pub fn environment(&self) -> &Environment {
        self.session.environment().expect("there is no channel before the environment has come")
    }

    /// What the dialplan asked for: the script's path, its query and its arguments.
    pub fn request(&self) -> Request {
        Request::new(self.environment())
    }

    /// Whether the caller is known to have hung up. Nothing is read for that: see
    /// [`hung_up`](Self::hung_up).
    pub fn is_hung_up(&self) -> bool {
        self.session.is_hung_up()
    }

    /// Whether the conversation is over.
    pub fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// The stream, for its addresses and the like. Its time limits are the channel's.
    pub fn stream(&self) -> &S {
        &self.stream
    }
}

/// A method for each command.
impl<S: Stream> Channel<S> {
    agi_proto::command_table!(methods! {});
}

/// Nobody can guess it who does not see this session's commands: the hasher is SipHash under a key of 128
/// bits from the operating system's random numbers, of which its output tells nothing.
fn nonce() -> u64 {
    RandomState::new().hash_one(())
}

//! The script's side of a conversation: who may speak, what is owed, and what a hangup changes.

mod barrier;
mod input;
mod questions;
mod reply;
mod state;

use alloc::vec::Vec;
use core::time::Duration;

use self::barrier::Barrier;
use self::input::Input;
use self::reply::Held;
use self::state::State;
use crate::codec::command::{Command, Pending};
use crate::codec::encode::CommandEncoder;
use crate::codec::environment::Environment;
use crate::codec::line::trim_line_end;
use crate::codec::response::Response;
use crate::flow::output::Output;
use crate::values::error::{EncodeError, Error, ProtocolError};
use crate::values::info::MusicEffect;
use crate::values::limits::{Leniency, Limits};

/// An event of [`Session::poll_event`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The environment has come; commands may be sent.
    Environment(&'a Environment),
    /// `100 result=0 Trying...`: the command runs, and its reply is still to come (GOSUB).
    Trying,
    /// The reply to the command that was sent: pass it to [`Pending::decode`].
    Response(Response<'a>),
    /// The channel is hung up; reported once. The conversation goes on: commands that
    /// [run on a dead channel](crate::CommandInfo::on_dead_channel) still work, all others are answered 511.
    Hangup,
    /// Asterisk ended the conversation, and no reply will come any more. Reported once for each time that the end was
    /// [noted](Session::handle_eof), so a loop that reads until this cannot miss it.
    Closed,
}

/// Whether a read filled all the space that it had, so that more bytes may be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// It did. A value or an environment that seems to end there is not assumed to end.
    Yes,
    /// It did not, so these are all the bytes that had come.
    No,
}

impl Filled {
    /// Returns `Yes` if the read returned as many bytes as it had space for.
    pub const fn when(is_full: bool) -> Self {
        if is_full { Self::Yes } else { Self::No }
    }
}

/// The script's side of one AGI conversation, without any I/O.
///
/// Four kinds of methods:
///
/// * **Input** from the transport: [`handle_input`](Self::handle_input), [`handle_eof`](Self::handle_eof),
///   [`handle_hangup`](Self::handle_hangup), [`handle_timeout`](Self::handle_timeout).
/// * **Output** to it: [`poll_transmit`](Self::poll_transmit) with [`transmitted`](Self::transmitted),
///   [`poll_event`](Self::poll_event) and [`poll_timeout`](Self::poll_timeout).
/// * **The application's calls**: [`send`](Self::send), [`abandon`](Self::abandon), [`resync`](Self::resync),
///   [`finish`](Self::finish).
/// * **Getters**.
///
/// The contract is the one of the [crate](crate): after any input and any call of the application, call `poll_event` until
/// it returns `Ok(None)`, then write what `poll_transmit` returns until it returns `None`.
///
/// The states and the transitions between them are drawn in `flow/session/state.rs`.
#[derive(Debug)]
pub struct Session {
    state: State,
    input: Input,
    output: Output,
    barrier: Barrier,
    environment: Option<Environment>,
    command_limit: usize,
    limits: Limits,
    leniency: Leniency,
    hangup: Hangup,
    /// The reply to the command that was sent last may not be shown.
    secret: bool,
    /// Music on hold was switched on.
    music: bool,
    eof: bool,
    failed: Option<ProtocolError>,
    /// A reply that was held, while it is looked at.
    delivered: Held,
}

/// The result of one step; the event is made of it where borrowing allows.
enum Step {
    NeedInput,
    Environment,
    Trying,
    /// A response at the beginning of the input.
    Response {
        length: usize,
        text: usize,
        status: u16,
    },
    /// The response that is `delivered`.
    Held,
    Hangup,
    Closed,
}

/// What is known of a hangup.
#[derive(Debug, Default)]
struct Hangup {
    is_known: bool,
    /// By a `HANGUP` or a signal, not only by a command that was refused.
    is_announced: bool,
    /// The event is still to come.
    to_report: bool,
    /// A command ran that needs a live channel.
    was_alive: bool,
}

impl Session {
    /// A session that holds Asterisk to its own format, within the default limits.
    ///
    /// `nonce` must not be guessable by the caller or by anything that the call's data comes from: it makes the token of
    /// the barrier that pairs replies again after a call was abandoned. A random number per session is right.
    pub fn new(nonce: u64) -> Self {
        Self::with_config(nonce, Limits::default(), Leniency::default())
    }

    /// A session with your own limits and leniencies. See [`new`](Self::new) for the nonce.
    pub fn with_config(nonce: u64, limits: Limits, leniency: Leniency) -> Self {
        Self {
            state: State::Environment { lines: 0 },
            input: Input::new(limits.environment_bytes),
            output: Output::default(),
            barrier: Barrier::new(nonce),
            environment: None,
            command_limit: 0,
            limits,
            leniency,
            hangup: Hangup::default(),
            secret: false,
            music: false,
            eof: false,
            failed: None,
            delivered: Held::default(),
        }
    }

    // ---- input ----

    /// Takes the received bytes of one read, by copying them. `filled` is whether the read filled all its space.
    #[inline]
    pub fn handle_input(&mut self, input: &[u8], filled: Filled) {
        if self.delivered.bytes.capacity() > 0 {
            self.delivered = Held::default();
        }
        self.input.receive(input, filled == Filled::Yes);
    }

    /// Notes that the stream from Asterisk has ended, or was reset, which is how it ends when Asterisk closes while a
    /// command is on its way to it. A write that fails is the same: read what is still there before, if that is possible.
    pub fn handle_eof(&mut self) {
        self.on_eof();
    }

    /// Notes that the channel was hung up, as process AGI learns it: by SIGHUP.
    pub fn handle_hangup(&mut self) {
        if !matches!(self.state, State::Finishing | State::Closed { .. }) {
            self.note_hangup(true);
        }
    }

    /// Call this when the duration returned by [`poll_timeout`](Self::poll_timeout) has elapsed without input.
    pub fn handle_timeout(&mut self) {
        if self.poll_timeout().is_some() {
            self.on_timeout();
        }
    }

    // ---- output ----

    /// Returns bytes to write to Asterisk: never more than one command line, and each line as a whole. Report to
    /// [`transmitted`](Self::transmitted) how many were written.
    #[must_use]
    #[inline]
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        if self.eof { None } else { self.output.poll() }
    }

    /// Notes that `n` of the bytes of [`poll_transmit`](Self::poll_transmit) were written.
    ///
    /// # Panics
    ///
    /// If `n` is more than it returned.
    #[inline]
    pub fn transmitted(&mut self, n: usize) {
        self.output.transmitted(n);
    }

    /// Returns how long to wait for input before [`handle_timeout`](Self::handle_timeout) is due. Usually that is `None`,
    /// forever. It is limited while replies are being paired again after an abandoned call, and while the rest of a
    /// message is missing. The time starts when this method first returns it after the last input; dropping and
    /// restarting the wait does not restart it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        match self.failed.is_some() || self.eof || !self.output.is_empty() {
            true => None,
            false => self.patience(),
        }
    }

    /// Returns the next event. `Ok(None)` means that more input is needed, after [`poll_transmit`](Self::poll_transmit) has
    /// been written.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`], which is final: every later call returns the same.
    #[inline]
    pub fn poll_event(&mut self) -> Result<Option<Event<'_>>, ProtocolError> {
        if self.only_waits() { Ok(None) } else { self.poll_step() }
    }

    /// Returns whether nothing has come since a command was sent, as is usual right after it.
    #[inline]
    fn only_waits(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
            && self.input.is_searched()
            && !(self.eof || self.failed.is_some() || self.hangup.to_report)
    }

    fn poll_step(&mut self) -> Result<Option<Event<'_>>, ProtocolError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let step = match self.step() {
            Ok(step) => step,
            Err(error) => return Err(self.fail(error)),
        };
        let hung_up = self.is_hung_up();
        Ok(match step {
            Step::NeedInput => None,
            Step::Environment => self.environment.as_ref().map(Event::Environment),
            Step::Trying => Some(Event::Trying),
            Step::Hangup => Some(Event::Hangup),
            Step::Closed => Some(Event::Closed),
            Step::Response { length, text, status } => {
                let raw = &self.input.take(length)[..text];
                Some(Event::Response(Response::known(raw, status, hung_up)))
            }
            Step::Held => {
                let raw = trim_line_end(&self.delivered.bytes);
                Some(Event::Response(Response::known(raw, self.delivered.status, hung_up)))
            }
        })
    }

    // ---- the application's calls ----

    /// Queues a command. Its reply comes as [`Event::Response`].
    ///
    /// After [`abandon`](Self::abandon) the command waits until replies are paired again; just go on with the loop.
    ///
    /// # Errors
    ///
    /// [`EncodeError`]; nothing was queued then.
    pub fn send<C: Command + ?Sized>(&mut self, command: &C) -> Result<Pending<C::Reply>, EncodeError> {
        self.admit()?;
        let info = command.info();
        if info.music == MusicEffect::Breaks && self.music {
            return Err(EncodeError::MusicIsOn { command: info.name });
        }
        let at_once = matches!(self.state, State::Idle);
        let mut later = Vec::new();
        let out = if at_once { self.output.buffer() } else { &mut later };
        let mut line = CommandEncoder::new(out, info.name, self.command_limit);
        command.encode(&mut line);
        line.finish()?;
        // it is off only when a reply says so: a command that stops it may be taken back
        self.music |= info.music == MusicEffect::Starts;
        self.secret = info.secrecy.hides_reply() || (self.secret && !self.is_synced());
        match at_once {
            true => self.on_send(info),
            false => self.on_send_later(info, later),
        }
        Ok(Pending::new(info, C::decode))
    }

    /// Gives up waiting for the reply of the command that was sent; does nothing if none is owed.
    ///
    /// If nothing of it was written yet, it is taken back. Otherwise the reply, if one comes, is dropped, and the next
    /// command waits for that. A command that [stops](crate::WhenInterrupted::Stops) when another comes is stopped by the next
    /// [`send`](Self::send) or [`resync`](Self::resync).
    #[inline]
    pub fn abandon(&mut self) {
        if !matches!(self.state, State::Idle) {
            self.on_abandon();
        }
    }

    /// Pairs replies again now, instead of at the next [`send`](Self::send): go on with the loop until
    /// [`is_synced`](Self::is_synced).
    ///
    /// If no call was abandoned, this proves that nothing but replies is on the way: bytes before the barrier's echo are
    /// [`ProtocolError::Unsolicited`]. Right after the environment, that finds what somebody forged after a forged end of
    /// the block.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Busy`] while a reply is awaited, and as for [`send`](Self::send).
    pub fn resync(&mut self) -> Result<(), EncodeError> {
        self.admit()?;
        self.on_resync();
        Ok(())
    }

    /// Ends the conversation from our side: the transport shuts its writing side once
    /// [`poll_transmit`](Self::poll_transmit) returns `None`, then reads and polls until [`Event::Closed`]. Bytes that still
    /// come are dropped. Asterisk sends a `HANGUP` at the end of every session, hung up or not; this one is not reported.
    pub fn finish(&mut self) {
        self.on_finish();
    }

    // ---- getters ----

    /// Returns the environment, once it has come.
    pub fn environment(&self) -> Option<&Environment> {
        self.environment.as_ref()
    }

    /// Returns whether the channel is known to be hung up: by `HANGUP`, by SIGHUP, or because Asterisk refused a command
    /// with 511 and said, when asked, that it is.
    ///
    /// In an interception routine the refusal does not mean that: see
    /// [`Rejection::DeadChannel`](crate::Rejection::DeadChannel).
    #[inline]
    pub fn is_hung_up(&self) -> bool {
        self.hangup.is_known
    }

    /// Returns whether a hangup was announced, by `HANGUP` or SIGHUP.
    ///
    /// If it was not though [`is_hung_up`](Self::is_hung_up) holds, a command was refused: the dialplan has set
    /// `AGISIGHUP=no`, or the session [began dead](Self::began_dead).
    pub fn is_hangup_announced(&self) -> bool {
        self.hangup.is_announced
    }

    /// Returns whether the channel seems to have been hung up before the session began: no hangup was announced, and no
    /// command ever ran that needs a live channel. The script then runs in the extension `h` or in a hangup handler, or
    /// the dialplan has set `AGISIGHUP=no` and the caller left before the first such command.
    pub fn began_dead(&self) -> bool {
        self.hangup.is_known && !self.hangup.is_announced && !self.hangup.was_alive
    }

    /// Returns the error for a call that got [`Event::Closed`] instead of a response. Drains pending events first; a
    /// protocol error takes precedence over a hangup.
    pub fn close_error<Io>(&mut self) -> Error<Io> {
        loop {
            match self.poll_event() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return Error::Protocol(error),
            }
        }
        if self.is_hung_up() { Error::Hangup } else { Error::Closed }
    }

    /// Returns the error for a call that [`send`](Self::send) or [`resync`](Self::resync) refused. A caller after the end did
    /// nothing wrong, and gets the [`close_error`](Self::close_error).
    pub fn send_error<Io>(&mut self, error: EncodeError) -> Error<Io> {
        match error {
            EncodeError::Closed => self.close_error(),
            error => Error::Encode(error),
        }
    }

    /// Returns whether somebody waits for a reply.
    pub fn is_waiting(&self) -> bool {
        self.state.is_waiting()
    }

    /// Returns whether Asterisk may hold back bytes until what it has sent is acknowledged.
    ///
    /// It leaves Nagle's algorithm on. So the second piece of an answer waits for the acknowledgement of the first one,
    /// which the kernel delays by 40 ms: GOSUB's `100`, a 520 block, a `HANGUP` before an owed reply; and while
    /// resynchronising, the reply to an abandoned command before the barrier's echo. A transport over TCP may acknowledge
    /// at once while this holds (`TCP_QUICKACK`).
    pub fn wants_quick_ack(&self) -> bool {
        match &self.state {
            State::Syncing { .. } => true,
            State::Waiting { trying, .. } | State::Abandoned { trying, .. } => {
                *trying || self.is_hangup_announced() || self.input.is_inside_message()
            }
            State::Confirming { .. } => self.is_hangup_announced(),
            _ => false,
        }
    }

    /// Returns whether no abandoned command may still be answered.
    #[inline]
    pub fn is_synced(&self) -> bool {
        !matches!(self.state, State::Abandoned { .. } | State::Syncing { .. })
    }

    /// Returns whether the conversation is over: the stream has ended, and all was reported.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    fn fail(&mut self, error: ProtocolError) -> ProtocolError {
        self.failed = Some(error.clone());
        self.output = Output::default();
        error
    }
}

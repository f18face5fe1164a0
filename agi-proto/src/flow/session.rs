//! The script's side of a conversation: who may speak, what is owed, and what a hangup changes.

mod barrier;
mod machine;

use alloc::vec::Vec;
use core::time::Duration;

use self::barrier::Barrier;
use self::machine::Step;
use crate::codec::command::{Command, Pending};
use crate::codec::commands::ChannelStatus;
use crate::codec::encode::CommandLine;
use crate::codec::environment::Environment;
use crate::codec::frame::Framer;
use crate::codec::line::{KEEP, LineBuffer, trim_line_end};
use crate::codec::response::Response;
use crate::flow::output::Output;
use crate::values::error::{EncodeError, Error, ProtocolError};
use crate::values::info::{CommandInfo, ReplyShape};
use crate::values::limits::{Leniency, Limits};

/// What [`Session::poll_event`] tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The environment has come; commands may be sent.
    Environment(&'a Environment),
    /// `100 result=0 Trying...`: the command runs and its answer is still to come (GOSUB).
    Trying,
    /// The answer to the command that was sent: give it to [`Pending::decode`].
    Response(Response<'a>),
    /// The channel is hung up; told once. The conversation goes on: commands that
    /// [run on a dead channel](CommandInfo::on_dead_channel) still work, all others are answered 511.
    Hangup,
    /// Asterisk ended the conversation, and no answer will come any more; told once.
    Closed,
}

/// The script's side of one AGI conversation, without any I/O.
///
/// Four kinds of methods:
///
/// * **Input**, which the transport gives: [`read_buf`](Self::read_buf) with
///   [`advance`](Self::advance), or [`handle_input`](Self::handle_input); [`handle_eof`](Self::handle_eof);
///   [`handle_hangup`](Self::handle_hangup); [`handle_timeout`](Self::handle_timeout).
/// * **Output**, which it takes: [`poll_transmit`](Self::poll_transmit) with
///   [`transmitted`](Self::transmitted), [`poll_event`](Self::poll_event) and
///   [`poll_timeout`](Self::poll_timeout).
/// * **The application's calls**: [`send`](Self::send), [`abandon`](Self::abandon),
///   [`resync`](Self::resync), [`finish`](Self::finish).
/// * **Getters**.
///
/// The contract is the one of the [crate](crate): after any input and any call of the application, call
/// `poll_event` until it gives `Ok(None)`, then write what `poll_transmit` gives until it gives `None`.
///
/// ```text
///                                     -- send --> Waiting -- answer --------------> Idle
///  Environment -- blank line --> Idle                |  \-- -1: hung up? --> Confirming -- answer --> Idle
///                                                    |  \-- EXEC gave 1 --+
///                                                 abandon                 |
///                                                    v                    v
///                    Idle <-- the answer --  Abandoned -- send, resync --> Syncing -- echo --> Idle, Waiting
/// ```
///
/// `Abandoned` goes to `Syncing` only where the answer may never come; else it waits for the answer. Any
/// state goes to `Finishing` by `finish` and to `Closed` at the end of the stream.
#[derive(Debug)]
pub struct Session {
    state: State,
    input: LineBuffer,
    framer: Framer,
    /// A message that was found and not taken yet.
    found: Option<usize>,
    output: Output,
    /// A command that waits until replies are paired again, and its line.
    queued: Option<CommandInfo>,
    queued_line: Vec<u8>,
    /// A response whose meaning is being asked.
    held: Vec<u8>,
    barrier: Barrier,
    environment: Option<Environment>,
    command_limit: usize,
    limits: Limits,
    leniency: Leniency,
    /// A `100` has come, and the answer behind it has not.
    trying: bool,
    hung_up: bool,
    hangup_to_tell: bool,
    eof: bool,
    failed: Option<ProtocolError>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The environment block is coming; so many lines of it have come.
    Environment(usize),
    /// Nothing is owed.
    Idle,
    /// The answer to this command is owed, and somebody waits for it.
    Waiting(CommandInfo),
    /// `held` says -1: whether the channel is hung up is being asked.
    Confirming,
    /// `held` can be handed out.
    Confirmed,
    /// The answer to this command may be owed, and nobody waits for it.
    Abandoned(CommandInfo),
    /// The barrier's echo is owed.
    Syncing(Sync),
    /// Nothing more will be sent; what still comes belongs to nobody.
    Finishing,
    /// The stream has ended.
    Closed,
}

/// Why the barrier was sent, and so what becomes of that which comes before its echo. It is looked at line
/// by line: only the echo's own token says where it ends.
#[derive(Clone, Copy, Debug)]
enum Sync {
    /// A call was abandoned: it is dropped.
    Drop,
    /// EXEC gave 1, which `held` says: the usage text behind it is dropped.
    Surplus,
    /// `held` is a value of several lines, or text: it is the rest of that. If nobody waits for the value,
    /// only its last line is kept.
    Value { wanted: bool, shape: ReplyShape },
    /// Nothing at all may come.
    Prove,
}

impl Sync {
    /// Whether `held` is to be handed out at the end.
    fn holds(self) -> bool {
        matches!(self, Self::Surplus | Self::Value { wanted: true, .. })
    }
}

impl Session {
    /// A session that holds Asterisk to what Asterisk sends, within the default limits.
    ///
    /// `nonce` must not be guessable by the caller or by anything that the call's data comes from: it
    /// makes the token of the barrier that pairs replies again after a call was abandoned. A random
    /// number per session is right.
    pub fn new(nonce: u64) -> Self {
        Self::with(nonce, Limits::default(), Leniency::default())
    }

    /// A session with limits and leniencies of one's own. See [`new`](Self::new) for the nonce.
    pub fn with(nonce: u64, limits: Limits, leniency: Leniency) -> Self {
        Self {
            state: State::Environment(0),
            input: LineBuffer::new(limits.environment_bytes),
            framer: Framer::default(),
            found: None,
            output: Output::default(),
            queued: None,
            queued_line: Vec::new(),
            held: Vec::new(),
            barrier: Barrier::new(nonce),
            environment: None,
            command_limit: 0,
            limits,
            leniency,
            trying: false,
            hung_up: false,
            hangup_to_tell: false,
            eof: false,
            failed: None,
        }
    }

    // ---- input ----

    /// Space to read received bytes into; never empty. Tell [`advance`](Self::advance) how much was read.
    pub fn read_buf(&mut self) -> &mut [u8] {
        self.give_back();
        self.input.read_buf()
    }

    /// Says that what [`handle_input`](Self::handle_input) was given last filled the space that it was read into,
    /// so that more may be waiting to be read. Then a value or an environment that seems to end just there is not
    /// believed to end. With [`read_buf`](Self::read_buf) this is known.
    pub fn handle_more(&mut self) {
        self.input.set_cut();
    }

    /// Gives back what a large response needed that was held, once it was handed out.
    fn give_back(&mut self) {
        if matches!(self.state, State::Idle | State::Waiting(_)) && self.held.capacity() > KEEP {
            self.held = Vec::new();
        }
    }

    /// Says that `n` bytes were read into what [`read_buf`](Self::read_buf) lent.
    ///
    /// # Panics
    ///
    /// If `n` is more than was lent.
    pub fn advance(&mut self, n: usize) {
        self.input.advance(n);
    }

    /// Takes received bytes by copying them: all that was read at once. Where the space for that is small, see
    /// [`handle_more`](Self::handle_more).
    #[inline]
    pub fn handle_input(&mut self, input: &[u8]) {
        self.give_back();
        self.input.handle_input(input);
    }

    /// The stream from Asterisk has ended (or was reset, which is how it ends when Asterisk closes while
    /// a command is on its way to it).
    pub fn handle_eof(&mut self) {
        self.eof = true;
    }

    /// The channel was hung up, as process AGI learns it: by SIGHUP.
    pub fn handle_hangup(&mut self) {
        if !matches!(self.state, State::Finishing | State::Closed) {
            self.note_hangup();
        }
    }

    /// Nothing came for as long as [`poll_timeout`](Self::poll_timeout) said.
    pub fn handle_timeout(&mut self) {
        if self.poll_timeout().is_some() {
            self.barrier.send(&mut self.output);
        }
    }

    // ---- output ----

    /// Bytes to write to Asterisk: never more than one command line, and each line as a whole. Tell
    /// [`transmitted`](Self::transmitted) how many were written.
    #[must_use]
    #[inline]
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        if self.eof { None } else { self.output.poll() }
    }

    /// Says that `n` of the bytes that [`poll_transmit`](Self::poll_transmit) gave were written.
    ///
    /// # Panics
    ///
    /// If `n` is more than it gave.
    #[inline]
    pub fn transmitted(&mut self, n: usize) {
        self.output.transmitted(n);
    }

    /// How long to wait for input before [`handle_timeout`](Self::handle_timeout) is due. `None`, the
    /// rule, is for ever: only while replies are being paired again after an abandoned call is there
    /// something to do when nothing comes. The time counts from when this first gave it since the last input; a
    /// wait that was given up before does not begin anew.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        match self.state {
            _ if self.failed.is_some() || self.eof || !self.output.is_empty() => None,
            State::Syncing(_) => Some(self.barrier.patience()),
            _ => None,
        }
    }

    /// What happened. `Ok(None)` means that more input is needed, once what
    /// [`poll_transmit`](Self::poll_transmit) gives is written.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`], which is final: every later call gives the same.
    #[inline]
    pub fn poll_event(&mut self) -> Result<Option<Event<'_>>, ProtocolError> {
        if self.only_waits() { Ok(None) } else { self.poll_step() }
    }

    /// Whether nothing has come since a command was sent, as is the rule right behind it.
    #[inline]
    fn only_waits(&self) -> bool {
        matches!(self.state, State::Waiting(_))
            && self.input.is_searched()
            && self.found.is_none()
            && !(self.eof || self.hangup_to_tell || self.failed.is_some())
    }

    fn poll_step(&mut self) -> Result<Option<Event<'_>>, ProtocolError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let step = match self.step() {
            Ok(step) => step,
            Err(error) => return Err(self.fail(error)),
        };
        let response = |raw| Response::parse(trim_line_end(raw)).expect("it was one when it was found");
        Ok(match step {
            Step::NeedInput => None,
            Step::Environment => self.environment.as_ref().map(Event::Environment),
            Step::Trying => Some(Event::Trying),
            Step::Hangup => Some(Event::Hangup),
            Step::Closed => Some(Event::Closed),
            Step::Response(n) => Some(Event::Response(response(self.input.take(n)).on_channel(self.hung_up))),
            Step::Held => Some(Event::Response(response(&self.held).on_channel(self.hung_up))),
        })
    }

    // ---- the application's calls ----

    /// Queues a command. Its answer comes as [`Event::Response`].
    ///
    /// After [`abandon`](Self::abandon) the command waits until replies are paired again; nothing needs to
    /// be done for that but to go on with the loop.
    ///
    /// # Errors
    ///
    /// [`EncodeError`]; nothing was queued then.
    pub fn send<C: Command + ?Sized>(&mut self, command: &C) -> Result<Pending<C::Reply>, EncodeError> {
        self.admit()?;
        let info = command.info();
        let at_once = matches!(self.state, State::Idle);
        let out = if at_once { self.output.buffer() } else { &mut self.queued_line };
        let mut line = CommandLine::new(out, info.name, self.command_limit);
        command.encode(&mut line);
        line.finish()?;
        if at_once {
            self.state = State::Waiting(info);
        } else {
            self.queued = Some(info);
            self.start_sync_if_silent();
        }
        Ok(Pending::new(info.name, C::decode))
    }

    /// Gives up waiting for the answer of the command that was sent; does nothing where none is owed.
    ///
    /// If nothing of it was written yet, it is taken back. Otherwise the answer, if one comes, is dropped,
    /// and the next command waits for that. A command that [stops](crate::OnInput::Stops) when another comes is
    /// stopped by the next [`send`](Self::send) or [`resync`](Self::resync).
    #[inline]
    pub fn abandon(&mut self) {
        if self.queued.take().is_some() {
            self.queued_line.clear();
            return;
        }
        match self.state {
            State::Waiting(_) if self.output.retract() => self.state = State::Idle,
            State::Waiting(info) => self.state = State::Abandoned(info),
            State::Confirming if self.output.retract() => self.state = State::Idle,
            State::Confirming => self.state = State::Abandoned(ChannelStatus::INFO),
            State::Confirmed => self.state = State::Idle,
            State::Syncing(Sync::Surplus) => self.state = State::Syncing(Sync::Drop),
            State::Syncing(Sync::Value { shape, .. }) => {
                self.state = State::Syncing(Sync::Value { wanted: false, shape });
            }
            _ => {}
        }
    }

    /// Pairs replies again now, rather than at the next [`send`](Self::send): go on with the loop until
    /// [`is_settled`](Self::is_settled).
    ///
    /// Where no call was abandoned, this proves that nothing but answers is on the way: what comes before
    /// the barrier's echo is [`ProtocolError::Unsolicited`]. Right after the environment, that finds
    /// what somebody forged behind a forged end of the block.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Busy`] where an answer is waited for, and as for [`send`](Self::send).
    pub fn resync(&mut self) -> Result<(), EncodeError> {
        self.admit()?;
        if let State::Idle = self.state {
            self.start_sync(Sync::Prove);
        } else {
            self.start_sync_if_silent();
        }
        Ok(())
    }

    /// Says that nothing more will be sent: the transport shuts its writing side once
    /// [`poll_transmit`](Self::poll_transmit) gives `None`, then reads and polls until [`Event::Closed`].
    /// What still comes is dropped. Asterisk sends a `HANGUP` at the end of every session, hung up or
    /// not; this one is not told.
    pub fn finish(&mut self) {
        self.abandon();
        if !matches!(self.state, State::Closed) {
            self.output.retract();
            self.state = State::Finishing;
        }
    }

    // ---- getters ----

    /// The environment, once it has come.
    pub fn environment(&self) -> Option<&Environment> {
        self.environment.as_ref()
    }

    /// Whether the channel is known to be hung up: by `HANGUP`, by SIGHUP or by a 511.
    #[inline]
    pub fn is_hung_up(&self) -> bool {
        self.hung_up
    }

    /// Why there is no answer, and why nothing more can be sent: what an adapter gives to the caller when
    /// [`Event::Closed`] came instead of a response. A broken protocol is told before a hangup, and events that
    /// were not polled yet are taken into account.
    pub fn end<Io>(&mut self) -> Error<Io> {
        loop {
            match self.poll_event() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return Error::Protocol(error),
            }
        }
        if self.hung_up { Error::Hangup } else { Error::Closed }
    }

    /// Why [`send`](Self::send) or [`resync`](Self::resync) refused, for the caller of an adapter: who calls after
    /// the end did nothing wrong, and gets the [`end`](Self::end).
    pub fn refusal<Io>(&mut self, error: EncodeError) -> Error<Io> {
        match error {
            EncodeError::Closed => self.end(),
            error => Error::Encode(error),
        }
    }

    /// Whether somebody waits for an answer.
    pub fn is_waiting(&self) -> bool {
        self.queued.is_some()
            || matches!(self.state, State::Waiting(_) | State::Confirming | State::Confirmed)
            || matches!(self.state, State::Syncing(sync) if sync.holds())
    }

    /// Whether Asterisk has begun an answer that it writes in several pieces: GOSUB's `100`, or a 520 block. Or
    /// whether it may, as the answer to an abandoned command may come before the barrier's echo.
    ///
    /// Asterisk leaves Nagle's algorithm on, so the rest waits until this side acknowledges what came, which the
    /// kernel puts off for 40 ms. A transport over TCP may acknowledge at once while this holds (`TCP_QUICKACK`).
    pub fn expects_more(&self) -> bool {
        self.trying || self.framer.is_inside() || matches!(self.state, State::Syncing(_))
    }

    /// Whether no answer is owed that nobody waits for.
    #[inline]
    pub fn is_settled(&self) -> bool {
        !matches!(self.state, State::Abandoned(_) | State::Syncing(_))
    }

    /// Whether the conversation is over: the stream has ended and all was told.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }
}

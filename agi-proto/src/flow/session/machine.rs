//! The transitions of a [`Session`]: what each message means in each state.

use core::mem;

use memchr::memchr;

use super::{Session, State, Sync};
use crate::codec::command::Command;
use crate::codec::commands::ChannelStatus;
use crate::codec::environment::Environment;
use crate::codec::frame::Framer;
use crate::codec::line::{TooLong, trim_line_end};
use crate::codec::response::Response;
use crate::flow::output::Output;
use crate::values::error::{EncodeError, EnvironmentError, ProtocolError};
use crate::values::info::{CommandInfo, OnInput, ReplyShape};
use crate::values::limits::Limits;

/// TCP cuts no piece before that, unless it must: 536 bytes are the least (RFC 9293).
const PIECE: usize = 512;
/// How a response begins that holds text.
const TEXT: &[u8] = b"200 result=1 (speech)";
/// The bytes of text at which Asterisk cuts it.
const TEXT_CUT: usize = 4095;

/// What a poll came to; the event is made of it where borrowing allows.
pub(super) enum Step {
    NeedInput,
    Environment,
    Trying,
    Response(usize),
    Held,
    Hangup,
    Closed,
}

impl Session {
    pub(super) fn step(&mut self) -> Result<Step, ProtocolError> {
        loop {
            if mem::take(&mut self.hangup_to_tell) {
                return Ok(Step::Hangup);
            }
            match self.state {
                State::Environment(lines) => return self.step_environment(lines),
                State::Confirmed => {
                    self.state = State::Idle;
                    return Ok(Step::Held);
                }
                State::Closed => return Ok(Step::NeedInput),
                _ => {}
            }
            let Some(length) = self.find()? else {
                match self.starved()? {
                    Some(step) => return Ok(step),
                    None => continue,
                }
            };
            let message = trim_line_end(&self.input.peek()[..length]);
            let in_value = matches!(self.state, State::Syncing(Sync::Value { .. }));
            if message == b"HANGUP" && !in_value {
                self.take(length);
                if !matches!(self.state, State::Finishing) {
                    self.note_hangup();
                }
                continue;
            }
            let is_511 = |message| Response::parse(message).is_some_and(|response| response.status() == 511);
            if message.starts_with(b"511") && is_511(message) && !self.hung_up && self.awaits_answer() {
                // no HANGUP announces it where AGISIGHUP is off
                self.note_hangup();
                continue;
            }
            if let Some(step) = self.answer(length)? {
                return Ok(step);
            }
        }
    }

    /// The message that comes next, found once and taken later.
    fn find(&mut self) -> Result<Option<usize>, ProtocolError> {
        if self.found.is_none() && self.input.is_searched() {
            return Ok(None);
        }
        let too_long = |TooLong { limit }| ProtocolError::ResponseTooLong { limit };
        let shape = match self.state {
            State::Waiting(info) | State::Abandoned(info) if self.awaits_answer() => info.shape,
            State::Confirming if self.awaits_answer() => ReplyShape::Line,
            // what is no answer has no shape: a line that looks like a block's first must not hide more
            _ => return Ok(self.input.next_line().map_err(too_long)?.map(|line| line.end)),
        };
        if self.found.is_none() {
            self.found = self.framer.next(&mut self.input, shape).map_err(too_long)?;
        }
        Ok(self.found)
    }

    fn take(&mut self, length: usize) {
        self.found = None;
        self.input.take(length);
    }

    /// What a message that is no `HANGUP` means in this state.
    fn answer(&mut self, length: usize) -> Result<Option<Step>, ProtocolError> {
        let message = trim_line_end(&self.input.peek()[..length]);
        let response = Response::parse(message);
        if let State::Finishing = self.state {
            self.take(length);
            return Ok(None);
        }
        if let State::Syncing(sync) = self.state {
            return self.before_echo(sync, length).map(|()| None);
        }
        if !self.awaits_answer() {
            return Err(ProtocolError::Unsolicited(message.into()));
        }
        let response = response.ok_or_else(|| ProtocolError::Malformed(message.into()))?;
        self.trying = response.is_provisional();
        if self.trying {
            self.take(length);
            return Ok(matches!(self.state, State::Waiting(_)).then_some(Step::Trying));
        }
        let surplus = |info: CommandInfo| info.shape == ReplyShape::Exec && message == b"200 result=1";
        match self.state {
            State::Waiting(info) if surplus(info) => {
                self.hold(length);
                self.start_sync(Sync::Surplus);
                Ok(None)
            }
            State::Waiting(info) if self.may_go_on(info.shape, length) => {
                self.hold(length);
                self.start_sync(Sync::Value { wanted: true, shape: info.shape });
                Ok(None)
            }
            State::Waiting(info)
                if info.failure_may_be_hangup && !self.hung_up && is_minus_one(&response) =>
            {
                self.hold(length);
                self.ask_whether_hung_up();
                Ok(None)
            }
            State::Waiting(_) => {
                self.found = None;
                self.state = State::Idle;
                Ok(Some(Step::Response(length)))
            }
            State::Abandoned(info) if surplus(info) => {
                self.take(length);
                self.start_sync(Sync::Drop);
                Ok(None)
            }
            State::Abandoned(info) if self.may_go_on(info.shape, length) => {
                self.hold(length);
                self.start_sync(Sync::Value { wanted: false, shape: info.shape });
                Ok(None)
            }
            State::Abandoned(_) => {
                self.take(length);
                self.settle(false);
                Ok(None)
            }
            _ => {
                // Confirming: the answer was 511, or the channel lives
                self.take(length);
                self.state = State::Confirmed;
                Ok(None)
            }
        }
    }

    /// Whether the line that looks like the end of a value may be one within it. Who shapes the value could
    /// make the rest look like the next answer. Text has no end that could be known.
    ///
    /// Asterisk writes a response at once, so all of it is received at once, and what is behind it can only be
    /// `HANGUP`. That fails where this side lent too little space, and where it is too long for one piece of
    /// TCP's, of which the smallest is [`PIECE`].
    fn may_go_on(&self, shape: ReplyShape, length: usize) -> bool {
        let (message, mut behind) = self.input.peek().split_at(length);
        match shape {
            ReplyShape::Value => {}
            ReplyShape::Text => return message.starts_with(TEXT),
            ReplyShape::Line | ReplyShape::Exec => return false,
        }
        while let Some(rest) = behind.strip_prefix(b"HANGUP\n") {
            behind = rest;
        }
        let (first, more) = message.split_at(memchr(b'\n', message).map_or(length, |end| end + 1));
        let is_one_line = more.is_empty() && behind.is_empty() && length < PIECE && !self.is_cut(length);
        first.starts_with(b"200 result=1 (") && !is_one_line
    }

    /// Whether a message of so many bytes is the last that there was space for.
    fn is_cut(&self, length: usize) -> bool {
        self.input.is_cut() && self.input.peek().len() == length
    }

    /// What a message that comes before the barrier's echo means, and what the echo means.
    fn before_echo(&mut self, sync: Sync, length: usize) -> Result<(), ProtocolError> {
        let message = trim_line_end(&self.input.peek()[..length]);
        // no echo is that of a line that is not wholly written
        let echo = self.barrier.echo_of(message).map(|of_last| of_last && self.output.is_empty());
        match (echo, sync) {
            (None, Sync::Prove) => return Err(ProtocolError::Unsolicited(message.into())),
            (None, Sync::Value { wanted, shape }) => {
                // of a value its last line says whether a hangup came behind it; of text its length does
                if !wanted && shape == ReplyShape::Value {
                    self.held.clear();
                }
                let limit = self.limits.response_bytes;
                if self.held.len() + length > limit {
                    return Err(ProtocolError::ResponseTooLong { limit });
                }
                self.held.extend_from_slice(self.input.take(length));
                return Ok(());
            }
            (None, Sync::Drop | Sync::Surplus) | (Some(false), _) => {}
            (Some(true), _) => {
                if let Sync::Value { wanted, shape } = sync {
                    if !self.end_value(shape) && wanted {
                        return Err(ProtocolError::Malformed(self.held.as_slice().into()));
                    }
                }
                self.settle(sync.holds());
            }
        }
        self.take(length);
        Ok(())
    }

    /// All that came is the value, save for a `HANGUP` behind its last parenthesis. Gives whether it has
    /// one.
    ///
    /// Text may end in anything where Asterisk cut it, so a `HANGUP` behind one of that length is no news: if it is
    /// one, the next command finds that out.
    fn end_value(&mut self, shape: ReplyShape) -> bool {
        let is_text = shape == ReplyShape::Text;
        if is_text && self.held.len() >= TEXT_CUT {
            return true;
        }
        while let Some(value) = self.held.strip_suffix(b"HANGUP\n") {
            self.held.truncate(value.len());
            self.note_hangup();
        }
        is_text || trim_line_end(&self.held).ends_with(b")")
    }

    /// No whole message is there. `None` means that the state has changed.
    fn starved(&mut self) -> Result<Option<Step>, ProtocolError> {
        let rest = self.input.peek();
        let discards = match self.state {
            State::Finishing | State::Abandoned(_) => true,
            State::Syncing(sync) => !matches!(sync, Sync::Value { wanted: true, .. }),
            _ => false,
        };
        if !self.eof {
            return Ok(Some(Step::NeedInput));
        }
        if !rest.is_empty() && !discards {
            return Err(ProtocolError::Truncated(rest.into()));
        }
        if let State::Syncing(Sync::Value { wanted, shape }) = self.state {
            if !self.end_value(shape) && wanted {
                return Err(ProtocolError::Truncated(self.held.as_slice().into()));
            }
            if self.hangup_to_tell {
                return Ok(None);
            }
        }
        match self.state {
            // it closed where it would have answered: a channel whose session ends at hangup
            State::Confirming => {
                self.note_hangup();
                self.state = State::Confirmed;
                Ok(None)
            }
            State::Syncing(sync) if sync.holds() => {
                self.state = State::Confirmed;
                Ok(None)
            }
            _ => {
                self.state = State::Closed;
                self.queued = None;
                Ok(Some(Step::Closed))
            }
        }
    }

    fn step_environment(&mut self, mut lines: usize) -> Result<Step, ProtocolError> {
        let Limits { environment_variables, response_bytes, .. } = self.limits;
        loop {
            let line =
                self.input.next_line().map_err(|TooLong { limit }| EnvironmentError::TooLong { limit })?;
            let Some(range) = line else { break };
            if !trim_line_end(&self.input.peek()[range.clone()]).is_empty() {
                lines += 1;
                self.state = State::Environment(lines);
                if lines > environment_variables {
                    return Err(EnvironmentError::TooManyVariables { limit: environment_variables }.into());
                }
                continue;
            }
            let is_cut = self.is_cut(range.end);
            let environment = Environment::parse(self.input.take(range.end), self.leniency)?;
            self.command_limit = environment.version().command_limit();
            self.environment = Some(environment);
            self.input.set_limit(response_bytes);
            self.input.give_back();
            match is_cut {
                // if the block's end was forged, what stands behind it is not the first answer
                true => self.start_sync(Sync::Prove),
                false => self.state = State::Idle,
            }
            return Ok(Step::Environment);
        }
        match self.eof {
            false => Ok(Step::NeedInput),
            // somebody looked whether the port is open
            true if self.input.peek().is_empty() => {
                self.state = State::Closed;
                Ok(Step::Closed)
            }
            true => Err(EnvironmentError::Truncated.into()),
        }
    }

    /// Whether a command may be sent or queued.
    pub(super) fn admit(&mut self) -> Result<(), EncodeError> {
        if self.failed.is_some() || self.eof {
            return Err(EncodeError::Closed);
        }
        match self.state {
            State::Environment(_) => Err(EncodeError::NotStarted),
            State::Finishing | State::Closed => Err(EncodeError::Closed),
            _ if self.is_waiting() => Err(EncodeError::Busy),
            State::Idle => self.check_idle_input(),
            _ => Ok(()),
        }
    }

    /// Bytes that came before a command was sent are not its answer: there may be a `HANGUP`, or the
    /// beginning of one.
    fn check_idle_input(&mut self) -> Result<(), EncodeError> {
        while self.input.peek().starts_with(b"HANGUP\n") {
            self.take(b"HANGUP\n".len());
            self.note_hangup();
        }
        let rest = self.input.peek();
        if b"HANGUP\n".starts_with(rest) {
            return Ok(());
        }
        let error = ProtocolError::Unsolicited(rest.into());
        self.fail(error);
        Err(EncodeError::Closed)
    }

    /// Whether the next message can be an answer: to a line that is not wholly written none is.
    fn awaits_answer(&self) -> bool {
        matches!(self.state, State::Waiting(_) | State::Confirming | State::Abandoned(_))
            && self.output.is_empty()
    }

    pub(super) fn note_hangup(&mut self) {
        self.hangup_to_tell |= !self.hung_up;
        self.hung_up = true;
    }

    fn hold(&mut self, length: usize) {
        self.found = None;
        self.held.clear();
        self.held.extend_from_slice(self.input.take(length));
    }

    /// Asks what a dead channel answers with 511, and behind a `HANGUP` that is on its way.
    fn ask_whether_hung_up(&mut self) {
        let out = self.output.buffer();
        out.extend_from_slice(ChannelStatus::INFO.name.as_bytes());
        out.push(b'\n');
        self.state = State::Confirming;
    }

    /// Sends the barrier if the answer that is owed may never come.
    pub(super) fn start_sync_if_silent(&mut self) {
        let State::Abandoned(info) = self.state else { return };
        let enhanced = self.environment.as_ref().is_some_and(Environment::is_enhanced);
        let stops = match info.on_input {
            OnInput::RunsOn => false,
            OnInput::Stops => true,
            OnInput::StopsInEagi => enhanced,
        };
        if stops {
            self.held.clear();
            self.start_sync(match info.shape {
                shape @ (ReplyShape::Value | ReplyShape::Text) => Sync::Value { wanted: false, shape },
                ReplyShape::Line | ReplyShape::Exec => Sync::Drop,
            });
        }
    }

    pub(super) fn start_sync(&mut self, sync: Sync) {
        self.barrier.start(&mut self.output);
        // what was seen as the beginning of a message is looked at again, line by line
        self.framer = Framer::default();
        self.take(0);
        self.state = State::Syncing(sync);
    }

    /// Nothing is owed any more: what waits for that goes on.
    fn settle(&mut self, holding: bool) {
        self.state = match self.queued.take() {
            _ if holding => State::Confirmed,
            Some(info) => {
                self.output.buffer().append(&mut self.queued_line);
                State::Waiting(info)
            }
            None => State::Idle,
        };
    }

    pub(super) fn fail(&mut self, error: ProtocolError) -> ProtocolError {
        self.failed = Some(error.clone());
        self.output = Output::default();
        error
    }
}

fn is_minus_one(response: &Response<'_>) -> bool {
    response.status() == 200 && response.result().is_some_and(|result| result == "-1")
}

//! The transitions of a [`Session`]: what each message means in each state.

use core::mem;

use super::{Session, State, Sync};
use crate::command::{Command, CommandInfo, OnInput, ReplyShape};
use crate::commands::ChannelStatus;
use crate::environment::{Environment, EnvironmentError};
use crate::error::{EncodeError, ProtocolError};
use crate::frame::trim_line_end;
use crate::limits::Limits;
use crate::line::TooLong;
use crate::output::Output;
use crate::response::Response;

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
            if message == b"HANGUP" {
                self.take(length);
                if !matches!(self.state, State::Finishing) {
                    self.note_hangup();
                }
                continue;
            }
            if message.starts_with(b"511") && !self.hung_up && self.awaits_answer() {
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
        if self.found.is_none() {
            let shape = match self.state {
                State::Waiting(info) | State::Abandoned(info) => info.shape,
                State::Syncing(sync) => sync.shape,
                _ => ReplyShape::Line,
            };
            let too_long = |TooLong { limit }| ProtocolError::ResponseTooLong { limit };
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
            let echo = self.barrier.echo_of(message);
            if echo.is_none() && sync.strict {
                return Err(ProtocolError::Unsolicited(message.into()));
            }
            self.take(length);
            self.state = State::Syncing(Sync { shape: ReplyShape::Line, ..sync });
            if echo.is_some_and(|is_last| is_last) {
                self.settle(sync.holding);
            }
            return Ok(None);
        }
        // an answer to a line that is not wholly written is none
        if !self.awaits_answer() || !self.output.is_empty() {
            return Err(ProtocolError::Unsolicited(message.into()));
        }
        let response = response.ok_or_else(|| ProtocolError::Malformed(message.into()))?;
        if response.is_provisional() {
            self.take(length);
            return Ok(matches!(self.state, State::Waiting(_)).then_some(Step::Trying));
        }
        let surplus = |info: CommandInfo| info.shape == ReplyShape::Exec && message == b"200 result=1";
        match self.state {
            State::Waiting(info) if surplus(info) => {
                self.hold(length);
                self.start_sync(Sync { shape: ReplyShape::Line, holding: true, strict: false });
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
                self.start_sync(Sync { shape: ReplyShape::Line, holding: false, strict: false });
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

    /// No whole message is there. `None` means that the state has changed.
    fn starved(&mut self) -> Result<Option<Step>, ProtocolError> {
        let rest = self.input.peek();
        let discards = matches!(self.state, State::Finishing | State::Abandoned(_) | State::Syncing(_));
        if matches!(self.state, State::Idle)
            && !b"HANGUP\r\n".starts_with(rest)
            && !b"HANGUP\n".starts_with(rest)
        {
            return Err(ProtocolError::Unsolicited(rest.into()));
        }
        if !self.eof {
            return Ok(Some(Step::NeedInput));
        }
        if !rest.is_empty() && !discards {
            return Err(ProtocolError::Truncated(rest.into()));
        }
        match self.state {
            // it closed where it would have answered: a channel whose session ends at hangup
            State::Confirming => {
                self.note_hangup();
                self.state = State::Confirmed;
                Ok(None)
            }
            State::Syncing(Sync { holding: true, .. }) => {
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
            let environment = Environment::parse(self.input.take(range.end), self.leniency)?;
            self.command_limit = environment.version().command_limit();
            self.environment = Some(environment);
            self.input.set_limit(response_bytes);
            self.state = State::Idle;
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

    /// Bytes that came before a command was sent are not its answer.
    fn check_idle_input(&mut self) -> Result<(), EncodeError> {
        while !self.input.peek().is_empty() {
            match self.step_idle() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.fail(error);
                    return Err(EncodeError::Closed);
                }
            }
        }
        Ok(())
    }

    /// Takes a `HANGUP` that came while nothing was owed.
    fn step_idle(&mut self) -> Result<bool, ProtocolError> {
        let Some(length) = self.find()? else {
            self.starved()?;
            return Ok(false);
        };
        let message = trim_line_end(&self.input.peek()[..length]);
        if message != b"HANGUP" {
            return Err(ProtocolError::Unsolicited(message.into()));
        }
        self.take(length);
        self.note_hangup();
        Ok(true)
    }

    fn awaits_answer(&self) -> bool {
        matches!(self.state, State::Waiting(_) | State::Confirming | State::Abandoned(_))
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
            self.start_sync(Sync { shape: info.shape, holding: false, strict: false });
        }
    }

    pub(super) fn start_sync(&mut self, sync: Sync) {
        self.barrier.start(&mut self.output);
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

//! The states of a [`Session`], and every transition between them.

use alloc::vec::Vec;
use core::mem::{replace, take};

use super::questions::{Question, is_minus_one};
use super::reply::{self, Held};
use super::{Session, Step};
use crate::codec::environment::Environment;
use crate::codec::line::{LineTooLong, trim_line_end};
use crate::codec::response::Response;
use crate::values::error::{EnvironmentError, ProtocolError};
use crate::values::info::{CommandInfo, MusicEffect, ReplyFormat};
use crate::values::limits::Limits;

/// The state of a conversation: who may speak, and what is owed.
///
/// ```text
///                                     -- send --> Waiting -- reply ------------------> Idle
///  Environment -- blank line --> Idle                |  \-- -1, 511 --> Confirming -- reply --> Ready --> Idle
///                                                    |  \-- EXEC returned 1, or more of a value --+
///                                                 abandon                                         |
///                                                    v                                            v
///                    Idle <-- the reply --  Abandoned -- send, resync --> Syncing -- echo --> Ready, Idle, Waiting
/// ```
///
/// `Abandoned` goes to `Syncing` only if the reply may never come; otherwise it waits for the reply. Any state goes to
/// `Finishing` by `finish`, and to `Closed` at the end of the stream.
#[derive(Debug)]
pub(super) enum State {
    /// The environment block is coming; this many lines of it have come.
    Environment { lines: usize },
    /// No reply is owed.
    Idle,
    /// The reply to this command is owed, and somebody waits for it. `trying`: a `100` has come already.
    Waiting { info: CommandInfo, trying: bool },
    /// The reply that is held may mean a hangup: whether the channel is hung up is being asked.
    Confirming { held: Held, question: Question },
    /// The reply that is held can be delivered.
    Ready(Held),
    /// The reply to this command may be owed, and nobody waits for it.
    Abandoned { info: CommandInfo, trying: bool, queued: Option<Queued> },
    /// The barrier's echo is owed.
    Syncing { purpose: BarrierPurpose, queued: Option<Queued> },
    /// Nothing more will be sent; what still comes belongs to nobody.
    Finishing,
    /// The stream has ended.
    Closed { reported: bool },
}

/// Why the barrier was sent. This decides what to do with bytes that arrive before its echo. They are looked at line by
/// line: only the echo's own token shows where it ends.
#[derive(Debug)]
pub(super) enum BarrierPurpose {
    /// A call was abandoned: they are dropped.
    Discard,
    /// `EXEC` returned 1, which is held: they are the usage text after it, and dropped.
    Surplus(Held),
    /// A value of several lines, or recognised text, is held: they are the rest of it. If nobody waits for the value, only
    /// its last line is kept.
    Rest { held: Held, format: ReplyFormat, wanted: bool },
    /// There may be none.
    Prove,
}

/// A command that waits until replies are paired again.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) info: CommandInfo,
    pub(super) line: Vec<u8>,
}

// ---- the application's calls ----

impl Session {
    /// Notes a command whose line is in the output.
    #[inline]
    pub(super) fn on_send(&mut self, info: CommandInfo) {
        self.state = State::Waiting { info, trying: false };
    }

    /// Notes a command whose line must wait until replies are paired again.
    pub(super) fn on_send_later(&mut self, info: CommandInfo, line: Vec<u8>) {
        if let State::Abandoned { queued, .. } | State::Syncing { queued, .. } = &mut self.state {
            *queued = Some(Queued { info, line });
        }
        self.start_sync_if_silent();
    }

    pub(super) fn on_abandon(&mut self) {
        match &mut self.state {
            State::Abandoned { queued: queued @ Some(_), .. }
            | State::Syncing { queued: queued @ Some(_), .. } => {
                *queued = None;
            }
            State::Waiting { .. } | State::Confirming { .. } if self.output.retract() => {
                self.state = State::Idle;
            }
            State::Waiting { info, trying } => {
                self.state = State::Abandoned { info: *info, trying: *trying, queued: None };
            }
            State::Confirming { question, .. } => {
                self.state = State::Abandoned { info: question.info(), trying: false, queued: None };
            }
            State::Ready(_) => self.state = State::Idle,
            State::Syncing { purpose: purpose @ BarrierPurpose::Surplus(_), .. } => {
                *purpose = BarrierPurpose::Discard;
            }
            State::Syncing { purpose: BarrierPurpose::Rest { wanted, .. }, .. } => *wanted = false,
            State::Syncing { .. } | State::Abandoned { .. } | State::Environment { .. } => {}
            State::Idle | State::Finishing | State::Closed { .. } => {}
        }
    }

    pub(super) fn on_resync(&mut self) {
        match self.state {
            State::Idle => self.start_sync(BarrierPurpose::Prove),
            _ => self.start_sync_if_silent(),
        }
    }

    pub(super) fn on_finish(&mut self) {
        self.on_abandon();
        if !matches!(self.state, State::Closed { .. }) {
            self.output.retract();
            self.state = State::Finishing;
        }
    }
}

// ---- input ----

impl Session {
    /// Takes what has come one message further.
    pub(super) fn step(&mut self) -> Result<Step, ProtocolError> {
        loop {
            if take(&mut self.hangup.to_report) {
                return Ok(Step::Hangup);
            }
            match &mut self.state {
                State::Environment { .. } => return self.on_environment(),
                State::Ready(_) => {
                    if let State::Ready(held) = replace(&mut self.state, State::Idle) {
                        self.delivered = held;
                    }
                    return Ok(Step::Held);
                }
                State::Closed { reported: true } => return Ok(Step::NeedInput),
                State::Closed { reported } => {
                    *reported = true;
                    return Ok(Step::Closed);
                }
                _ => {}
            }
            let step = match self.find()? {
                Some(length) => self.on_message(length)?,
                None if !self.eof => return Ok(Step::NeedInput),
                None => self.on_end()?,
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    /// Decides what a whole message means in this state. `None`: nothing to report.
    #[inline]
    fn on_message(&mut self, length: usize) -> Result<Option<Step>, ProtocolError> {
        let message = trim_line_end(&self.input.peek()[..length]);
        match &self.state {
            State::Finishing => {
                self.input.take(length);
                return Ok(None);
            }
            // a value may hold such a line
            State::Syncing { purpose: BarrierPurpose::Rest { .. }, .. } => {
                return self.before_echo(length).map(|()| None);
            }
            _ if message == b"HANGUP" => {
                self.input.take(length);
                self.note_hangup(true);
                return Ok(None);
            }
            State::Syncing { .. } => return self.before_echo(length).map(|()| None),
            _ => {}
        }
        let Some(info) = self.owed() else { return Err(ProtocolError::Unsolicited(self.shown(message))) };
        let Some(response) = Response::parse(message) else {
            return Err(ProtocolError::Malformed(self.shown(message)));
        };
        let status = response.status();
        if status == 511 && !self.is_hung_up() && self.is_awaited() {
            if response.is_intercept() {
                let held = self.hold(length, status);
                self.ask_whether_hung_up(held, Question::CheckHangup);
            } else {
                self.note_hangup(false); // this message is looked at again
            }
            return Ok(None);
        }
        if response.is_provisional() {
            self.input.take(length);
            return Ok(self.on_provisional());
        }
        if status == 200 {
            self.hangup.was_alive |= !info.on_dead_channel;
            self.music &= info.music != MusicEffect::Stops;
        }
        if info.format == ReplyFormat::Exec && message == b"200 result=1" {
            let held = self.hold(length, status);
            let is_awaited = self.is_awaited();
            self.start_sync(if is_awaited { BarrierPurpose::Surplus(held) } else { BarrierPurpose::Discard });
            return Ok(None);
        }
        if reply::may_go_on(&self.input, info.format, length) {
            let wanted = matches!(self.state, State::Waiting { .. });
            let held = self.hold(length, status);
            self.start_sync(BarrierPurpose::Rest { held, format: info.format, wanted });
            return Ok(None);
        }
        if info.failure_may_be_hangup && is_minus_one(&response) && !self.is_hung_up() && self.is_awaited() {
            let held = self.hold(length, status);
            self.ask_whether_hung_up(held, Question::Status);
            return Ok(None);
        }
        let text = message.len();
        Ok(self.on_reply(length, text, status))
    }

    /// `100 result=0 Trying...`: the command runs, and its reply is still to come.
    fn on_provisional(&mut self) -> Option<Step> {
        let (State::Waiting { trying, .. } | State::Abandoned { trying, .. }) = &mut self.state else {
            return None;
        };
        *trying = true;
        self.is_awaited().then_some(Step::Trying)
    }

    /// The owed reply is whole.
    #[inline]
    fn on_reply(&mut self, length: usize, text: usize, status: u16) -> Option<Step> {
        if self.is_awaited() {
            self.input.found();
            self.state = State::Idle;
            return Some(Step::Response { length, text, status });
        }
        match replace(&mut self.state, State::Idle) {
            State::Confirming { held, question } => {
                if question.is_hangup(&self.input.take(length)[..text]) {
                    self.note_hangup(false);
                }
                self.state = State::Ready(held);
            }
            State::Abandoned { queued, .. } => {
                self.input.take(length);
                self.settle(queued);
            }
            other => unreachable!("no reply is owed in {other:?}"),
        }
        None
    }

    /// Decides what a line before the barrier's echo means, and what the echo means.
    fn before_echo(&mut self, length: usize) -> Result<(), ProtocolError> {
        let message = trim_line_end(&self.input.peek()[..length]);
        // an echo is genuine only after the barrier line has been written completely
        let echo = self.barrier.echo_of(message).map(|of_last| of_last && self.output.is_empty());
        let State::Syncing { purpose, .. } = &mut self.state else { return Ok(()) };
        match (echo, purpose) {
            (Some(true), _) => {
                self.input.take(length);
                return self.on_echo();
            }
            (Some(false), _) | (None, BarrierPurpose::Discard | BarrierPurpose::Surplus(_)) => {}
            (None, BarrierPurpose::Prove) => return Err(ProtocolError::Unsolicited(self.shown(message))),
            (None, BarrierPurpose::Rest { held, format, wanted }) => {
                // for a value, the last line shows whether HANGUP followed it; for speech text, the length does
                if !*wanted && *format == ReplyFormat::Value {
                    held.bytes.clear();
                }
                let limit = self.limits.response_bytes;
                if held.bytes.len() + length > limit {
                    return Err(ProtocolError::ResponseTooLong { limit });
                }
                held.bytes.extend_from_slice(&self.input.peek()[..length]);
            }
        }
        self.input.take(length);
        Ok(())
    }

    /// Replies are paired again.
    fn on_echo(&mut self) -> Result<(), ProtocolError> {
        let State::Syncing { purpose, queued } = replace(&mut self.state, State::Idle) else {
            return Ok(());
        };
        match purpose {
            BarrierPurpose::Surplus(held) => self.state = State::Ready(held),
            BarrierPurpose::Rest { mut held, format, wanted } => {
                let is_whole = self.end_value(&mut held, format);
                if wanted && !is_whole {
                    return Err(ProtocolError::Malformed(self.shown(&held.bytes)));
                }
                match wanted {
                    true => self.state = State::Ready(held),
                    false => self.settle(queued),
                }
            }
            BarrierPurpose::Discard | BarrierPurpose::Prove => self.settle(queued),
        }
        Ok(())
    }

    /// The stream has ended, and no whole message is left. `None`: the state has changed.
    fn on_end(&mut self) -> Result<Option<Step>, ProtocolError> {
        let rest = self.input.peek();
        let discards = match &self.state {
            State::Finishing | State::Abandoned { .. } => true,
            State::Syncing { purpose, .. } => !matches!(purpose, BarrierPurpose::Rest { wanted: true, .. }),
            _ => false,
        };
        if !rest.is_empty() && !discards {
            return Err(ProtocolError::Truncated(self.shown(rest)));
        }
        match replace(&mut self.state, State::Closed { reported: false }) {
            // EOF in place of the reply: the session ends at hangup (AGIEXITONHANGUP)
            State::Confirming { held, .. } => {
                self.note_hangup(false);
                self.state = State::Ready(held);
                Ok(None)
            }
            State::Syncing { purpose: BarrierPurpose::Surplus(held), .. } => {
                self.state = State::Ready(held);
                Ok(None)
            }
            State::Syncing { purpose: BarrierPurpose::Rest { mut held, format, wanted }, .. } => {
                let is_whole = self.end_value(&mut held, format);
                match wanted {
                    true if !is_whole => Err(ProtocolError::Truncated(self.shown(&held.bytes))),
                    true => {
                        self.state = State::Ready(held);
                        Ok(None)
                    }
                    false => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    fn on_environment(&mut self) -> Result<Step, ProtocolError> {
        let Limits { environment_variables, response_bytes, .. } = self.limits;
        let State::Environment { lines } = &mut self.state else { return Ok(Step::NeedInput) };
        loop {
            let line = self.input.next_line();
            let line = line.map_err(|LineTooLong { limit }| EnvironmentError::TooLong { limit })?;
            let Some(range) = line else { break };
            if !trim_line_end(&self.input.peek()[range.clone()]).is_empty() {
                *lines += 1;
                if *lines > environment_variables {
                    return Err(EnvironmentError::TooManyVariables { limit: environment_variables }.into());
                }
                continue;
            }
            let is_cut = self.input.is_cut(range.end);
            let environment = Environment::parse(self.input.take(range.end), self.leniency)?;
            self.command_limit = environment.version().command_limit();
            self.environment = Some(environment);
            self.input.limit_messages(response_bytes);
            self.state = State::Idle;
            if is_cut {
                // if the block's end was forged, the bytes after it are not the first reply
                self.start_sync(BarrierPurpose::Prove);
            }
            return Ok(Step::Environment);
        }
        match self.eof {
            false => Ok(Step::NeedInput),
            // for example a port scan
            true if self.input.peek().is_empty() => {
                self.state = State::Closed { reported: true };
                Ok(Step::Closed)
            }
            true => Err(EnvironmentError::Truncated.into()),
        }
    }
}

// ---- helpers of the transitions ----

impl Session {
    fn ask_whether_hung_up(&mut self, held: Held, question: Question) {
        self.output.buffer().extend_from_slice(question.line());
        self.state = State::Confirming { held, question };
    }

    /// Sends the barrier if the reply that is owed may never come.
    fn start_sync_if_silent(&mut self) {
        let State::Abandoned { info, .. } = &self.state else { return };
        if self.stops(info) {
            let purpose = match info.format {
                format @ (ReplyFormat::Value | ReplyFormat::Speech) => {
                    BarrierPurpose::Rest { held: Held::default(), format, wanted: false }
                }
                ReplyFormat::Line | ReplyFormat::Exec => BarrierPurpose::Discard,
            };
            self.start_sync(purpose);
        }
    }

    fn start_sync(&mut self, purpose: BarrierPurpose) {
        self.barrier.start(&mut self.output);
        self.input.restart();
        let queued = match replace(&mut self.state, State::Idle) {
            State::Abandoned { queued, .. } => queued,
            _ => None,
        };
        self.state = State::Syncing { purpose, queued };
    }

    /// No reply is owed any more: a command that waits for that goes on.
    fn settle(&mut self, queued: Option<Queued>) {
        self.state = match queued {
            Some(Queued { info, mut line }) => {
                self.output.buffer().append(&mut line);
                State::Waiting { info, trying: false }
            }
            None => State::Idle,
        };
    }
}

// ---- the end of the stream, and the time ----

impl Session {
    pub(super) fn on_eof(&mut self) {
        self.eof = true;
        // a loop that did not see the end reported, or ignored it, sees it again
        if let State::Closed { reported } = &mut self.state {
            *reported = false;
        }
    }

    pub(super) fn on_timeout(&mut self) {
        if matches!(self.state, State::Syncing { .. }) {
            return self.barrier.send(&mut self.output);
        }
        self.fail(ProtocolError::Malformed(self.shown(self.input.peek())));
    }
}

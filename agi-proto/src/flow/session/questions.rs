//! Questions that the transitions ask, and what they note. Nothing here changes the state.

use alloc::format;
use core::time::Duration;

use bstr::BString;

use super::Session;
use super::reply::{self, Held};
use super::state::{BarrierPurpose, State};
use crate::codec::command::Command;
use crate::codec::commands::ChannelStatus;
use crate::codec::environment::Environment;
use crate::codec::line::LineTooLong;
use crate::codec::response::Response;
use crate::values::error::{EncodeError, ProtocolError};
use crate::values::info::{CommandInfo, ReplyFormat, WhenInterrupted};

/// The time for the rest of a message to come: Asterisk writes each message at once.
const REST: Duration = Duration::from_secs(60);

impl State {
    /// Returns whether somebody waits for a reply.
    pub(super) fn is_waiting(&self) -> bool {
        match self {
            Self::Waiting { .. } | Self::Confirming { .. } | Self::Ready(_) => true,
            Self::Abandoned { queued, .. } => queued.is_some(),
            Self::Syncing { purpose, queued } => queued.is_some() || purpose.is_awaited(),
            Self::Environment { .. } | Self::Idle | Self::Finishing | Self::Closed { .. } => false,
        }
    }

    /// Returns the command whose reply comes next, if a reply may.
    pub(super) fn owed(&self) -> Option<CommandInfo> {
        match self {
            Self::Waiting { info, .. } | Self::Abandoned { info, .. } => Some(*info),
            Self::Confirming { question, .. } => Some(question.info()),
            _ => None,
        }
    }
}

/// The question whether the channel is hung up. A `HANGUP` in transit arrives before its reply.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// Asked after a -1: a dead channel replies 511.
    Status,
    /// Asked after a 511 that no `HANGUP` announced. Asterisk refuses commands so on a channel that is hung up, and also
    /// in an interception routine, in which the channel lives. This variable tells them apart.
    CheckHangup,
}

impl Question {
    pub(super) fn line(self) -> &'static [u8] {
        match self {
            Self::Status => b"CHANNEL STATUS\n",
            Self::CheckHangup => b"GET VARIABLE CHANNEL(checkhangup)\n",
        }
    }

    /// Returns the facts of the command. Every reply to it is one line.
    pub(super) fn info(self) -> CommandInfo {
        match self {
            Self::Status => ChannelStatus::INFO,
            Self::CheckHangup => CommandInfo::new("GET VARIABLE").on_dead_channel(),
        }
    }

    /// Returns whether a reply means that the channel is hung up. An Asterisk without the function does not say, and then
    /// the 511 is taken for what it usually means.
    pub(super) fn is_hangup(self, reply: &[u8]) -> bool {
        match self {
            Self::Status => reply.starts_with(b"511"),
            Self::CheckHangup => reply != b"200 result=1 (0)",
        }
    }
}

impl BarrierPurpose {
    /// Returns whether somebody waits for the reply that is held.
    #[inline]
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self, Self::Surplus(_) | Self::Rest { wanted: true, .. })
    }
}

impl Session {
    /// Returns whether a command may be sent or queued.
    pub(super) fn admit(&mut self) -> Result<(), EncodeError> {
        if self.failed.is_some() || self.eof {
            return Err(EncodeError::Closed);
        }
        match self.state {
            State::Environment { .. } => Err(EncodeError::NotStarted),
            State::Finishing | State::Closed { .. } => Err(EncodeError::Closed),
            _ if self.state.is_waiting() => Err(EncodeError::Busy),
            State::Idle => self.check_idle_input(),
            _ => Ok(()),
        }
    }

    /// Looks at bytes that came before a command was sent: they are not its reply. There may be a `HANGUP`, or the
    /// beginning of one.
    fn check_idle_input(&mut self) -> Result<(), EncodeError> {
        while let Some(length) = reply::hangup_at_start(self.input.peek()) {
            self.input.take(length);
            self.note_hangup(true);
        }
        if reply::may_become_hangup(self.input.peek()) {
            return Ok(());
        }
        let error = ProtocolError::Unsolicited(self.shown(self.input.peek()));
        self.fail(error);
        Err(EncodeError::Closed)
    }

    /// Finds the next message; it is taken later.
    #[inline]
    pub(super) fn find(&mut self) -> Result<Option<usize>, ProtocolError> {
        let format = match &self.state {
            // no reply is one to a line that is not wholly written
            _ if !self.output.is_empty() => None,
            State::Waiting { info, .. } | State::Abandoned { info, .. } => Some(info.format),
            State::Confirming { .. } => Some(ReplyFormat::Line),
            _ => None,
        };
        let found = self.input.next_message(format);
        found.map_err(|LineTooLong { limit }| ProtocolError::ResponseTooLong { limit })
    }

    /// Returns the command whose reply comes next: none has been answered whose line is not wholly written.
    #[inline]
    pub(super) fn owed(&self) -> Option<CommandInfo> {
        self.state.owed().filter(|_| self.output.is_empty())
    }

    #[inline]
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    /// Returns how long to wait for input in this state, if not forever.
    pub(super) fn patience(&self) -> Option<Duration> {
        match &self.state {
            State::Syncing { .. } => Some(self.barrier.patience()),
            State::Waiting { .. } | State::Abandoned { .. } if self.input.is_inside_message() => Some(REST),
            _ => None,
        }
    }

    /// Returns whether a command stops when another comes, and perhaps is not answered.
    pub(super) fn stops(&self, info: &CommandInfo) -> bool {
        match info.when_interrupted {
            WhenInterrupted::Continues => false,
            WhenInterrupted::Stops => true,
            WhenInterrupted::StopsInEagi => self.environment.as_ref().is_some_and(Environment::is_enhanced),
        }
    }

    /// Notes that the channel is hung up, and whether Asterisk announced it.
    #[inline]
    pub(super) fn note_hangup(&mut self, announced: bool) {
        self.hangup.to_report |= !self.hangup.is_known;
        self.hangup.is_known = true;
        self.hangup.is_announced |= announced;
    }

    /// Takes a reply whose meaning is to be found out.
    pub(super) fn hold(&mut self, length: usize, status: u16) -> Held {
        Held { bytes: self.input.take(length).into(), status }
    }

    /// Notes the hangups after a value's end. Returns whether the value has an end.
    pub(super) fn end_value(&mut self, held: &mut Held, format: ReplyFormat) -> bool {
        let (is_whole, hung_up) = held.end(format);
        if hung_up {
            self.note_hangup(true);
        }
        is_whole
    }

    /// Returns bytes for an error, or their number if they may be a secret.
    pub(super) fn shown(&self, bytes: &[u8]) -> BString {
        if self.secret { format!("[{} bytes hidden]", bytes.len()).into() } else { bytes.into() }
    }
}

/// Returns whether a response says -1, which may be a hangup.
pub(super) fn is_minus_one(response: &Response<'_>) -> bool {
    response.status() == 200 && response.result().is_some_and(|result| result == "-1")
}

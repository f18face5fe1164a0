//! The events that a conversation sends to [`tracing`].

use std::time::Instant;

use agi_proto::{Command, Response};
use tracing::{Level, debug, enabled, trace};

use crate::redact::Redactor;

/// The target of all events, on every runtime: `RUST_LOG=agi=debug` shows each command.
pub const TARGET: &str = "agi";
/// The target of the events with the bytes of the wire, at the level `trace`.
const WIRE: &str = "agi::wire";

/// The log of one conversation. Nothing is formatted, and no clock is read, unless somebody listens.
#[derive(Debug, Default)]
pub struct ConversationLog {
    /// Decides which values may be shown.
    pub redactor: Redactor,
    /// The command whose reply is to be logged, and since when it runs.
    running: Option<(&'static str, Instant)>,
    /// The rest of a line that was shown is still to be written.
    mid_line: bool,
}

impl ConversationLog {
    /// Logs a command that was queued. `is_synced` is [`Session::is_synced`](agi_proto::Session::is_synced) by then.
    pub fn command<C: Command>(&mut self, command: &C, is_synced: bool) {
        self.redactor.sends(command.info(), is_synced);
        self.running = enabled!(target: TARGET, Level::DEBUG).then(|| {
            debug!(target: TARGET, command = %self.redactor.command(command), "command");
            (command.info().name, Instant::now())
        });
    }

    /// Logs its reply.
    pub fn reply(&mut self, response: &Response<'_>) {
        if let Some((command, since)) = self.running.take() {
            let (elapsed, reply) = (since.elapsed(), self.redactor.reply(response));
            debug!(target: TARGET, command, ?elapsed, status = response.status(), %reply, "reply");
        }
    }

    /// Logs the hangup.
    pub fn hangup(&self) {
        debug!(target: TARGET, "hangup");
    }

    /// Logs that the first `written` bytes of a line were written.
    pub fn wrote(&mut self, line: &[u8], written: usize) {
        if !self.mid_line {
            trace!(target: WIRE, sent = %self.redactor.output(line));
        }
        self.mid_line = written < line.len();
    }

    /// Logs bytes that came.
    pub fn read(&self, bytes: &[u8]) {
        trace!(target: WIRE, received = %self.redactor.input(bytes));
    }

    /// Logs the end of the conversation.
    pub fn end(&self) {
        debug!(target: TARGET, "end");
    }
}

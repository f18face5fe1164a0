//! What a conversation says to [`tracing`].

use std::time::Instant;

use agi_proto::{Command, Response, service};
use tracing::{Level, debug, enabled, trace};

/// The target of the events with the bytes of the wire, at the level of traces.
const WIRE: &str = "agi_smol::wire";

/// What one conversation says. Nothing is formatted, and no clock is read, unless somebody listens.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) shows: service::Log,
    /// The command whose reply is to be told, and since when it runs.
    running: Option<(&'static str, Instant)>,
    /// The rest of a line that was shown is still to be written.
    mid_line: bool,
}

impl Log {
    /// A command was queued.
    pub(crate) fn command<C: Command>(&mut self, command: &C, settled: bool) {
        self.shows.sends(command.info(), settled);
        self.running = enabled!(Level::DEBUG).then(|| {
            debug!(command = %self.shows.command(command), "command");
            (command.info().name, Instant::now())
        });
    }

    /// It was answered.
    pub(crate) fn reply(&mut self, response: &Response<'_>) {
        if let Some((command, since)) = self.running.take() {
            let (elapsed, reply) = (since.elapsed(), self.shows.input(response.raw()));
            debug!(command, ?elapsed, status = response.status(), %reply, "reply");
        }
    }

    pub(crate) fn hangup(&self) {
        debug!("hangup");
    }

    /// So many of these bytes, which end where the line ends, were written.
    pub(crate) fn wrote(&mut self, line: &[u8], written: usize) {
        if !self.mid_line {
            trace!(target: WIRE, sent = %self.shows.output(line));
        }
        self.mid_line = written < line.len();
    }

    pub(crate) fn end(&self) {
        debug!("end");
    }

    pub(crate) fn read(&self, bytes: &[u8]) {
        trace!(target: WIRE, received = %self.shows.input(bytes));
    }
}

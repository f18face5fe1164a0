//! One call: what the application does with it, and what it has to wait for. [`state`] holds the transitions.

mod state;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use self::state::{Ask, Foreign, Owed, State, Stop};
use crate::command;
use crate::event::Event;
use crate::ids::{CallId, Purpose};
use crate::out::Out;
use crate::pipe::Pipe;

/// A stop that comes before the prompt has begun is lost, and Asterisk looks for commands every 100 ms. So without a
/// sign of the beginning it is sent after this, and again at growing intervals.
const STOP_AFTER: Duration = Duration::from_millis(150);
const STOP_AGAIN: Duration = Duration::from_millis(100);
const STOP_SLOWEST: Duration = Duration::from_secs(1);
/// The result of an EXEC follows the end of its bridge within this.
const BRIDGE_LEFT: Duration = Duration::from_secs(2);

/// One session of `agi:async` on one channel.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) uniqueid: Vec<u8>,
    /// When its timer goes off at the latest.
    pub(crate) armed: Option<Duration>,
    state: State,
    /// Lines that wait for their turn.
    lines: VecDeque<Vec<u8>>,
    /// The number of the last command.
    last: u64,
    /// It runs within an EXEC of another session of its channel.
    is_nested: bool,
    /// The rest of another client's reply lies in the pipe.
    leftover: bool,
    /// The application knows of it.
    is_told: bool,
    /// The application has done its part: what is queued runs, then the break.
    is_finishing: bool,
    is_hanging_up: bool,
    /// When something happened on it last, and when it was last known to be there.
    heard: Duration,
    seen: Duration,
    is_status_asked: bool,
}

/// How a call comes to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// Its start was seen.
    Start,
    /// There are too many already.
    Full,
    /// It was found waiting; whether it was this service's before.
    Found { was_own: bool },
}

impl Call {
    /// Takes a call, of whose environment at least the beginning is known.
    pub(crate) fn new(
        id: CallId,
        uniqueid: Vec<u8>,
        environment: Pipe,
        origin: Origin,
        is_nested: bool,
        out: &mut Out,
    ) -> Self {
        let mut call = Self {
            id,
            uniqueid,
            armed: None,
            state: State::Over,
            lines: VecDeque::new(),
            last: 0,
            is_nested,
            leftover: false,
            is_told: false,
            is_finishing: false,
            is_hanging_up: false,
            heard: out.now,
            seen: out.now,
            is_status_asked: false,
        };
        call.begin(environment, origin, out);
        call
    }

    // ---- the application's calls ----

    /// Queues a line. As over FastAGI, it stops what plays.
    pub(crate) fn send(&mut self, line: &[u8], out: &mut Out) {
        self.lines.push_back(line.to_vec());
        self.go_on(out);
    }

    /// Stops the command that runs, if it is one that input stops.
    pub(crate) fn interrupt(&mut self, out: &mut Out) {
        let after = if matches!(self.state, State::Begun(_)) { Duration::ZERO } else { STOP_AFTER };
        let (State::Queued(owed) | State::Begun(owed)) = &mut self.state else { return };
        if command::stops(&owed.line) && owed.stop.is_none() {
            owed.stop = Some(Stop { due: out.now + after, again: STOP_AGAIN, is_asked: false });
            self.stop_if_due(out);
        }
    }

    /// Lets the dialplan go on once the queued lines have run.
    pub(crate) fn finish(&mut self, out: &mut Out) {
        if !self.is_finishing {
            self.is_finishing = true;
            self.go_on(out);
        }
    }

    /// There is more to send: now, or once what runs has been stopped.
    fn go_on(&mut self, out: &mut Out) {
        if matches!(self.state, State::Idle) { self.advance(out) } else { self.interrupt(out) }
    }

    // ---- events of Asterisk that change no state ----

    /// Notes that something happened on the channel.
    pub(crate) fn hear(&mut self, now: Duration) {
        (self.heard, self.seen) = (now, now);
    }

    /// AGIExecEnd: a command has run, and its result follows.
    pub(crate) fn has_run(&mut self, line: Option<&[u8]>, fails: bool) {
        if let State::Queued(owed) | State::Begun(owed) = &mut self.state {
            owed.fails |= owed.is(line) && fails;
        }
    }

    /// BridgeLeave: if the EXEC that is owed was the bridge, its result follows.
    pub(crate) fn left_bridge(&mut self, now: Duration) {
        if let State::Queued(owed) | State::Begun(owed) = &mut self.state {
            owed.check = Some(now + BRIDGE_LEFT);
        }
    }

    /// The response to Status has come.
    pub(crate) fn status_answered(&mut self) {
        self.is_status_asked = false;
    }

    /// The response to ControlPlayback has come.
    pub(crate) fn stop_answered(&mut self) {
        if let State::Queued(Owed { stop: Some(stop), .. }) | State::Begun(Owed { stop: Some(stop), .. }) =
            &mut self.state
        {
            stop.is_asked = false;
        }
    }

    // ---- time ----

    /// Returns when to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn due(&self, out: &Out) -> Option<Duration> {
        let alive =
            (!self.is_status_asked && !out.is_denied("Status")).then(|| self.seen + out.options.liveness);
        let other = match &self.state {
            State::Over => return None,
            State::Ending { until } => return Some(*until),
            State::Foreign(Foreign { ask: Ask::No, .. }) if out.options.claim.is_some() => {
                Some(self.heard + out.options.takeover)
            }
            State::Foreign(Foreign { ask: Ask::Put { until }, .. }) => Some(*until),
            State::Queued(owed) | State::Begun(owed) => {
                let stop = owed.stop.filter(|stop| !stop.is_asked).map(|stop| stop.due);
                let check = owed.check.filter(|_| alive.is_some());
                [stop, check].into_iter().flatten().min()
            }
            _ => None,
        };
        [alive, other].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, out: &mut Out) {
        self.time_passes(out);
        self.stop_if_due(out);
        self.ask_whether_it_is_there(out);
    }

    fn is_due_to_ask(&self, foreign: &Foreign, out: &Out) -> bool {
        let claims = out.options.claim.is_some();
        claims && foreign.ask == Ask::No && self.heard + out.options.takeover <= out.now
    }

    fn ask_whether_it_is_there(&mut self, out: &mut Out) {
        let mut is_due = self.seen + out.options.liveness <= out.now;
        if let State::Queued(owed) | State::Begun(owed) = &mut self.state {
            is_due |= owed.check.take_if(|check| *check <= out.now).is_some();
        }
        let can = !matches!(self.state, State::Over | State::Ending { .. }) && !out.is_denied("Status");
        if is_due && can && !self.is_status_asked {
            self.is_status_asked = true;
            out.status(self.id, &self.uniqueid);
        }
    }

    fn stop_if_due(&mut self, out: &mut Out) {
        let (State::Queued(owed) | State::Begun(owed)) = &mut self.state else { return };
        if let Some(stop) = owed.stop.as_mut().filter(|stop| stop.due <= out.now && !stop.is_asked) {
            stop.due = out.now + stop.again;
            stop.again = (stop.again * 2).min(STOP_SLOWEST);
            stop.is_asked = true;
            out.stop(self.id, &self.uniqueid);
        }
    }

    // ---- what goes out ----

    /// Queues a command in Asterisk, and wakes it if the channel is known to wait; returns the command's number.
    fn put(&mut self, line: &[u8], purpose: Purpose, out: &mut Out) -> u64 {
        self.last += 1;
        out.command(self.id, &self.uniqueid, self.last, purpose, line);
        // an EXEC may run in the outer session, and of whoever wins the claim
        if purpose == Purpose::Command && !self.is_nested {
            out.wake(self.id, &self.uniqueid, line);
        }
        self.last
    }

    fn tell(&mut self, reply: Option<Pipe>, out: &mut Out) {
        let Some(reply) = reply.filter(|_| self.is_told && !self.is_finishing) else { return };
        let call = self.id;
        out.events.push_back(match reply.finish(b"\n") {
            Ok(reply) => Event::Reply { call, reply },
            Err(cut) => Event::Cut { call, cut },
        });
    }

    // ---- getters ----

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ending { .. } | State::Over)
    }

    /// Whether another service has it, or nobody.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self.state, State::Foreign(_))
    }

    /// Whether the application may send lines.
    pub(crate) fn takes_lines(&self) -> bool {
        let can =
            matches!(self.state, State::Idle | State::Queued(_) | State::Begun(_) | State::Poking { .. });
        can && self.is_told && !self.is_finishing
    }

    pub(crate) fn queued_lines(&self) -> usize {
        self.lines.len()
    }

    /// Whether this command of the call is the one whose result is owed.
    pub(crate) fn owes(&self, number: u64) -> bool {
        match &self.state {
            State::Queued(owed) | State::Begun(owed) => owed.number == number,
            State::Completing { poke, .. } | State::Poking { poke, .. } => *poke == number,
            _ => false,
        }
    }

    /// Whether an EXEC or GOSUB is owed, which may run any application and bridge the channel.
    pub(crate) fn owes_dialplan(&self) -> bool {
        matches!(&self.state, State::Queued(owed) | State::Begun(owed) if command::runs_dialplan(&owed.line))
    }
}

#[cfg(test)]
mod tests {
    use core::mem;

    use super::*;

    #[test]
    fn an_idle_call_is_small() {
        assert!(mem::size_of::<Call>() <= 256, "{} bytes", mem::size_of::<Call>());
    }
}

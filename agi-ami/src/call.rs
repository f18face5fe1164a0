//! One call: whose it is, what is owed, what ends it. All transitions are here.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;
use core::str;
use core::time::Duration;

use crate::command;
use crate::event::{End, Event, Fate, Refusal};
use crate::ids::{CallId, Purpose, Tag};
use crate::options::Orphans;
use crate::out::Out;
use crate::pipe::{Pipe, may_go_on};

/// A session that a failure ended and one that a hangup ended look alike; the hangup's own event follows within this.
const HANGUP_FOLLOWS: Duration = Duration::from_millis(50);
/// A stop that comes before the prompt has begun is lost, and Asterisk looks for commands every 100 ms. So without a
/// sign of the beginning it is sent after this, and again at growing intervals.
const STOP_AFTER: Duration = Duration::from_millis(150);
const STOP_AGAIN: Duration = Duration::from_millis(100);
const STOP_SLOWEST: Duration = Duration::from_secs(1);
/// A service that has a call says so within this once it is asked.
const GRACE: Duration = Duration::from_secs(2);
/// The result of an EXEC follows the end of its bridge within this.
const BRIDGE_LEFT: Duration = Duration::from_secs(2);

const NOOP: &[u8] = b"NOOP";
const BREAK: &[u8] = b"ASYNCAGI BREAK";

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

/// Where a call stands.
///
/// ```text
///  AsyncAGIStart -- no claim ------------------------+-- whole ------------> Idle <-----------------+
///     |                                              +-- cut --> Completing --^                     |
///     +-- claim --> Claiming -- ours first ----------^                                              |
///     |               ^    \-- another's first --> Foreign -- silent: ask --> Foreign               |
///     |               +------------- no answer: adopt, break --------------------|                  |
///     +-- full --> Foreign                                                                          |
///                                                                                                   |
///  Idle -- send --> Queued -- AGIExecStart --> Begun -- AsyncAGIExec, whole: reply -----------------+
///                     \                          \-- AsyncAGIExec, 1,024 bytes --> Poking -- whole -+
///                      \-- AsyncAGIExec, as Begun
///
///  Queued, Begun -- the break's or a failure's AsyncAGIExec --> Leaving
///  Leaving after a failure -- AsyncAGIEnd --> Ending -- hangup, 50 ms --> Over
///  any -- AsyncAGIEnd, Hangup, BridgeEnter, no such channel, connection lost --> Over
/// ```
#[derive(Debug)]
enum State {
    /// Another service's, or nobody's.
    Foreign(Foreign),
    /// The claim is queued; the first claim that runs wins.
    Claiming { environment: Pipe, fate: Option<Fate> },
    /// The rest of the environment is being fetched by this poke.
    Completing { environment: Pipe, poke: u64, fate: Option<Fate> },
    /// Nothing is owed.
    Idle,
    /// This command waits in Asterisk.
    Queued(Owed),
    /// This command runs.
    Begun(Owed),
    /// The rest of a reply, or of what another client left, is being fetched by this poke.
    Poking { reply: Option<Pipe>, poke: u64 },
    /// Nothing can be sent any more: the end follows.
    Leaving(End),
    /// It has ended. A hangup may follow that explains it.
    Ending { until: Duration },
    /// It is to be removed.
    Over,
}

#[derive(Debug)]
struct Foreign {
    environment: Pipe,
    /// Whether it is known to be of a service that claims, or was this one's.
    is_own: bool,
    ask: Ask,
}

/// Whether its service was asked if it still has the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    No,
    /// The question waits in Asterisk.
    Queued,
    /// It was put; no answer until then is one.
    Put {
        until: Duration,
    },
    /// Nobody has it, and it stays so.
    Left,
}

#[derive(Debug)]
struct Owed {
    number: u64,
    line: Vec<u8>,
    /// `ResultCode` of its AGIExecEnd was -1: it ends the session.
    fails: bool,
    stop: Option<Stop>,
    /// When to ask what became of its bridge.
    check: Option<Duration>,
}

impl Owed {
    /// Whether an event is about this command: Asterisk leaves out text that is not UTF-8.
    fn is(&self, line: Option<&[u8]>) -> bool {
        line.map_or_else(|| str::from_utf8(&self.line).is_err(), |line| line == self.line)
    }
}

#[derive(Clone, Copy, Debug)]
struct Stop {
    due: Duration,
    again: Duration,
    is_asked: bool,
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
        let claims = out.options.claim.is_some();
        match origin {
            Origin::Start if claims => call.claim(environment, None, out),
            Origin::Start => call.won(environment, None, out),
            Origin::Full => {
                out.events
                    .push_back(Event::Refused { uniqueid: call.uniqueid.clone(), refusal: Refusal::Full });
                if claims {
                    call.state = State::Foreign(Foreign { environment, is_own: true, ask: Ask::No });
                } else {
                    call.break_out(out);
                }
            }
            Origin::Found { was_own } => {
                let foreign = Foreign { environment, is_own: was_own, ask: Ask::No };
                if claims { call.ask(foreign, out) } else { call.nobody(foreign, out) }
            }
        }
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

    // ---- events of Asterisk ----

    /// Notes that something happened on the channel.
    pub(crate) fn hear(&mut self, now: Duration) {
        (self.heard, self.seen) = (now, now);
    }

    /// AGIExecStart: a command has begun. Its own id is not told, and text that is not UTF-8 neither.
    pub(crate) fn begun(&mut self, line: Option<&[u8]>, out: &mut Out) {
        let State::Queued(owed) = &mut self.state else { return };
        if owed.is(line) {
            if let Some(stop) = &mut owed.stop {
                stop.due = out.now;
            }
            if let State::Queued(owed) = mem::replace(&mut self.state, State::Over) {
                self.state = State::Begun(owed);
            }
            if self.is_told && !self.is_finishing {
                out.events.push_back(Event::Begun { call: self.id });
            }
            self.stop_if_due(out);
        }
    }

    /// AGIExecEnd: a command has run, and its result follows.
    pub(crate) fn has_run(&mut self, line: Option<&[u8]>, fails: bool) {
        if let State::Queued(owed) | State::Begun(owed) = &mut self.state {
            owed.fails |= owed.is(line) && fails;
        }
    }

    /// AsyncAGIExec: a chunk came out of the pipe, behind this call's command or another client's.
    pub(crate) fn executed(&mut self, tag: Tag, chunk: &[u8], out: &mut Out) {
        let is_mine = |number| tag.own == Some((self.id, number));
        match mem::replace(&mut self.state, State::Over) {
            State::Foreign(foreign) => {
                self.leftover = may_go_on(chunk);
                self.executed_for_another(foreign, tag, out);
            }
            State::Claiming { mut environment, fate } => {
                if environment.is_drained() {
                    self.leftover = may_go_on(chunk);
                } else {
                    environment.poked(chunk);
                }
                match tag {
                    Tag { purpose: Purpose::Claim, own: Some(_) } => self.won(environment, fate, out),
                    Tag { purpose: Purpose::Claim, own: None } => {
                        self.state = State::Foreign(Foreign { environment, is_own: true, ask: Ask::No });
                    }
                    _ => self.state = State::Claiming { environment, fate },
                }
            }
            State::Completing { mut environment, poke, fate } => {
                environment.poked(chunk);
                if environment.is_drained() || is_mine(poke) {
                    self.won(environment, fate, out);
                } else {
                    self.state = State::Completing { environment, poke, fate };
                }
            }
            State::Queued(owed) | State::Begun(owed) if is_mine(owed.number) => {
                self.replied(&owed, chunk, out)
            }
            State::Poking { mut reply, poke } => {
                let is_drained = match &mut reply {
                    Some(pipe) => {
                        pipe.poked(chunk);
                        pipe.is_drained()
                    }
                    None => !may_go_on(chunk),
                };
                if is_drained {
                    self.leftover = false;
                    self.tell(reply, out);
                    self.idle(out);
                } else if is_mine(poke) {
                    self.poke(reply, out);
                } else {
                    self.state = State::Poking { reply, poke };
                }
            }
            state @ (State::Idle | State::Queued(_) | State::Begun(_)) => {
                self.leftover = may_go_on(chunk);
                self.state = state;
            }
            state @ (State::Leaving(_) | State::Ending { .. } | State::Over) => self.state = state,
        }
        if tag == (Tag { own: None, purpose: Purpose::Ask }) {
            self.say_that_it_is_held(out);
        }
    }

    /// AsyncAGIEnd: the session is over.
    pub(crate) fn end(&mut self, out: &mut Out) {
        match self.state {
            State::Leaving(End::Failed) if !self.is_hanging_up => {
                self.state = State::Ending { until: out.now + HANGUP_FOLLOWS };
            }
            State::Leaving(End::Broke) => self.over(End::Broke, out),
            _ => self.over(End::Hangup, out),
        }
    }

    /// HangupRequest, SoftHangupRequest: the end will be a hangup.
    pub(crate) fn hanging_up(&mut self, out: &mut Out) {
        self.is_hanging_up = true;
        if let State::Ending { .. } = self.state {
            self.over(End::Hangup, out);
        }
    }

    /// Hangup: the channel is no more.
    pub(crate) fn hung_up(&mut self, out: &mut Out) {
        let has_ended = matches!(self.state, State::Ending { .. });
        self.over(if has_ended { End::Hangup } else { End::Gone }, out);
    }

    /// BridgeLeave: if the EXEC that is owed was the bridge, its result follows.
    pub(crate) fn left_bridge(&mut self, now: Duration) {
        if let State::Queued(owed) | State::Begun(owed) = &mut self.state {
            owed.check = Some(now + BRIDGE_LEFT);
        }
    }

    /// The call is not in Async AGI any more, and nobody said when it left.
    pub(crate) fn gone(&mut self, out: &mut Out) {
        self.over(if self.is_hanging_up { End::Hangup } else { End::Gone }, out);
    }

    /// The response to a command is an error: the channel does not exist, or is not in Async AGI.
    pub(crate) fn refused(&mut self, out: &mut Out) {
        if !matches!(self.state, State::Leaving(_) | State::Ending { .. }) {
            self.gone(out);
        }
    }

    /// The connection was lost.
    pub(crate) fn lost(&mut self, out: &mut Out) {
        self.over(End::Lost, out);
    }

    /// Status: what the channel runs. `owes_dialplan` says whether any session of the channel owes an EXEC, which
    /// would run any application.
    pub(crate) fn status(&mut self, application: &[u8], owes_dialplan: bool, out: &mut Out) {
        self.seen = out.now;
        let is_none = application.is_empty() || application == b"(null)";
        let is_agi = application.eq_ignore_ascii_case(b"AGI") || application.eq_ignore_ascii_case(b"DeadAGI");
        let is_mine = !matches!(self.state, State::Foreign(_) | State::Ending { .. });
        if is_none || is_mine && !is_agi && !owes_dialplan {
            self.gone(out);
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
        match mem::replace(&mut self.state, State::Over) {
            State::Ending { until } if until <= out.now => {
                self.over(End::Failed, out);
                return;
            }
            State::Foreign(foreign) if self.is_due_to_ask(&foreign, out) => self.ask(foreign, out),
            State::Foreign(Foreign { environment, is_own, ask: Ask::Put { until } }) if until <= out.now => {
                self.nobody(Foreign { environment, is_own, ask: Ask::No }, out);
            }
            state => self.state = state,
        }
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

    // ---- claims ----

    fn claim(&mut self, environment: Pipe, fate: Option<Fate>, out: &mut Out) {
        self.state = State::Claiming { environment, fate };
        self.put(NOOP, Purpose::Claim, out);
    }

    /// The call is this service's.
    fn won(&mut self, environment: Pipe, fate: Option<Fate>, out: &mut Out) {
        if !environment.is_drained() {
            let poke = self.put(NOOP, Purpose::Command, out);
            self.state = State::Completing { environment, poke, fate };
            return;
        }
        if let Some(fate) = fate {
            out.events.push_back(Event::Orphan { uniqueid: self.uniqueid.clone(), fate });
        }
        if fate == Some(Fate::Broken) {
            return self.break_out(out);
        }
        match environment.finish(b"\n\n") {
            Ok(environment) => {
                self.is_told = true;
                let uniqueid = self.uniqueid.clone();
                out.events.push_back(Event::Started { call: self.id, uniqueid, environment });
                self.idle(out);
            }
            Err(cut) => {
                let refusal = Refusal::Environment(cut);
                out.events.push_back(Event::Refused { uniqueid: self.uniqueid.clone(), refusal });
                self.break_out(out);
            }
        }
    }

    fn ask(&mut self, foreign: Foreign, out: &mut Out) {
        self.put(NOOP, Purpose::Ask, out);
        self.state = State::Foreign(Foreign { ask: Ask::Queued, ..foreign });
    }

    /// A command of another service, or this one's question, ran in a call of another service.
    fn executed_for_another(&mut self, foreign: Foreign, tag: Tag, out: &Out) {
        let Foreign { environment, is_own, ask } = foreign;
        let ask = match tag {
            Tag { own: Some((call, _)), purpose: Purpose::Ask } if call == self.id && ask == Ask::Queued => {
                Ask::Put { until: out.now + GRACE }
            }
            // it is alive
            Tag { own: None, purpose: Purpose::Claim | Purpose::Command } => Ask::No,
            _ => ask,
        };
        let is_own = is_own || tag == (Tag { own: None, purpose: Purpose::Claim });
        self.state = State::Foreign(Foreign { environment, is_own, ask });
    }

    /// Nobody serves the call.
    fn nobody(&mut self, foreign: Foreign, out: &mut Out) {
        let fate = match out.options.orphans {
            Orphans::Adopt => Fate::Adopted,
            Orphans::Break => Fate::Broken,
            Orphans::BreakOwn if foreign.is_own => Fate::Broken,
            Orphans::BreakOwn | Orphans::Leave => Fate::Left,
        };
        if fate == Fate::Left {
            out.events.push_back(Event::Orphan { uniqueid: self.uniqueid.clone(), fate });
            self.state = State::Foreign(Foreign { ask: Ask::Left, ..foreign });
        } else if out.options.claim.is_some() {
            self.claim(foreign.environment, Some(fate), out);
        } else {
            self.won(foreign.environment, Some(fate), out);
        }
    }

    fn say_that_it_is_held(&mut self, out: &mut Out) {
        let is_held = !matches!(
            self.state,
            State::Foreign(_)
                | State::Claiming { .. }
                | State::Leaving(_)
                | State::Ending { .. }
                | State::Over
        );
        if is_held && out.options.claim.is_some() {
            self.put(NOOP, Purpose::Claim, out);
        }
    }

    // ---- commands ----

    fn idle(&mut self, out: &mut Out) {
        self.state = State::Idle;
        self.advance(out);
    }

    /// Sends what is next, if nothing is owed.
    fn advance(&mut self, out: &mut Out) {
        if !matches!(self.state, State::Idle) {
            return;
        }
        let has_more = !self.lines.is_empty() || self.is_finishing;
        if has_more && self.leftover {
            return self.poke(None, out);
        }
        let Some(line) = self.lines.pop_front().or_else(|| has_more.then(|| BREAK.to_vec())) else { return };
        let number = self.put(&line, Purpose::Command, out);
        self.state = State::Queued(Owed { number, line, fails: false, stop: None, check: None });
        if !self.lines.is_empty() || self.is_finishing {
            self.interrupt(out);
        }
    }

    fn break_out(&mut self, out: &mut Out) {
        self.is_finishing = true;
        self.idle(out);
    }

    fn poke(&mut self, reply: Option<Pipe>, out: &mut Out) {
        let poke = self.put(NOOP, Purpose::Command, out);
        self.state = State::Poking { reply, poke };
    }

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

    fn replied(&mut self, owed: &Owed, chunk: &[u8], out: &mut Out) {
        let mut reply = Pipe::new(out.options.reply_bytes);
        if mem::take(&mut self.leftover) {
            reply.mix();
        }
        reply.begin(chunk);
        let end = match () {
            () if command::breaks(&owed.line) => Some(End::Broke),
            () if owed.fails => Some(End::Failed),
            () => None,
        };
        match end {
            // no poke would run any more
            Some(end) => {
                self.tell(Some(reply), out);
                self.state = State::Leaving(end);
            }
            None if reply.is_drained() => {
                self.tell(Some(reply), out);
                self.idle(out);
            }
            None => self.poke(Some(reply), out),
        }
    }

    fn tell(&mut self, reply: Option<Pipe>, out: &mut Out) {
        let Some(reply) = reply.filter(|_| self.is_told && !self.is_finishing) else { return };
        let call = self.id;
        out.events.push_back(match reply.finish(b"\n") {
            Ok(reply) => Event::Reply { call, reply },
            Err(cut) => Event::Cut { call, cut },
        });
    }

    fn over(&mut self, end: End, out: &mut Out) {
        self.state = State::Over;
        if mem::take(&mut self.is_told) {
            out.events.push_back(Event::Ended { call: self.id, end });
        }
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
    use super::*;

    #[test]
    fn an_idle_call_is_small() {
        assert!(mem::size_of::<Call>() <= 256, "{} bytes", mem::size_of::<Call>());
    }
}

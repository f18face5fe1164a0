//! Where a call stands, and everything that changes it.

use alloc::vec::Vec;
use core::mem;
use core::str;
use core::time::Duration;

use super::{Call, Origin};
use crate::command;
use crate::event::{End, Event, Fate, Refusal};
use crate::ids::{Purpose, Tag};
use crate::options::Orphans;
use crate::out::Out;
use crate::pipe::{Pipe, may_go_on};

/// A session that a failure ended and one that a hangup ended look alike; the hangup's own event follows within this.
const HANGUP_FOLLOWS: Duration = Duration::from_millis(50);
/// A service that has a call says so within this once it is asked.
const GRACE: Duration = Duration::from_secs(2);

const NOOP: &[u8] = b"NOOP";
const BREAK: &[u8] = b"ASYNCAGI BREAK";

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
pub(super) enum State {
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
pub(super) struct Foreign {
    pub(super) environment: Pipe,
    /// Whether it is known to be of a service that claims, or was this one's.
    pub(super) is_own: bool,
    pub(super) ask: Ask,
}

/// Whether its service was asked if it still has the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
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
pub(super) struct Owed {
    pub(super) number: u64,
    pub(super) line: Vec<u8>,
    /// `ResultCode` of its AGIExecEnd was -1: it ends the session.
    pub(super) fails: bool,
    pub(super) stop: Option<Stop>,
    /// When to ask what became of its bridge.
    pub(super) check: Option<Duration>,
}

impl Owed {
    /// Whether an event is about this command: Asterisk leaves out text that is not UTF-8.
    pub(super) fn is(&self, line: Option<&[u8]>) -> bool {
        line.map_or_else(|| str::from_utf8(&self.line).is_err(), |line| line == self.line)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) due: Duration,
    pub(super) again: Duration,
    pub(super) is_asked: bool,
}

impl Call {
    /// Takes the first step.
    pub(super) fn begin(&mut self, environment: Pipe, origin: Origin, out: &mut Out) {
        let claims = out.options.claim.is_some();
        match origin {
            Origin::Start if claims => self.claim(environment, None, out),
            Origin::Start => self.won(environment, None, out),
            Origin::Full => {
                out.events
                    .push_back(Event::Refused { uniqueid: self.uniqueid.clone(), refusal: Refusal::Full });
                if claims {
                    self.state = State::Foreign(Foreign { environment, is_own: true, ask: Ask::No });
                } else {
                    self.break_out(out);
                }
            }
            Origin::Found { was_own } => {
                let foreign = Foreign { environment, is_own: was_own, ask: Ask::No };
                if claims { self.ask(foreign, out) } else { self.nobody(foreign, out) }
            }
        }
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
                self.replied(&owed, chunk, out);
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

    /// Asterisk says that the channel does not exist or is not in Async AGI. Where the end follows, it will not.
    pub(crate) fn refused(&mut self, out: &mut Out) {
        match self.state {
            State::Leaving(end) if !self.is_hanging_up => self.over(end, out),
            State::Ending { .. } => {}
            _ => self.gone(out),
        }
    }

    /// The call is not in Async AGI any more, and nobody said when it left.
    pub(crate) fn gone(&mut self, out: &mut Out) {
        self.over(if self.is_hanging_up { End::Hangup } else { End::Gone }, out);
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

    fn idle(&mut self, out: &mut Out) {
        self.state = State::Idle;
        self.advance(out);
    }

    /// Sends what is next, if nothing is owed.
    pub(super) fn advance(&mut self, out: &mut Out) {
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

    fn over(&mut self, end: End, out: &mut Out) {
        self.state = State::Over;
        if mem::take(&mut self.is_told) {
            out.events.push_back(Event::Ended { call: self.id, end });
        }
    }

    /// Does what is due in the state itself.
    pub(super) fn time_passes(&mut self, out: &mut Out) {
        match mem::replace(&mut self.state, State::Over) {
            State::Ending { until } if until <= out.now => {
                self.over(End::Failed, out);
            }
            State::Foreign(foreign) if self.is_due_to_ask(&foreign, out) => self.ask(foreign, out),
            State::Foreign(Foreign { environment, is_own, ask: Ask::Put { until } }) if until <= out.now => {
                self.nobody(Foreign { environment, is_own, ask: Ask::No }, out);
            }
            state => self.state = state,
        }
    }
}

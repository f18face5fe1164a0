//! A PBX and the caller whose script it follows: bytes and time in, bytes out.

use std::collections::VecDeque;
use std::time::Duration;

use agi_proto::{BStr, BString};

use super::Caller;
use super::faults::Faults;
use super::step::Step;
use super::transcript::Transcript;
use crate::model::{Event, Pbx};

/// How long a caller takes to press the first key, and from key to key.
const REACTION: Duration = Duration::from_millis(200);
const KEY: Duration = Duration::from_millis(100);

enum Heard {
    Play(BString),
    Say(BString),
}

pub(crate) struct Scripted {
    pub(crate) pbx: Pbx,
    pub(crate) transcript: Transcript,
    pub(crate) failure: Option<String>,
    /// The failure is what had not happened by the end, which may have a reason of the service's own.
    pub(crate) unmet: bool,
    /// How many places there were where the caller might have hung up.
    pub(crate) places: usize,
    pub(crate) now: Duration,
    pub(crate) reset: bool,
    steps: VecDeque<Step>,
    /// When the step began that is due.
    since: Duration,
    heard: VecDeque<Heard>,
    lines: VecDeque<BString>,
    /// When the next key is pressed.
    key: Option<Duration>,
    faults: Faults,
    /// Bytes on their way, and when they arrive.
    transit: VecDeque<(Duration, Vec<u8>)>,
    silent: bool,
    half_closed: bool,
    pub(crate) patience: Duration,
    active: Duration,
    hang_up_at: Option<usize>,
    hang_up_due: Option<Duration>,
    left: bool,
}

impl Scripted {
    pub(crate) fn new(caller: Caller) -> Self {
        let mut scripted = Self {
            pbx: Pbx::new(caller.setup),
            transcript: Transcript::watched(caller.watcher),
            failure: None,
            unmet: false,
            places: 0,
            now: Duration::ZERO,
            reset: false,
            steps: caller.steps.into(),
            since: Duration::ZERO,
            heard: VecDeque::new(),
            lines: VecDeque::new(),
            key: None,
            faults: caller.faults,
            transit: VecDeque::new(),
            silent: false,
            half_closed: false,
            patience: caller.patience,
            active: Duration::ZERO,
            hang_up_at: caller.hang_up_at,
            hang_up_due: None,
            left: false,
        };
        scripted.place();
        scripted.advance();
        scripted
    }

    // ---- the service's stream ----

    pub(crate) fn handle_input(&mut self, bytes: &[u8], now: Duration) {
        self.handle_timeout(now);
        self.active = self.now;
        self.place(); // the hangup crosses the command
        self.pbx.handle_input(bytes, self.now);
        if self.pbx.is_busy() {
            self.places += 1;
            if self.is_place() {
                let due = self.pbx.poll_timeout().unwrap_or(self.now + REACTION);
                self.hang_up_due = Some(self.now + due.saturating_sub(self.now) / 2);
            }
        }
        self.advance();
    }

    pub(crate) fn handle_eof(&mut self, now: Duration) {
        self.handle_timeout(now);
        if !self.left {
            self.left = true;
            self.transcript.note(self.now, "the service closes its side");
            self.pbx.handle_eof(self.now);
            self.advance();
        }
    }

    /// The connection broke: the service resets it, or closed without reading to the end.
    pub(crate) fn handle_break(&mut self, why: &std::io::Error, now: Duration) {
        self.handle_timeout(now);
        self.transcript.note(self.now, format_args!("the connection breaks: {why}"));
        if !self.left {
            self.left = true;
            self.pbx.handle_eof(self.now);
            self.advance();
        }
    }

    /// What has arrived of Asterisk's bytes.
    pub(crate) fn poll_transmit(&self) -> Option<&[u8]> {
        let (due, bytes) = self.transit.front()?;
        (*due <= self.now && !self.reset).then_some(bytes)
    }

    pub(crate) fn transmitted(&mut self, n: usize) {
        let Some((_, bytes)) = self.transit.front_mut() else { return };
        bytes.drain(..n);
        if bytes.is_empty() {
            self.transit.pop_front();
        }
    }

    /// Whether the service reads the end of the stream, once it has read what has arrived.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_half_closed() || self.pbx.status().is_some() && self.transit.is_empty()
    }

    pub(crate) fn is_half_closed(&self) -> bool {
        self.half_closed && self.transit.is_empty()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.reset || self.pbx.status().is_some()
    }

    // ---- time ----

    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        let arrival = self.transit.front().map(|(due, _)| *due).filter(|&due| due > self.now);
        if self.is_over() {
            return arrival;
        }
        let wait = match self.steps.front() {
            Some(Step::Wait(time)) => Some(self.since + *time),
            _ => None,
        };
        let due = [arrival, wait, self.key, self.hang_up_due, self.pbx.poll_timeout()];
        // who has something to wait for needs no patience
        Some(due.into_iter().flatten().min().unwrap_or(self.active + self.patience))
    }

    pub(crate) fn handle_timeout(&mut self, now: Duration) {
        while let Some(due) = self.poll_timeout().filter(|&due| due <= now) {
            self.now = self.now.max(due);
            let before = self.transcript.len();
            if self.hang_up_due.is_some_and(|due| due <= self.now) {
                self.hang_up_due = None;
                self.hang_up();
            }
            self.pbx.handle_timeout(self.now);
            self.advance();
            if before != self.transcript.len() {
                self.active = self.now;
            } else if self.now >= self.active + self.patience && !self.is_over() && self.is_waiting() {
                self.give_up(format!("nothing has happened for {:?}", self.patience));
            }
        }
        self.now = self.now.max(now);
    }

    // ---- the script ----

    /// Lets the caller go on as far as the script allows.
    fn advance(&mut self) {
        loop {
            let before = self.transcript.len();
            self.drain();
            let went = !self.is_over() && self.step();
            if !went && before == self.transcript.len() {
                break;
            }
        }
        if self.pbx.status().is_some() && self.key.take().is_some() {
            self.steps.pop_front(); // nobody minds the last keys
        }
        if self.pbx.status().is_some() && self.hang_up_at.is_none() && !self.steps.is_empty() {
            self.unmet = self.failure.is_none();
            let rest: Vec<String> = self.steps.drain(..).map(|step| step.to_string()).collect();
            self.fail(format!("the call is over, and this did not happen: {}", rest.join(", ")));
        }
    }

    /// Takes what the PBX has done.
    fn drain(&mut self) {
        while let Some(event) = self.pbx.poll_event() {
            self.transcript.event(self.now, &event);
            match event {
                Event::Plays(file) => self.heard.push_back(Heard::Play(file)),
                Event::Says(text) => self.heard.push_back(Heard::Say(text)),
                Event::Command(line) => self.lines.push_back(line),
                _ => {}
            }
        }
        let mut wrote = false;
        while let Some(bytes) = self.pbx.poll_transmit() {
            let bytes = bytes.to_vec();
            self.pbx.transmitted(bytes.len());
            if self.silent {
                continue;
            }
            wrote = true;
            if let Some((_, last)) = self.transit.back_mut().filter(|_| self.faults.joins()) {
                last.extend_from_slice(&bytes);
                continue;
            }
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at(self.faults.piece(rest.len()));
                let last = self.transit.back().map_or(self.now, |(due, _)| (*due).max(self.now));
                self.transit.push_back((last + self.faults.pause(), piece.to_vec()));
                rest = behind;
            }
        }
        if wrote {
            self.place(); // directly behind what Asterisk wrote
        }
    }

    /// Whether nothing happens unless the service does something.
    fn is_waiting(&self) -> bool {
        self.key.is_none() && self.hang_up_due.is_none() && self.pbx.poll_timeout().is_none()
    }

    /// A place where the caller may hang up.
    fn place(&mut self) {
        self.places += 1;
        if self.is_place() {
            self.hang_up();
        }
    }

    fn is_place(&self) -> bool {
        self.hang_up_at == Some(self.places)
    }

    fn hang_up(&mut self) {
        self.transcript.note(self.now, "the caller hangs up");
        self.steps.clear();
        self.key = None;
        self.pbx.hang_up(self.now);
    }

    fn fail(&mut self, why: String) {
        self.transcript.note(self.now, format_args!("FAILED: {why}"));
        self.failure.get_or_insert(why);
        self.steps.clear();
        self.pbx.hang_up(self.now);
    }

    /// Fails, and waits for nothing more.
    pub(crate) fn give_up(&mut self, why: String) {
        self.fail(why);
        self.reset = true;
        self.pbx.handle_eof(self.now);
        self.drain();
    }

    /// Tries the next step. `false`: something else must happen before.
    fn step(&mut self) -> bool {
        let Some(step) = self.steps.front().cloned() else { return false };
        match &step {
            Step::Play(file) => match self.heard.pop_front() {
                None => return false,
                Some(Heard::Play(heard)) if heard == *file => {}
                Some(other) => return self.heard_other(&step, &other),
            },
            Step::Say(text) => match self.heard.pop_front() {
                None => return false,
                Some(Heard::Say(heard)) if heard == *text => {}
                Some(other) => return self.heard_other(&step, &other),
            },
            Step::AwaitPlay(file) => loop {
                match self.heard.pop_front() {
                    None => return false,
                    Some(Heard::Play(heard)) if heard == *file => break,
                    Some(_) => {}
                }
            },
            Step::Command(begin) => loop {
                match self.lines.pop_front() {
                    None => return false,
                    Some(line) if line.to_ascii_lowercase().starts_with(&begin.to_ascii_lowercase()) => break,
                    Some(_) => {}
                }
            },
            Step::Listen if self.pbx.sounds() => return false,
            Step::Listen => {}
            Step::Wait(time) if self.now < self.since + *time => return false,
            Step::Wait(_) => {}
            Step::Press { keys, blindly } => return self.press(keys, *blindly),
            Step::Text(_) | Step::Speak(_) if !self.pbx.hears() => return false,
            Step::Text(text) => self.pbx.text(text, self.now),
            Step::Speak(text) => self.pbx.speak(text, 900, self.now),
            Step::SetVariable(name, value) => self.pbx.set_variable(name, value.clone()),
            Step::HangUp => {
                self.transcript.note(self.now, "the caller hangs up");
                self.pbx.hang_up(self.now);
            }
            Step::Reset => {
                self.transcript.note(self.now, "the connection is reset");
                self.reset = true;
                self.pbx.handle_eof(self.now);
            }
            Step::HalfClose => {
                self.transcript.note(self.now, "the PBX shuts its writing side");
                self.half_closed = true;
                self.silent = true;
            }
            Step::FallSilent => {
                self.transcript.note(self.now, "the PBX falls silent");
                self.silent = true;
            }
        }
        self.next();
        true
    }

    fn next(&mut self) {
        self.steps.pop_front();
        self.since = self.now;
    }

    /// The first key waits for a command that takes it; the others follow, whoever listens.
    fn press(&mut self, keys: &str, blindly: bool) -> bool {
        let Some(due) = self.key else {
            if blindly || keys.chars().next().is_none_or(|key| self.pbx.takes(key)) {
                self.key = Some(self.now + REACTION);
            }
            return false;
        };
        if self.now < due {
            return false;
        }
        let mut chars = keys.chars();
        if let Some(key) = chars.next() {
            self.pbx.press(key, self.now);
        }
        let rest = chars.as_str();
        if rest.is_empty() {
            self.key = None;
            self.next();
        } else {
            self.key = Some(self.now + KEY);
            if let Some(step) = self.steps.front_mut() {
                *step = Step::Press { keys: rest.to_owned(), blindly: true };
            }
        }
        true
    }

    fn heard_other(&mut self, step: &Step, heard: &Heard) -> bool {
        let heard = match heard {
            Heard::Play(file) => format!("the file {:?}", BStr::new(file)),
            Heard::Say(text) => format!("{:?} said", BStr::new(text)),
        };
        self.fail(format!("{step}, but the caller heard {heard}"));
        true
    }
}

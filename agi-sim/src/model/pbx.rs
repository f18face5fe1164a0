//! The PBX's side of one session.

use std::time::Duration;

use agi_proto::{BString, Digit, arguments};
use bstr::ByteSlice;

use super::channel::{Channel, UP};
use super::commands::{self, Begun};
use super::event::{Event, Status};
use super::job::{Answer, Job, OnInput, Step, Work, lasting};
use super::setup::{Setup, network};
use super::state::CallState;
use super::wire::{Read, Wire};

/// The PBX's side of one AGI session, without any I/O and without a clock: the session's bytes, what the
/// caller does, and the time go in; bytes and [events](Event) come out.
///
/// * **Input** from the script: [`handle_input`](Self::handle_input), [`handle_eof`](Self::handle_eof); from
///   the far leg: [`press`](Self::press), [`hang_up`](Self::hang_up) and the like; from time:
///   [`handle_timeout`](Self::handle_timeout).
/// * **Output**: [`poll_transmit`](Self::poll_transmit) with [`transmitted`](Self::transmitted),
///   [`poll_event`](Self::poll_event), and [`poll_timeout`](Self::poll_timeout).
///
/// `now` is the time since the session began, and never goes back. After any input drain the outputs.
///
/// ```
/// use std::time::Duration;
/// use agi_sim::{Pbx, Setup};
///
/// let mut pbx = Pbx::new(Setup::new("agi://localhost/hello"));
/// while let Some(line) = pbx.poll_transmit().map(<[u8]>::len) {
///     pbx.transmitted(line); // the environment, line by line
/// }
/// pbx.handle_input(b"STREAM FILE \"welcome\" \"#\"\n", Duration::ZERO);
/// assert_eq!(pbx.poll_transmit(), None); // it plays, for three seconds
/// pbx.press('#', Duration::from_secs(1));
/// assert_eq!(pbx.poll_transmit().unwrap(), b"200 result=35 endpos=8000\n");
/// ```
pub struct Pbx {
    call: CallState,
    wire: Wire,
    job: Option<Job>,
    failed: bool,
    announces: bool,
    exits: bool,
    status: Option<Status>,
}

impl Pbx {
    /// A session that begins: its environment is to be sent.
    pub fn new(setup: Setup) -> Self {
        let gate = |name: &str, words: &[&str]| {
            let value = setup.variables.get(name.as_bytes().as_bstr());
            value.is_some_and(|value| words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes())))
        };
        let mut pbx = Self {
            wire: Wire::new(setup.command_limit(), setup.window),
            job: None,
            failed: false,
            announces: !gate("AGISIGHUP", &["no", "false", "n", "f", "0", "off"]),
            exits: gate("AGIEXITONHANGUP", &["yes", "true", "y", "t", "1", "on"]),
            status: None,
            call: CallState::new(setup),
        };
        for (name, value) in pbx.call.setup.environment() {
            pbx.write([name.as_bytes(), b": ", &value, b"\n"].concat());
        }
        pbx.write(b"\n".to_vec());
        pbx
    }

    // ---- input of the script ----

    /// The script sent this.
    pub fn handle_input(&mut self, bytes: &[u8], now: Duration) {
        self.handle_timeout(now);
        if self.status.is_none() {
            self.wire.handle_input(bytes);
            self.turn();
        }
    }

    /// The script shut its writing side, or closed, or reset the connection.
    pub fn handle_eof(&mut self, now: Duration) {
        self.handle_timeout(now);
        self.wire.handle_eof();
        self.turn();
    }

    // ---- input of time ----

    /// It is now so late. It may come at any time, and must when [`poll_timeout`](Self::poll_timeout) says.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(due) = self.poll_timeout().filter(|&due| due <= now) {
            self.call.now = self.call.now.max(due);
            if self.call.autohangup.is_some_and(|at| at <= self.call.now) {
                self.call.autohangup = None;
                self.call.gone = true;
            }
            self.wire.retry(self.call.now);
            self.turn();
        }
        self.call.now = self.call.now.max(now);
    }

    // ---- input of the far leg ----

    /// The caller presses a digit: `0` to `9`, `*`, `#`, `A` to `D`; no phone has another key, and nothing happens. It
    /// is lost where no command takes it.
    pub fn press(&mut self, digit: char, now: Duration) {
        self.handle_timeout(now);
        let Ok(byte) = u8::try_from(digit) else { return };
        if self.call.gone || self.status.is_some() || Digit::new(digit).is_none() {
            return;
        }
        let taken = self.takes(digit);
        self.call.events.push_back(Event::Digit { digit, taken });
        if let Some(job) = &mut self.job {
            let step = job.work.on_digit(byte, self.call.now);
            self.apply(step);
        }
        self.turn();
    }

    /// The caller sends a text.
    pub fn text(&mut self, text: impl AsRef<[u8]>, now: Duration) {
        self.handle_timeout(now);
        if let Some(Job { work: Work::Text(wait), .. }) = &self.job {
            let answer = wait.on_text(text.as_ref());
            self.finish(answer);
        }
        self.turn();
    }

    /// The caller says something that the speech engine understands, with this score of 1,000.
    pub fn speak(&mut self, text: impl AsRef<[u8]>, score: u16, now: Duration) {
        self.handle_timeout(now);
        if let Some(Job { work: Work::Hear(hear), .. }) = &self.job {
            let answer = hear.on_speech(text.as_ref(), score);
            self.finish(answer);
        }
        self.turn();
    }

    /// The far leg answers, for a call that Asterisk places.
    pub fn answer(&mut self, now: Duration) {
        self.handle_timeout(now);
        self.call.channel.state = UP;
    }

    /// The caller hangs up, or the dialplan or an operator does.
    pub fn hang_up(&mut self, now: Duration) {
        self.handle_timeout(now);
        self.call.gone = true;
        self.turn();
    }

    /// Sets a variable from outside, as a manager does.
    pub fn set_variable(&mut self, name: impl AsRef<[u8]>, value: impl Into<BString>) {
        self.call.channel.set(name, value);
    }

    // ---- output ----

    /// What Asterisk wrote in one piece, or what is left of it. Tell [`transmitted`](Self::transmitted) how
    /// much was taken.
    #[must_use]
    pub fn poll_transmit(&self) -> Option<&[u8]> {
        self.wire.poll_transmit()
    }

    /// Says that so many bytes of what [`poll_transmit`](Self::poll_transmit) gave were taken.
    ///
    /// # Panics
    ///
    /// If it is more than it gave.
    pub fn transmitted(&mut self, n: usize) {
        self.wire.transmitted(n);
        self.wire.retry(self.call.now);
        self.turn();
    }

    /// What happened.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.call.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None`: nothing happens by itself.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.status.is_some() {
            return None;
        }
        let job = self.job.as_ref().and_then(|job| job.work.due());
        let job = job.filter(|_| self.wire.stuck_until().is_none());
        // an autohangup that Asterisk cannot see yet needs no wake
        [job, self.call.autohangup, self.wire.stuck_until()].into_iter().flatten().min()
    }

    // ---- getters ----

    /// The channel as it is now.
    pub fn channel(&self) -> &Channel {
        &self.call.channel
    }

    /// What the session came to, once Asterisk has closed it.
    pub fn status(&self) -> Option<Status> {
        self.status
    }

    /// Whether the call is hung up.
    pub fn is_hung_up(&self) -> bool {
        self.call.gone
    }

    /// Whether a command runs: the script waits for Asterisk.
    pub fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// The name of the command that runs.
    pub fn command(&self) -> Option<&'static str> {
        self.job.as_ref().map(|job| job.name)
    }

    /// How far what the caller hears has come, and how long it is.
    pub fn playback(&self) -> Option<(Duration, Duration)> {
        match &self.job.as_ref()?.work {
            Work::Play(play) => Some(play.progress(self.call.now)),
            _ => None,
        }
    }

    /// Whether the caller hears something.
    pub fn sounds(&self) -> bool {
        self.job.as_ref().is_some_and(|job| job.work.sounds())
    }

    /// Whether a command runs that takes this digit: others play on, and it is lost.
    pub fn takes(&self, digit: char) -> bool {
        u8::try_from(digit).is_ok_and(|digit| self.job.as_ref().is_some_and(|job| job.work.takes(digit)))
    }

    /// Whether a command runs that takes digits.
    pub fn listens(&self) -> bool {
        self.job.as_ref().is_some_and(|job| job.work.listens())
    }

    /// Whether a command runs that waits for text or for speech.
    pub fn hears(&self) -> bool {
        self.job.as_ref().is_some_and(|job| matches!(job.work, Work::Text(_) | Work::Hear(_)))
    }

    // ---- Asterisk's loop ----

    fn turn(&mut self) {
        while self.status.is_none() && self.wire.stuck_until().is_none() {
            if self.job.is_some() {
                if !self.progress() {
                    return;
                }
            } else if self.call.gone && !self.call.dead && !self.wire.is_in_line() {
                // while it waits for the end of a line, Asterisk sees no hangup; it looks for one before it reads
                self.call.dead = true;
                self.call.events.push_back(Event::HungUp);
                self.announce();
                if self.exits {
                    self.close();
                }
            } else if self.wire.is_in_line() || self.wire.is_readable() {
                match self.wire.read() {
                    Read::Line(line) => self.run(&line),
                    Read::Partial => return,
                    Read::Nothing => {}
                    Read::End => self.close(),
                }
            } else {
                return;
            }
        }
    }

    /// Lets the command that runs see what has happened. `false`: it goes on.
    fn progress(&mut self) -> bool {
        let Some(job) = &mut self.job else { return false };
        if self.call.gone && !self.call.dead {
            let answer = job.work.on_hangup(self.call.now);
            self.finish(answer);
            return true;
        }
        if self.wire.is_readable() {
            match job.work.on_input() {
                OnInput::RunsOn => {}
                OnInput::Silent => {
                    self.call.events.push_back(Event::Stopped(job.name));
                    self.job = None;
                    return true;
                }
                OnInput::Answers(answer) => {
                    self.finish(answer);
                    return true;
                }
            }
        }
        if job.work.due().is_none_or(|due| due > self.call.now) {
            return false;
        }
        let step = job.work.on_due(self.call.now);
        self.apply(step);
        true
    }

    fn apply(&mut self, step: Step) {
        match (step, &mut self.job) {
            (Step::Becomes(work), Some(job)) => {
                if job.work.sounds() {
                    self.call.events.push_back(Event::Quiet);
                }
                job.work = work;
            }
            (Step::Ends(answer), _) => self.finish(answer),
            _ => {}
        }
    }

    fn run(&mut self, line: &[u8]) {
        self.call.events.push_back(Event::Command(line.into()));
        self.call.channel.epoch = self.call.setup.epoch + self.call.now.as_secs();
        self.call.channel.hung_up = self.call.gone;
        if line.len() >= 7 && line[..7].eq_ignore_ascii_case(b"failure") {
            self.failed = true;
            return self.close();
        }
        let mut words = arguments::split(line);
        words.truncate(127);
        let Some((spec, arguments)) = commands::find(&words) else {
            return self.write(b"510 Invalid or unknown command\n".to_vec());
        };
        if self.call.dead && !spec.on_dead_channel {
            return self.write(commands::usage::dead(&self.call.setup));
        }
        let begun = match spec.words.contains(&words.len()) {
            true => (spec.run)(&mut self.call, arguments),
            false => Begun::Usage,
        };
        match begun {
            Begun::Usage => self.write_usage(spec.name),
            Begun::Answer(answer) => {
                self.job = None;
                self.finish_as(spec.name, answer);
            }
            Begun::Runs(work) => self.job = Some(Job { name: spec.name, work }),
            Begun::Trying(work) => {
                self.write(b"100 result=0 Trying...\n".to_vec());
                self.job = Some(Job { name: spec.name, work });
            }
        }
    }

    fn finish(&mut self, answer: Answer) {
        let Some(job) = self.job.take() else { return };
        if job.work.sounds() {
            self.call.events.push_back(Event::Quiet);
        }
        self.finish_as(job.name, answer);
    }

    fn finish_as(&mut self, name: &'static str, answer: Answer) {
        for (name, value) in answer.sets {
            self.call.channel.set(name, value);
        }
        if let Some((file, samples)) = answer.recorded {
            self.call.setup.sounds.insert(file, lasting(samples));
        }
        self.failed |= answer.failed && !self.call.dead && !self.call.gone;
        self.call.gone |= answer.hangs_up;
        self.write([&answer.text[..], b"\n"].concat());
        if answer.usage {
            self.write_usage(name);
        }
    }

    fn write_usage(&mut self, name: &'static str) {
        for part in commands::usage::block(&self.call.setup, name) {
            self.write(part);
        }
    }

    fn write(&mut self, bytes: Vec<u8>) {
        self.call.events.push_back(Event::Written(bytes.clone().into()));
        self.wire.write(bytes, self.call.now);
    }

    /// A process is told by SIGHUP, which has no bytes.
    fn announce(&mut self) {
        if self.announces && network(&self.call.setup.request).is_some() {
            self.write(b"HANGUP\n".to_vec());
        }
    }

    fn close(&mut self) {
        self.announce();
        let status = match (self.failed, self.call.dead && !self.call.setup.dead) {
            (true, _) => Status::Failure,
            (false, true) => Status::Hangup,
            (false, false) => Status::Success,
        };
        self.status = Some(status);
        self.wire.discard();
        self.call.events.push_back(Event::Closed(status));
    }
}

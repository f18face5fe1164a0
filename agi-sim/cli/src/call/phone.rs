//! The phone and the PBX behind it, without a terminal and without a connection.

use std::time::Duration;

use agi_sim::agi_proto::BString;
use agi_sim::{Channel, Event, Pbx, Setup, Status, Transcript};

/// How long a service may take to end a call that was left.
const PATIENCE: Duration = Duration::from_secs(3);

/// The one at the phone leaves.
#[derive(Clone, Copy)]
pub(super) struct Leaves {
    until: Duration,
}

impl Leaves {
    /// Waits for the service; who leaves twice does not.
    pub(super) fn again(before: Option<Self>, now: Duration) -> Self {
        Self { until: if before.is_some() { now } else { now + PATIENCE } }
    }

    pub(super) fn is_late(self, now: Duration) -> bool {
        now >= self.until
    }

    pub(super) fn until(self) -> Duration {
        self.until
    }
}

pub(super) struct Phone {
    pbx: Pbx,
    transcript: Transcript,
    pub(super) url: String,
    pub(super) now: Duration,
    /// What the caller heard last, as the service named it.
    heard: Option<BString>,
    /// The keys that were pressed, the last ones.
    pressed: String,
    broken: bool,
}

impl Phone {
    pub(super) fn new(setup: Setup) -> Self {
        let url = setup.request.escape_ascii().to_string();
        Self {
            pbx: Pbx::new(setup),
            transcript: Transcript::default(),
            url,
            now: Duration::ZERO,
            heard: None,
            pressed: String::new(),
            broken: false,
        }
    }

    // ---- what comes in ----

    /// It is so late; the clock of a call stops with it.
    pub(super) fn pass(&mut self, now: Duration) {
        if !self.is_over() {
            self.now = now;
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.pbx.handle_input(bytes, self.now);
    }

    /// The service is not to be heard any more.
    pub(super) fn end(&mut self, why: Option<impl std::fmt::Display>) {
        if self.is_over() {
            return;
        }
        match why {
            None => self.transcript.note(self.now, "the service closes its side"),
            Some(why) => {
                self.broken = true;
                self.transcript.note(self.now, format_args!("the connection breaks: {why}"));
            }
        }
        self.pbx.handle_eof(self.now);
    }

    pub(super) fn press(&mut self, key: char) {
        self.pressed.push(key);
        self.pbx.press(key, self.now);
    }

    /// Sends a text, or says it, whichever the service waits for.
    pub(super) fn text(&mut self, text: &str) {
        if !self.pbx.hears() {
            self.transcript.note(self.now, format_args!("nobody waits for the text {text:?}"));
        }
        self.pbx.text(text, self.now);
        self.pbx.speak(text, 900, self.now);
    }

    pub(super) fn hang_up(&mut self) {
        if !self.pbx.is_hung_up() && !self.is_over() {
            self.transcript.note(self.now, "the caller hangs up");
            self.pbx.hang_up(self.now);
        }
    }

    // ---- what goes out ----

    /// Lets the time pass up to now; what is to be written to the service.
    pub(super) fn turn(&mut self, now: Duration) -> Vec<u8> {
        self.pass(now);
        self.pbx.handle_timeout(now);
        let mut out = Vec::new();
        while let Some(bytes) = self.pbx.poll_transmit() {
            let n = bytes.len();
            out.extend_from_slice(bytes);
            self.pbx.transmitted(n);
        }
        while let Some(event) = self.pbx.poll_event() {
            self.transcript.event(self.now, &event);
            match event {
                Event::Plays(what) | Event::Says(what) | Event::Records(what) => self.heard = Some(what),
                _ => {}
            }
        }
        out
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.pbx.poll_timeout()
    }

    // ---- what there is to see ----

    pub(super) fn is_over(&self) -> bool {
        self.pbx.status().is_some()
    }

    /// The connection broke before the end.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn status(&self) -> Option<Status> {
        self.pbx.status()
    }

    pub(super) fn is_hung_up(&self) -> bool {
        self.pbx.is_hung_up()
    }

    pub(super) fn listens(&self) -> bool {
        self.pbx.listens()
    }

    pub(super) fn takes(&self, key: char) -> bool {
        self.pbx.takes(key)
    }

    pub(super) fn command(&self) -> Option<&'static str> {
        self.pbx.command()
    }

    /// What the caller hears, how far it has come, and how long it is.
    pub(super) fn hears(&self) -> Option<(&BString, Duration, Duration)> {
        let (played, length) = self.pbx.playback()?;
        Some((self.heard.as_ref()?, played, length))
    }

    pub(super) fn pressed(&self) -> &str {
        &self.pressed
    }

    pub(super) fn channel(&self) -> &Channel {
        self.pbx.channel()
    }

    pub(super) fn transcript(&self) -> &Transcript {
        &self.transcript
    }
}

//! RECORD FILE.

use std::time::Duration;

use agi_proto::BString;

use super::{Answer, Step, frames};
use crate::model::setup::Audio;

pub(crate) struct Record {
    /// What was there before.
    pub(crate) offset: u64,
    pub(crate) began: Duration,
    /// How long the beep takes.
    pub(crate) beep: Duration,
    pub(crate) timeout: Option<Duration>,
    /// So much silence ends it.
    pub(crate) silence: Option<Duration>,
    pub(crate) escape: BString,
    pub(crate) audio: Audio,
}

/// What is cut from the end when a digit ended it.
const CHOPPED: u64 = 1600;

impl Record {
    fn start(&self) -> Duration {
        self.began + self.beep
    }

    fn recorded(&self, now: Duration) -> u64 {
        let new = if self.audio != Audio::None { frames(now.saturating_sub(self.start())) } else { 0 };
        self.offset + new
    }

    pub(super) fn due(&self) -> Option<Duration> {
        let limits = [self.timeout, self.silence.filter(|_| self.audio == Audio::Silence)];
        limits.into_iter().flatten().min().map(|limit| self.start() + limit)
    }

    pub(super) fn on_timeout(&self, now: Duration) -> Answer {
        Answer::new(format!("200 result=0 (timeout) endpos={}", self.recorded(now)))
    }

    pub(super) fn on_digit(&self, digit: u8, now: Duration) -> Step {
        if !self.escape.contains(&digit) {
            return Step::Runs;
        }
        let answer = if now < self.start() {
            format!("200 result={digit} (randomerror) endpos={}", self.offset)
        } else {
            let end = self.recorded(now).saturating_sub(CHOPPED).max(self.offset);
            format!("200 result={digit} (dtmf) endpos={end}")
        };
        Step::Ends(Answer::new(answer))
    }

    pub(super) fn on_hangup(&self, now: Duration) -> Answer {
        let kind = if now < self.start() { "randomerror" } else { "hangup" };
        Answer::new(format!("200 result=-1 ({kind}) endpos={}", self.recorded(now))).failed()
    }

    pub(super) fn listens(&self) -> bool {
        !self.escape.is_empty()
    }
}

//! RECORD FILE.

use std::time::Duration;

use agi_proto::BString;

use super::{Answer, Step, frames};
use crate::model::setup::Audio;

pub(crate) struct Record {
    pub(crate) file: BString,
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
        self.leaves(self.recorded(now), |end| format!("200 result=0 (timeout) endpos={end}"))
    }

    pub(super) fn on_digit(&self, digit: u8, now: Duration) -> Step {
        if !self.escape.contains(&digit) {
            return Step::Runs;
        }
        Step::Ends(if now < self.start() {
            Answer::new(format!("200 result={digit} (randomerror) endpos={}", self.offset))
        } else {
            let end = self.recorded(now).saturating_sub(CHOPPED).max(self.offset);
            self.leaves(end, |end| format!("200 result={digit} (dtmf) endpos={end}"))
        })
    }

    pub(super) fn on_hangup(&self, now: Duration) -> Answer {
        let recorded = self.recorded(now);
        if now < self.start() {
            Answer::new(format!("200 result=-1 (randomerror) endpos={recorded}")).failed()
        } else {
            self.leaves(recorded, |end| format!("200 result=-1 (hangup) endpos={end}")).failed()
        }
    }

    /// The answer of a recording that can be played, and so many samples of it.
    fn leaves(&self, samples: u64, text: impl FnOnce(u64) -> String) -> Answer {
        Answer { recorded: Some((self.file.clone(), samples)), ..Answer::new(text(samples)) }
    }

    pub(super) fn listens(&self) -> bool {
        !self.escape.is_empty()
    }
}

//! GET DATA, behind its prompt.

use std::time::Duration;

use agi_proto::BString;
use bstr::BStr;

use super::{Answer, Step};

#[derive(Clone)]
pub(crate) struct Collect {
    pub(crate) digits: BString,
    pub(crate) max: usize,
    /// Until the first digit, and between digits; `None`: for ever.
    pub(crate) first: Option<Duration>,
    pub(crate) next: Option<Duration>,
    pub(crate) until: Option<Duration>,
}

impl Collect {
    /// The prompt is over.
    pub(super) fn starts(&self, now: Duration) -> Self {
        Self { until: self.first.map(|first| now + first), ..self.clone() }
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.until
    }

    pub(super) fn on_digit(&mut self, digit: u8, now: Duration) -> Step {
        if digit != b'#' {
            self.digits.push(digit);
            if self.digits.len() < self.max {
                self.until = self.next.map(|next| now + next);
                return Step::Runs;
            }
        }
        Step::Ends(Answer::new(format!("200 result={}", BStr::new(&self.digits))))
    }

    pub(super) fn on_timeout(&self) -> Answer {
        Answer::new(format!("200 result={} (timeout)", BStr::new(&self.digits)))
    }
}

//! GET DATA and the application Read, behind their prompt.

use std::time::Duration;

use agi_proto::BString;
use bstr::BStr;

use super::{Answer, OnInput, Step};

#[derive(Clone)]
pub(crate) struct Collect {
    pub(crate) digits: BString,
    pub(crate) max: usize,
    /// Until the first digit, and between digits; `None`: for ever.
    pub(crate) first: Option<Duration>,
    pub(crate) next: Option<Duration>,
    pub(crate) until: Option<Duration>,
    /// The variable that Read leaves the digits in; GET DATA answers with them.
    pub(crate) variable: Option<BString>,
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
        Step::Ends(match self.variable {
            Some(_) => self.read("OK"),
            None => Answer::new(format!("200 result={}", BStr::new(&self.digits))),
        })
    }

    pub(super) fn on_timeout(&self) -> Answer {
        match self.variable {
            Some(_) => self.read("TIMEOUT"),
            None => Answer::new(format!("200 result={} (timeout)", BStr::new(&self.digits))),
        }
    }

    pub(crate) fn on_hangup(&self) -> Answer {
        match self.variable {
            Some(_) => self.read("HANGUP"),
            None => Answer::result(-1),
        }
    }

    pub(super) fn on_input(&self) -> OnInput {
        if self.variable.is_some() { OnInput::RunsOn } else { OnInput::Silent }
    }

    /// How Read ends, which always succeeds.
    pub(crate) fn read(&self, status: &'static str) -> Answer {
        let variable = self.variable.clone().unwrap_or_default();
        Answer::application(0).set(variable, self.digits.clone()).set("READSTATUS", status)
    }
}

//! A command that takes time.

mod collect;
mod play;
mod record;
mod wait;

use std::time::Duration;

use agi_proto::BString;

pub(crate) use self::collect::Collect;
pub(crate) use self::play::{Keys, Play, Then};
pub(crate) use self::record::Record;
pub(crate) use self::wait::{Hear, Sleep, WaitDigit, WaitText};

/// What a command gives when it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) text: BString,
    /// The handler failed, which AGISTATUS remembers.
    pub(crate) failed: bool,
    /// A usage text follows.
    pub(crate) usage: bool,
    /// The call ends with it.
    pub(crate) hangs_up: bool,
    pub(crate) sets: Vec<(BString, BString)>,
    /// A file that is there now, and its samples.
    pub(crate) recorded: Option<(BString, u64)>,
}

impl Answer {
    pub(crate) fn new(text: impl Into<BString>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// `200 result=n`
    pub(crate) fn result(n: i64) -> Self {
        Self::new(format!("200 result={n}"))
    }

    pub(crate) fn failed(mut self) -> Self {
        self.failed = true;
        self
    }

    pub(crate) fn set(mut self, name: impl Into<BString>, value: impl Into<BString>) -> Self {
        self.sets.push((name.into(), value.into()));
        self
    }

    /// What an application gave: 1 is taken for a wrong use of EXEC, too.
    pub(crate) fn application(value: i32) -> Self {
        Self { usage: value == 1, failed: value == 2, ..Self::result(value.into()) }
    }
}

/// What happens to a command when the script sends more.
pub(crate) enum OnInput {
    RunsOn,
    Silent,
    Answers(Answer),
}

/// Whether a command goes on.
pub(crate) enum Step {
    Runs,
    /// It goes on as something else.
    Becomes(Work),
    Ends(Answer),
}

pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
}

pub(crate) enum Work {
    Play(Play),
    Collect(Collect),
    Digit(WaitDigit),
    Record(Record),
    Text(WaitText),
    Sleep(Sleep),
    Hear(Hear),
}

impl Work {
    /// When something happens if nothing comes.
    pub(crate) fn due(&self) -> Option<Duration> {
        match self {
            Self::Play(play) => play.due(),
            Self::Collect(collect) => collect.due(),
            Self::Digit(wait) => wait.until,
            Self::Record(record) => record.due(),
            Self::Text(wait) => wait.until,
            Self::Sleep(sleep) => Some(sleep.until),
            Self::Hear(hear) => hear.until,
        }
    }

    pub(crate) fn on_due(&mut self, now: Duration) -> Step {
        match self {
            Self::Play(play) => play.on_end(now),
            Self::Collect(collect) => Step::Ends(collect.on_timeout()),
            Self::Digit(wait) => Step::Ends(wait.on_timeout()),
            Self::Record(record) => Step::Ends(record.on_timeout(now)),
            Self::Text(wait) => Step::Ends(wait.on_nothing()),
            Self::Sleep(sleep) => Step::Ends(sleep.done.clone()),
            Self::Hear(hear) => Step::Ends(hear.on_timeout()),
        }
    }

    pub(crate) fn on_digit(&mut self, digit: u8, now: Duration) -> Step {
        match self {
            Self::Play(play) => play.on_digit(digit, now),
            Self::Collect(collect) => collect.on_digit(digit, now),
            Self::Digit(wait) => wait.on_digit(digit),
            Self::Record(record) => record.on_digit(digit, now),
            Self::Text(_) | Self::Sleep(_) => Step::Runs,
            Self::Hear(hear) => hear.on_digit(digit),
        }
    }

    pub(crate) fn on_hangup(&mut self, now: Duration) -> Answer {
        match self {
            Self::Play(play) => play.on_hangup(now),
            Self::Collect(collect) => collect.on_hangup(),
            Self::Digit(wait) => wait.on_hangup(),
            Self::Record(record) => record.on_hangup(now),
            Self::Text(wait) => wait.on_nothing(),
            Self::Sleep(sleep) => sleep.hung_up.clone(),
            Self::Hear(hear) => hear.on_hangup(),
        }
    }

    pub(crate) fn on_input(&self) -> OnInput {
        match self {
            Self::Play(play) => play.on_input(),
            Self::Collect(collect) => collect.on_input(),
            Self::Digit(wait) => wait.on_input(),
            Self::Record(_) | Self::Text(_) | Self::Sleep(_) | Self::Hear(_) => OnInput::RunsOn,
        }
    }

    /// Whether it takes digits, any of them.
    pub(crate) fn listens(&self) -> bool {
        match self {
            Self::Play(play) => play.listens(),
            Self::Collect(_) | Self::Digit(_) => true,
            Self::Record(record) => record.listens(),
            Self::Text(_) | Self::Sleep(_) => false,
            Self::Hear(_) => true,
        }
    }

    /// Whether it takes this digit.
    pub(crate) fn takes(&self, digit: u8) -> bool {
        match self {
            Self::Play(play) => play.takes(digit),
            Self::Record(record) => record.escape.contains(&digit),
            _ => self.listens(),
        }
    }

    /// Whether the caller hears something.
    pub(crate) fn sounds(&self) -> bool {
        matches!(self, Self::Play(_))
    }
}

/// Samples at 8,000 a second, in whole frames of 20 ms.
pub(crate) fn frames(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / 20).unwrap_or(u64::MAX / 160) * 160
}

/// Samples at 8,000 a second.
pub(crate) fn samples(time: Duration) -> u64 {
    u64::try_from(time.as_micros() / 125).unwrap_or(u64::MAX)
}

/// How long so many samples last.
pub(crate) fn lasting(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(125))
}

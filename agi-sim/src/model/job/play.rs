//! Something that the caller hears.

use std::time::Duration;

use agi_proto::BString;

use super::{Answer, Collect, Hear, OnInput, Step, WaitDigit, Work, frames, lasting};

/// What a playback belongs to, and so how it ends.
pub(crate) enum Then {
    Stream,
    Control(Keys),
    /// GET OPTION, with how long it waits behind the file; `None`: for ever.
    Option(Option<Duration>),
    Data(Collect),
    /// SAY, and whether another command stops it.
    Say {
        stops: bool,
    },
    /// An application of EXEC.
    Application,
    Recognize(Hear),
}

/// The keys of CONTROL STREAM FILE.
pub(crate) struct Keys {
    pub(crate) skip: u64,
    pub(crate) forward: BString,
    pub(crate) rewind: BString,
    pub(crate) pause: BString,
    pub(crate) paused: bool,
    /// Versions up to 11 do not tell where it stopped.
    pub(crate) tells: bool,
}

pub(crate) struct Play {
    pub(crate) from: u64,
    pub(crate) length: u64,
    pub(crate) began: Duration,
    pub(crate) escape: BString,
    pub(crate) then: Then,
}

impl Play {
    fn position(&self, now: Duration) -> u64 {
        match &self.then {
            Then::Control(Keys { paused: true, .. }) => self.from,
            _ => (self.from + frames(now.saturating_sub(self.began))).min(self.length),
        }
    }

    /// Where it stands, and how long it is.
    pub(crate) fn progress(&self, now: Duration) -> (Duration, Duration) {
        (lasting(self.position(now)), lasting(self.length))
    }

    pub(super) fn due(&self) -> Option<Duration> {
        match &self.then {
            Then::Control(Keys { paused: true, .. }) => None,
            _ => Some(self.began + lasting(self.length.saturating_sub(self.from))),
        }
    }

    pub(super) fn on_end(&mut self, now: Duration) -> Step {
        let length = self.length;
        Step::Ends(match &mut self.then {
            Then::Stream => {
                Answer::new(format!("200 result=0 endpos={length}")).set("PLAYBACKSTATUS", "SUCCESS")
            }
            Then::Control(keys) => stopped(keys, 0, -1, "SUCCESS"),
            Then::Option(timeout) => {
                let until = timeout.map(|timeout| now + timeout);
                let option = Some((length, self.escape.clone()));
                return Step::Becomes(Work::Digit(WaitDigit { until, option }));
            }
            Then::Data(collect) => return Step::Becomes(Work::Collect(collect.starts(now))),
            Then::Say { .. } => Answer::result(0),
            Then::Application => Answer::result(0).set("PLAYBACKSTATUS", "SUCCESS"),
            Then::Recognize(hear) => return Step::Becomes(Work::Hear(hear.starts(now, length))),
        })
    }

    pub(super) fn on_digit(&mut self, digit: u8, now: Duration) -> Step {
        let position = self.position(now);
        let escapes = self.escape.contains(&digit);
        let code = i64::from(digit);
        match &mut self.then {
            Then::Data(collect) => {
                let mut collect = collect.starts(now);
                return match collect.on_digit(digit, now) {
                    Step::Runs => Step::Becomes(Work::Collect(collect)),
                    ended => ended,
                };
            }
            Then::Recognize(hear) => return hear.starts(now, position).on_digit(digit),
            Then::Control(keys) => {
                let skip = keys.skip;
                if keys.forward.contains(&digit) {
                    self.from = (position + skip).min(self.length);
                } else if keys.rewind.contains(&digit) {
                    self.from = position.saturating_sub(skip);
                } else if keys.pause.contains(&digit) {
                    keys.paused = !keys.paused;
                    self.from = position;
                } else if escapes {
                    let ms = i64::try_from(position / 8).unwrap_or(i64::MAX);
                    let key = BString::from(vec![digit]);
                    return Step::Ends(stopped(keys, code, ms, "USERSTOPPED").set("CPLAYBACKSTOPKEY", key));
                } else {
                    return Step::Runs;
                }
                self.began = now;
                return Step::Runs;
            }
            _ if !escapes => return Step::Runs,
            _ => {}
        }
        Step::Ends(match &self.then {
            Then::Stream => {
                Answer::new(format!("200 result={code} endpos={position}")).set("PLAYBACKSTATUS", "FAILED")
            }
            Then::Option(_) => Answer::new(format!("200 result={code} endpos={position}")),
            _ => Answer::result(code),
        })
    }

    pub(super) fn on_hangup(&mut self, now: Duration) -> Answer {
        let position = self.position(now);
        match &mut self.then {
            Then::Stream | Then::Option(_) => {
                Answer::new(format!("200 result=-1 endpos={position}")).failed()
            }
            Then::Control(keys) => {
                stopped(keys, -1, i64::try_from(position / 8).unwrap_or(i64::MAX), "ERROR").failed()
            }
            Then::Say { .. } => Answer::result(-1).failed(),
            Then::Data(collect) => collect.on_hangup(),
            Then::Application => Answer::result(-1),
            Then::Recognize(hear) => hear.starts(now, position).on_hangup(),
        }
    }

    pub(super) fn on_input(&self) -> OnInput {
        match &self.then {
            Then::Stream | Then::Option(_) | Then::Say { stops: true } => OnInput::Silent,
            Then::Data(collect) => collect.on_input(),
            _ => OnInput::RunsOn,
        }
    }

    pub(super) fn takes(&self, digit: u8) -> bool {
        let escapes = self.escape.contains(&digit);
        match &self.then {
            Then::Data(_) | Then::Recognize(_) => true,
            Then::Control(keys) => {
                escapes || [&keys.forward, &keys.rewind, &keys.pause].iter().any(|set| set.contains(&digit))
            }
            _ => escapes,
        }
    }

    pub(super) fn listens(&self) -> bool {
        matches!(self.then, Then::Data(_) | Then::Recognize(_) | Then::Control(_)) || !self.escape.is_empty()
    }
}

/// How CONTROL STREAM FILE ends; the position is in milliseconds.
pub(crate) fn stopped(keys: &Keys, result: i64, position: i64, status: &'static str) -> Answer {
    let text = match keys.tells {
        true => format!("200 result={result} endpos={position}"),
        false => format!("200 result={result}"),
    };
    Answer::new(text).set("CPLAYBACKSTATUS", status).set("CPLAYBACKOFFSET", position.to_string())
}

impl Keys {
    /// The file is missing.
    pub(crate) fn missing(&self) -> Answer {
        stopped(self, -1, -1, "ERROR").failed()
    }
}

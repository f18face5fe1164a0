//! Commands that wait: for a digit, for text, for time, for speech.

use std::time::Duration;

use agi_proto::BString;
use bstr::BStr;

use super::{Answer, OnInput, Step};

/// WAIT FOR DIGIT, and GET OPTION behind its file.
pub(crate) struct WaitDigit {
    pub(crate) until: Option<Duration>,
    /// GET OPTION: where the file ended, and the digits that count.
    pub(crate) option: Option<(u64, BString)>,
}

impl WaitDigit {
    fn answer(&self, code: u8) -> Answer {
        match &self.option {
            None => Answer::result(code.into()),
            Some((end, digits)) => {
                let code = if digits.contains(&code) { code } else { 0 };
                Answer::new(format!("200 result={code} endpos={end}"))
            }
        }
    }

    pub(super) fn on_timeout(&self) -> Answer {
        self.answer(0)
    }

    pub(super) fn on_digit(&self, digit: u8) -> Step {
        Step::Ends(self.answer(digit))
    }

    /// GET OPTION takes the hangup for a digit outside its set.
    pub(super) fn on_hangup(&self) -> Answer {
        match self.option {
            None => Answer::result(-1).failed(),
            Some(_) => self.answer(0),
        }
    }

    /// Both take the new command for the digit 1.
    pub(super) fn on_input(&self) -> OnInput {
        OnInput::Answers(self.answer(1))
    }
}

/// RECEIVE TEXT and RECEIVE CHAR.
pub(crate) struct WaitText {
    pub(crate) until: Option<Duration>,
    pub(crate) char: bool,
}

impl WaitText {
    pub(crate) fn on_nothing(&self) -> Answer {
        if self.char { Answer::new("200 result=-1 (hangup)").failed() } else { Answer::result(-1) }
    }

    pub(crate) fn on_text(&self, text: &[u8]) -> Answer {
        match (self.char, text.first()) {
            (true, None | Some(0)) => Answer::new("200 result=0 (timeout)"),
            (true, Some(&first)) => Answer::result(first.into()),
            (false, _) => Answer::new([b"200 result=1 (", text, b")"].concat()),
        }
    }
}

/// Something that just takes its time.
pub(crate) struct Sleep {
    pub(crate) until: Duration,
    pub(crate) done: Answer,
    pub(crate) hung_up: Answer,
}

/// SPEECH RECOGNIZE, behind its prompt.
#[derive(Clone)]
pub(crate) struct Hear {
    pub(crate) until: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) end: u64,
    pub(crate) grammar: BString,
}

impl Hear {
    pub(super) fn starts(&self, now: Duration, end: u64) -> Self {
        Self { until: self.timeout.map(|timeout| now + timeout), end, ..self.clone() }
    }

    pub(super) fn on_timeout(&self) -> Answer {
        Answer::new(format!("200 result=1 (timeout) endpos={}", self.end))
    }

    pub(super) fn on_digit(&self, digit: u8) -> Step {
        let digit = char::from(digit);
        Step::Ends(Answer::new(format!("200 result=1 (digit) digit={digit} endpos={}", self.end)))
    }

    pub(super) fn on_hangup(&self) -> Answer {
        Answer::new(format!("200 result=1 (hangup) endpos={}", self.end))
    }

    pub(crate) fn on_speech(&self, text: &[u8], score: u16) -> Answer {
        Answer::new(format!(
            "200 result=1 (speech) endpos={} results=1 score0={score} text0=\"{}\" grammar0={}",
            self.end,
            BStr::new(text),
            self.grammar
        ))
    }
}

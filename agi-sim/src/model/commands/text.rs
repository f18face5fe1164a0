//! Text: SEND TEXT, RECEIVE TEXT, RECEIVE CHAR, VERBOSE.

use std::time::Duration;

use agi_proto::BString;

use super::{Begun, result};
use crate::model::event::Event;
use crate::model::functions::number;
use crate::model::job::{Answer, WaitText, Work};
use crate::model::pbx::Pbx;

pub(super) fn send_text(pbx: &mut Pbx, words: &[BString]) -> Begun {
    if !pbx.setup.text && !words[0].is_empty() {
        return Begun::Answer(Answer::result(-1).failed());
    }
    pbx.tell(Event::Text(words[0].clone()));
    result(0)
}

pub(super) fn receive_text(pbx: &mut Pbx, words: &[BString]) -> Begun {
    receive(pbx, words, false)
}

pub(super) fn receive_char(pbx: &mut Pbx, words: &[BString]) -> Begun {
    receive(pbx, words, true)
}

fn receive(pbx: &mut Pbx, words: &[BString], char: bool) -> Begun {
    // negative waits for ever, and 0 not at all, whatever the documentation says
    let until = u64::try_from(number(&words[0])).ok().map(|ms| pbx.now + Duration::from_millis(ms));
    Begun::Runs(Work::Text(WaitText { until, char }))
}

pub(super) fn verbose(pbx: &mut Pbx, words: &[BString]) -> Begun {
    if let Some(text) = words.first() {
        pbx.tell(Event::Logged(text.clone()));
        return result(1);
    }
    Begun::Usage
}

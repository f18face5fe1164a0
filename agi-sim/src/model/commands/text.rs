//! Text: SEND TEXT, RECEIVE TEXT, RECEIVE CHAR, VERBOSE.

use std::time::Duration;

use agi_proto::BString;

use super::{Begun, result};
use crate::model::event::Event;
use crate::model::functions::number;
use crate::model::job::{Answer, WaitText, Work};
use crate::model::state::CallState;

pub(super) fn send_text(call: &mut CallState, words: &[BString]) -> Begun {
    if !call.setup.text && !words[0].is_empty() {
        return Begun::Answer(Answer::result(-1).failed());
    }
    call.tell(Event::Text(words[0].clone()));
    result(0)
}

pub(super) fn receive_text(call: &mut CallState, words: &[BString]) -> Begun {
    receive(call, words, false)
}

pub(super) fn receive_char(call: &mut CallState, words: &[BString]) -> Begun {
    receive(call, words, true)
}

fn receive(call: &mut CallState, words: &[BString], char: bool) -> Begun {
    // negative waits for ever, and 0 not at all, whatever the documentation says
    let until = u64::try_from(number(&words[0])).ok().map(|ms| call.now + Duration::from_millis(ms));
    Begun::Runs(Work::Text(WaitText { until, char }))
}

pub(super) fn verbose(call: &mut CallState, words: &[BString]) -> Begun {
    if let Some(text) = words.first() {
        call.tell(Event::Logged(text.clone()));
        return result(1);
    }
    Begun::Usage
}

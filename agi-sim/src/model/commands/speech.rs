//! SPEECH. There is one object a session, and without an engine none.

use std::time::Duration;

use agi_proto::BString;

use super::{Begun, media, result};
use crate::model::functions::leading;
use crate::model::job::{Hear, Play, Then, Work};
use crate::model::state::CallState;

pub(super) fn create(call: &mut CallState, _: &[BString]) -> Begun {
    if !call.setup.speech || call.grammars.is_some() {
        return result(0);
    }
    call.grammars = Some(Vec::new());
    result(1)
}

pub(super) fn destroy(call: &mut CallState, _: &[BString]) -> Begun {
    result(i64::from(call.grammars.take().is_some()))
}

pub(super) fn set(call: &mut CallState, _: &[BString]) -> Begun {
    result(i64::from(call.grammars.is_some()))
}

pub(super) fn load(call: &mut CallState, _: &[BString]) -> Begun {
    result(i64::from(call.grammars.is_some()))
}

pub(super) fn activate(call: &mut CallState, words: &[BString]) -> Begun {
    let Some(grammars) = &mut call.grammars else { return result(0) };
    grammars.push(words[0].clone());
    result(1)
}

/// SPEECH DEACTIVATE GRAMMAR and SPEECH UNLOAD GRAMMAR.
pub(super) fn deactivate(call: &mut CallState, words: &[BString]) -> Begun {
    let Some(grammars) = &mut call.grammars else { return result(0) };
    grammars.retain(|grammar| *grammar != words[0]);
    result(1)
}

pub(super) fn recognize(call: &mut CallState, words: &[BString]) -> Begun {
    let Some(seconds) = leading(&words[1]) else { return Begun::Usage };
    let Some(grammars) = &call.grammars else { return result(0) };
    let timeout = u64::try_from(seconds).ok().filter(|&seconds| seconds > 0).map(Duration::from_secs);
    let grammar = grammars.last().cloned().unwrap_or_default();
    let hear = Hear { until: None, timeout, end: 0, grammar };
    // a missing prompt is passed over, and so is an offset with more words behind it
    let length = media::length(call, &words[0]).unwrap_or(0);
    let offset = words.get(2).filter(|_| words.len() == 3).and_then(|offset| leading(offset)).unwrap_or(0);
    let from = u64::try_from(offset).unwrap_or(0).min(length);
    let then = Then::Recognize(hear);
    Begun::Runs(Work::Play(Play { from, length, began: call.now, escape: BString::default(), then }))
}

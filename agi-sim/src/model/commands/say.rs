//! SAY.

use agi_proto::BString;

use super::Begun;
use crate::model::event::Event;
use crate::model::functions::leading;
use crate::model::job::{Play, Then, Work, samples};
use crate::model::state::CallState;

/// Says so many words. Only EAGI lets another command stop it, and only some of the commands.
fn say(call: &mut CallState, words: &[BString], count: usize, stops: bool) -> Begun {
    call.tell(Event::Says(words[0].clone()));
    Begun::Runs(Work::Play(Play {
        from: 0,
        length: samples(call.setup.word).saturating_mul(count as u64),
        began: call.now,
        escape: words[1].clone(),
        then: Then::Say { stops: stops && call.setup.enhanced },
    }))
}

pub(super) fn alpha(call: &mut CallState, words: &[BString]) -> Begun {
    let case = words.get(2).and_then(|case| case.first());
    if words.len() > 2 && !call.setup.has(&[(12, 0)]) || case.is_some_and(|case| !b"alnuALNU".contains(case))
    {
        return Begun::Usage;
    }
    say(call, words, words[0].len(), true)
}

pub(super) fn phonetic(call: &mut CallState, words: &[BString]) -> Begun {
    say(call, words, words[0].len(), true)
}

pub(super) fn digits(call: &mut CallState, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(_) => say(call, words, words[0].len(), true),
        None => Begun::Usage,
    }
}

pub(super) fn number(call: &mut CallState, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(number) => say(call, words, number.unsigned_abs().to_string().len(), true),
        None => Begun::Usage,
    }
}

/// SAY DATE and SAY TIME.
pub(super) fn date(call: &mut CallState, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(_) => say(call, words, 4, false),
        None => Begun::Usage,
    }
}

pub(super) fn datetime(call: &mut CallState, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(_) => say(call, words, words.get(2).map_or(8, |format| format.len()), false),
        None => Begun::Usage,
    }
}

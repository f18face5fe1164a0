//! SAY.

use agi_proto::BString;

use super::Begun;
use crate::model::event::Event;
use crate::model::functions::leading;
use crate::model::job::{Play, Then, Work, samples};
use crate::model::pbx::Pbx;

/// Says so many words. Only EAGI lets another command stop it, and only some of the commands.
fn say(pbx: &mut Pbx, words: &[BString], count: usize, stops: bool) -> Begun {
    pbx.tell(Event::Says(words[0].clone()));
    Begun::Runs(Work::Play(Play {
        from: 0,
        length: samples(pbx.setup.word).saturating_mul(count as u64),
        began: pbx.now,
        escape: words[1].clone(),
        then: Then::Say { stops: stops && pbx.setup.enhanced },
    }))
}

pub(super) fn alpha(pbx: &mut Pbx, words: &[BString]) -> Begun {
    let case = words.get(2).and_then(|case| case.first());
    if words.len() > 2 && !pbx.setup.has(&[(12, 0)]) || case.is_some_and(|case| !b"alnuALNU".contains(case)) {
        return Begun::Usage;
    }
    say(pbx, words, words[0].len(), true)
}

pub(super) fn phonetic(pbx: &mut Pbx, words: &[BString]) -> Begun {
    say(pbx, words, words[0].len(), true)
}

pub(super) fn digits(pbx: &mut Pbx, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(_) => say(pbx, words, words[0].len(), true),
        None => Begun::Usage,
    }
}

pub(super) fn number(pbx: &mut Pbx, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(number) => say(pbx, words, number.unsigned_abs().to_string().len(), true),
        None => Begun::Usage,
    }
}

/// SAY DATE and SAY TIME.
pub(super) fn date(pbx: &mut Pbx, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(_) => say(pbx, words, 4, false),
        None => Begun::Usage,
    }
}

pub(super) fn datetime(pbx: &mut Pbx, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(_) => say(pbx, words, words.get(2).map_or(8, |format| format.len()), false),
        None => Begun::Usage,
    }
}

//! Files that are played and recorded, and digits.

use std::time::Duration;

use agi_proto::BString;
use bstr::ByteSlice;

use super::Begun;
use crate::model::event::Event;
use crate::model::functions::{leading, number};
use crate::model::job::{Answer, Collect, Keys, Play, Record, Then, WaitDigit, Work, samples};
use crate::model::state::CallState;

/// GET OPTION without a time-out, from the dialplan.
const OPTION: Duration = Duration::from_secs(5);
/// GET DATA without a time-out: until the first digit, and between digits.
const DATA: (Duration, Duration) = (Duration::from_secs(6), Duration::from_secs(2));
const BEEP: Duration = Duration::from_millis(440);
/// What Asterisk can write.
const FORMATS: &[&str] = &[
    "wav", "wav16", "wav49", "gsm", "ulaw", "alaw", "sln", "sln16", "slin", "g722", "g729", "au", "ogg",
    "pcm", "raw", "g726-32", "ilbc", "siren7", "siren14", "al", "mu", "ul", "ulw", "wavmulaw",
];

/// How many samples a file has, and the caller hears it; `None`: it is missing.
pub(super) fn length(call: &mut CallState, file: &BString) -> Option<u64> {
    if file.is_empty() || file.contains(&b'&') || call.setup.missing_sounds.contains(file) {
        return None;
    }
    let length = call.setup.sounds.get(file).copied().or(call.setup.unknown_sound)?;
    call.tell(Event::Plays(file.clone()));
    Some(samples(length))
}

fn milliseconds(ms: i64) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}

pub(super) fn stream_file(call: &mut CallState, words: &[BString]) -> Begun {
    let Some(offset) = words.get(2).map_or(Some(0), |offset| leading(offset)) else { return Begun::Usage };
    let Some(length) = length(call, &words[0]) else {
        return Begun::Answer(Answer::new(format!("200 result=-1 endpos={offset}")).failed());
    };
    let from = u64::try_from(offset).unwrap_or(0).min(length);
    let escape = words[1].clone();
    Begun::Runs(Work::Play(Play { from, length, began: call.now, escape, then: Then::Stream }))
}

pub(super) fn control_stream_file(call: &mut CallState, words: &[BString]) -> Begun {
    let tells = call.setup.has(&[(12, 0)]);
    let at = |n: usize| words.get(n).filter(|word| !word.is_empty());
    let skip = words.get(2).map_or(Some(3000), |skip| leading(skip));
    let offset = words.get(6).map_or(Some(0), |offset| leading(offset));
    let (Some(skip), Some(offset)) = (skip, offset) else { return Begun::Usage };
    if words.len() > 6 && !tells {
        return Begun::Usage;
    }
    let keys = Keys {
        skip: u64::try_from(skip).unwrap_or(0) * 8,
        forward: at(3).cloned().unwrap_or_else(|| "#".into()),
        rewind: at(4).cloned().unwrap_or_else(|| "*".into()),
        pause: at(5).cloned().unwrap_or_default(),
        paused: false,
        tells,
    };
    let Some(length) = length(call, &words[0]) else { return Begun::Answer(keys.missing()) };
    // an offset from the end puts it behind the end
    let from = u64::try_from(offset).map_or(length, |ms| ms.saturating_mul(8).min(length));
    let (escape, then) = (words[1].clone(), Then::Control(keys));
    Begun::Runs(Work::Play(Play { from, length, began: call.now, escape, then }))
}

pub(super) fn get_option(call: &mut CallState, words: &[BString]) -> Begun {
    let timeout = words.get(2).map_or(Some(OPTION), |timeout| milliseconds(number(timeout)));
    let Some(length) = length(call, &words[0]) else {
        return Begun::Answer(Answer::new("200 result=-1 endpos=0").failed());
    };
    let (escape, then) = (words[1].clone(), Then::Option(timeout));
    Begun::Runs(Work::Play(Play { from: 0, length, began: call.now, escape, then }))
}

pub(super) fn get_data(call: &mut CallState, words: &[BString]) -> Begun {
    let timeout = words.get(1).map_or(0, |timeout| number(timeout));
    let max = words.get(2).map_or(1024, |max| number(max));
    let length = if words[0].is_empty() { Some(0) } else { length(call, &words[0]) };
    let Some(length) = length.filter(|_| max != 0) else { return Begun::Answer(Answer::result(-1)) };
    let (first, next) = match timeout {
        0 => (Some(DATA.0), Some(DATA.1)),
        timeout => (milliseconds(timeout), milliseconds(timeout)),
    };
    let max = usize::try_from(max).unwrap_or(1);
    let collect = Collect { digits: BString::default(), max, first, next, until: None, variable: None };
    let (escape, then) = (BString::default(), Then::Data(collect));
    Begun::Runs(Work::Play(Play { from: 0, length, began: call.now, escape, then }))
}

pub(super) fn wait_for_digit(call: &mut CallState, words: &[BString]) -> Begun {
    let Some(timeout) = leading(&words[0]) else { return Begun::Usage };
    let until = milliseconds(timeout).map(|timeout| call.now + timeout);
    Begun::Runs(Work::Digit(WaitDigit { until, option: None }))
}

/// `file format escape timeout [offset] [BEEP] [s=silence]`
pub(super) fn record_file(call: &mut CallState, words: &[BString]) -> Begun {
    let Some(timeout) = leading(&words[3]) else { return Begun::Usage };
    let rest = &words[4..words.len().min(7)];
    let offset = rest.first().and_then(|word| leading(word));
    let beeps = match (rest.first(), offset) {
        (Some(first), None) if !first.starts_with(b"s=") => true,
        _ => rest.get(1).is_some_and(|second| !second.starts_with(b"s=")),
    };
    // any word with an `s` in it is looked at, and the first one counts
    let silence = rest.iter().find_map(|word| word.find_byte(b's').map(|at| &word[at..]));
    let silence = silence.and_then(|word| leading(word.strip_prefix(b"s=")?));
    let format_known = FORMATS
        .iter()
        .any(|format| words[1].split(|&byte| byte == b'|').any(|word| word == format.as_bytes()));
    if !format_known || call.setup.unwritable.iter().any(|folder| words[0].starts_with(folder)) {
        return Begun::Answer(Answer::new("200 result=-1 (writefile)").failed());
    }
    call.tell(Event::Records(words[0].clone()));
    Begun::Runs(Work::Record(Record {
        file: words[0].clone(),
        offset: u64::try_from(offset.unwrap_or(0)).unwrap_or(0),
        began: call.now,
        beep: if beeps { BEEP } else { Duration::ZERO },
        timeout: milliseconds(timeout),
        silence: silence.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
        escape: words[2].clone(),
        audio: call.setup.audio,
    }))
}

//! Short forms for the table: digits, and what many commands answer alike.

use agi_proto::commands::record::{RecordEnd, Recording};
use agi_proto::reply::{Digits, Playback, PlaybackEnd};
use agi_proto::{Digit, EscapeDigits};

use crate::Is::{self, Failed, Unexpected, Value};

pub(crate) fn set(digits: &str) -> EscapeDigits {
    EscapeDigits::new(digits).unwrap()
}

pub(crate) fn digit(character: char) -> Digit {
    Digit::new(character).unwrap()
}

pub(crate) fn pressed(character: char) -> PlaybackEnd {
    PlaybackEnd::Digit(digit(character))
}

/// What a command answers that gives no value.
pub(crate) fn done(code: &'static str) -> [(&'static str, Is<()>); 3] {
    [(code, Value(())), ("200 result=-1", Failed), ("200 result=7", Unexpected)]
}

pub(crate) fn one() -> [(&'static str, Is<()>); 3] {
    [("200 result=1", Value(())), ("200 result=0", Failed), ("200 result=-1", Unexpected)]
}

pub(crate) fn yes_or_no() -> [(&'static str, Is<bool>); 3] {
    [("200 result=1", Value(true)), ("200 result=0", Value(false)), ("200 result=-1", Unexpected)]
}

pub(crate) fn said() -> [(&'static str, Is<PlaybackEnd>); 5] {
    [
        ("200 result=0", Value(PlaybackEnd::Complete)),
        ("200 result=53", Value(pressed('5'))),
        ("200 result=35", Value(pressed('#'))),
        ("200 result=-1", Failed),
        ("200 result=1", Unexpected),
    ]
}

pub(crate) fn played() -> [(&'static str, Is<Playback>); 7] {
    [
        ("200 result=0 endpos=3520", Value(Playback { ended: PlaybackEnd::Complete, samples: Some(3520) })),
        ("200 result=0 endpos=-1", Value(Playback { ended: PlaybackEnd::Complete, samples: None })),
        ("200 result=49 endpos=3360", Value(Playback { ended: pressed('1'), samples: Some(3360) })),
        ("200 result=-1 endpos=0", Failed),
        ("200 result=-1 endpos=2400", Failed),
        ("200 result=0", Unexpected),
        ("200 result=300 endpos=0", Unexpected),
    ]
}

pub(crate) fn text(text: &str) -> Is<Option<agi_proto::BString>> {
    Value(Some(text.into()))
}

pub(crate) fn digits(digits: &str, timed_out: bool) -> Is<Digits> {
    Value(Digits { digits: digits.into(), timed_out })
}

pub(crate) fn recorded(end: RecordEnd, samples: impl Into<Option<u64>>) -> Is<Recording> {
    Value(Recording { end, samples: samples.into() })
}

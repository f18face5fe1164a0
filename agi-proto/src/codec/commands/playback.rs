//! Commands that play to the caller.

use core::time::Duration;

use bstr::BStr;

use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply::{self, Playback, PlaybackEnd};
use crate::codec::response::Response;
use crate::values::digit::{Digit, EscapeDigits};
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, MusicEffect, WhenInterrupted};

/// `STREAM FILE`: plays a sound file until its end or an escape digit.
///
/// A new command stops it. `PLAYBACKSTATUS` is set to `FAILED` also where a digit ended it: use the reply.
///
/// Failure (-1): there is no such file, or the channel was hung up (which the session finds out).
#[derive(Clone, Copy, Debug)]
pub struct StreamFile<'a> {
    file: &'a BStr,
    escape_digits: EscapeDigits,
    offset: Option<u32>,
}

impl<'a> StreamFile<'a> {
    /// A sound file by its name, without extension; one file, no `a&b` list.
    pub fn new<T: AsRef<[u8]> + ?Sized>(file: &'a T, escape_digits: EscapeDigits) -> Self {
        Self { file: BStr::new(file), escape_digits, offset: None }
    }

    /// Begins so many samples into the file: 8,000 a second unless its format has another rate.
    pub fn offset(mut self, samples: u32) -> Self {
        self.offset = Some(samples);
        self
    }
}

impl Command for StreamFile<'_> {
    type Reply = Playback;
    const INFO: CommandInfo = CommandInfo::new("STREAM FILE")
        .when_interrupted(WhenInterrupted::Stops)
        .failure_may_be_hangup()
        .music(MusicEffect::Stops);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("STREAM FILE")
            .argument("file", self.file)
            .escape_digits(self.escape_digits)
            .optional_number(self.offset);
    }

    fn decode(response: &Response<'_>) -> Result<Playback, ReplyError> {
        reply::playback(response)
    }
}

/// `CONTROL STREAM FILE`: plays a sound file in which the caller can move about.
///
/// Keys move forward and back, pause, and stop. It runs on when another command comes, and does not answer the
/// channel. The variables `CPLAYBACKSTATUS`, `CPLAYBACKOFFSET` and `CPLAYBACKSTOPKEY` tell the end too.
///
/// Failure (-1): there is no such file, or the channel was hung up (which the session finds out).
#[derive(Clone, Copy, Debug)]
pub struct ControlStreamFile<'a> {
    file: &'a BStr,
    stop: EscapeDigits,
    skip: Option<Duration>,
    forward: Option<EscapeDigits>,
    rewind: Option<EscapeDigits>,
    pause: Option<EscapeDigits>,
    offset: Option<Offset>,
}

#[derive(Clone, Copy, Debug)]
enum Offset {
    Start(Duration),
    End(Duration),
}

/// How [`ControlStreamFile`] ended, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlledPlayback {
    /// How it ended. What was stopped over the manager interface is complete too.
    pub ended: PlaybackEnd,
    /// Where it was stopped, if Asterisk takes the file for one of 8,000 samples a second; `None` where it was
    /// played to its end (and before Asterisk 12).
    pub position: Option<Duration>,
}

impl ControlledPlayback {
    /// The digit that stopped it.
    pub fn digit(self) -> Option<Digit> {
        self.ended.digit()
    }
}

impl<'a> ControlStreamFile<'a> {
    /// A sound file by its name, without extension, and the digits that stop it.
    pub fn new<T: AsRef<[u8]> + ?Sized>(file: &'a T, stop: EscapeDigits) -> Self {
        let (skip, forward, rewind, pause, offset) = (None, None, None, None, None);
        Self { file: BStr::new(file), stop, skip, forward, rewind, pause, offset }
    }

    /// How far one move forward or back goes: 3 seconds unless this says otherwise. A move beyond the end goes
    /// back as far from there.
    pub fn skip(mut self, skip: Duration) -> Self {
        self.skip = Some(skip);
        self
    }

    /// The digits that move forward: `#` unless this says otherwise. Asterisk takes an empty set for that
    /// default, so it is refused.
    pub fn forward(mut self, digits: EscapeDigits) -> Self {
        self.forward = Some(digits);
        self
    }

    /// The digits that move back: `*` unless this says otherwise. Asterisk takes an empty set for that
    /// default, so it is refused.
    pub fn rewind(mut self, digits: EscapeDigits) -> Self {
        self.rewind = Some(digits);
        self
    }

    /// The digits that pause, and go on again: none unless this says otherwise.
    pub fn pause(mut self, digits: EscapeDigits) -> Self {
        self.pause = Some(digits);
        self
    }

    /// Begins this far into the file (Asterisk counts milliseconds). Before Asterisk 12 the answer to that is 520.
    pub fn offset(mut self, offset: Duration) -> Self {
        self.offset = Some(Offset::Start(offset));
        self
    }

    /// Begins this long before the end of the file (Asterisk counts milliseconds). Asterisk 22 does not manage
    /// that: it goes to the very end, and the playback is complete at once. Before Asterisk 12 the answer is 520.
    pub fn offset_from_end(mut self, offset: Duration) -> Self {
        self.offset = Some(Offset::End(offset));
        self
    }

    /// How many of the optional arguments must be written.
    fn optional(&self) -> usize {
        let given = [
            self.skip.is_some(),
            self.forward.is_some(),
            self.rewind.is_some(),
            self.pause.is_some(),
            self.offset.is_some(),
        ];
        given.iter().rposition(|&given| given).map_or(0, |last| last + 1)
    }
}

impl Command for ControlStreamFile<'_> {
    type Reply = ControlledPlayback;
    const INFO: CommandInfo =
        CommandInfo::new("CONTROL STREAM FILE").failure_may_be_hangup().music(MusicEffect::Stops);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("CONTROL STREAM FILE").argument("file", self.file).escape_digits(self.stop);
        if [self.forward, self.rewind].contains(&Some(EscapeDigits::NONE)) {
            line.refuse_argument("forward or rewind", "is empty, which Asterisk takes for its default");
        }
        let optional = self.optional();
        if optional > 0 {
            line.milliseconds("skip", Some(self.skip.unwrap_or(Duration::from_secs(3))));
        }
        let digits = [
            (self.forward, EscapeDigits::from(Digit::HASH)),
            (self.rewind, EscapeDigits::from(Digit::STAR)),
            (self.pause, EscapeDigits::NONE),
        ];
        for (digits, default) in digits.into_iter().take(optional.saturating_sub(1)) {
            line.escape_digits(digits.unwrap_or(default));
        }
        match self.offset {
            None => {}
            Some(Offset::Start(offset)) => {
                line.milliseconds("offset", Some(offset));
            }
            Some(Offset::End(offset)) => {
                line.minus_milliseconds("offset", offset);
            }
        }
    }

    fn decode(response: &Response<'_>) -> Result<ControlledPlayback, ReplyError> {
        let ended = reply::ended(response)?;
        let position = response.number("endpos").and_then(|at| u64::try_from(at).ok());
        Ok(ControlledPlayback { ended, position: position.map(Duration::from_millis) })
    }
}

//! Recording the caller.

use core::fmt::Write;
use core::time::Duration;

use bstr::{BStr, ByteSlice};

use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::response::Response;
use crate::values::digit::{Digit, EscapeDigits};
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, MusicEffect};

/// The most seconds of silence that Asterisk can count: it makes them milliseconds, in a C `int`.
const MOST_SILENCE: i32 = i32::MAX / 1000;

/// `RECORD FILE`: records what the caller says until an escape digit, silence, time out or hangup.
///
/// A file of that name is overwritten, unless [`offset`](Self::offset) appends to it. It runs on when another
/// command comes.
///
/// All six ends that Asterisk tells are values, see [`RecordEnd`]: a hangup too leaves a recording, and the
/// channel is then known to be hung up.
///
/// While music on hold is on it is refused with [`EncodeError::MusicIsOn`](crate::EncodeError::MusicIsOn), unless it
/// begins with a [beep](Self::beep): the music's file and the recording share a place in Asterisk, which then corrupts its
/// memory, or never answers. The session knows of music that this conversation started, not of the dialplan's.
///
/// Failure (a bare -1): the channel cannot be listened to for silence.
#[derive(Clone, Copy, Debug)]
pub struct RecordFile<'a> {
    file: &'a BStr,
    format: &'a BStr,
    escape_digits: EscapeDigits,
    timeout: Option<Duration>,
    offset: Option<u32>,
    beep: bool,
    silence: Option<Duration>,
}

/// What came of [`RecordFile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a recording that could not be made is told here"]
pub struct Recording {
    /// What ended it.
    pub end: RecordEnd,
    /// Where it ended, in samples: 8,000 a second unless the format has another rate. `None` where
    /// Asterisk does not say, because there is no file, or it is one of G.723.
    pub samples: Option<u64>,
}

/// What ended a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnd {
    /// `(dtmf)`: the caller pressed this. Asterisk cuts the last 200 ms off.
    Digit(Digit),
    /// `(timeout)`: time ran out, or there was so much silence; Asterisk does not say which.
    TimedOut,
    /// `(hangup)`: the caller hung up. What was said before is recorded.
    HungUp,
    /// `(waitfor)`: waiting for sound failed. What was said before is recorded.
    WaitFailed,
    /// `(writefile)`: the file could not be written: no such format or directory. Nothing is recorded.
    WriteFailed,
    /// `(randomerror)`: the beep failed, and this escape digit interrupted it if there is one. Nothing
    /// is recorded.
    BeepFailed(Option<Digit>),
}

impl RecordEnd {
    /// Whether the end leaves a recording.
    pub fn is_recorded(self) -> bool {
        !matches!(self, Self::WriteFailed | Self::BeepFailed(_))
    }
}

impl<'a> RecordFile<'a> {
    /// A file by its name without extension, a format such as `wav`, the digits that end it, and how long
    /// it may take (Asterisk counts milliseconds); `None` for ever.
    pub fn new(
        file: &'a (impl AsRef<[u8]> + ?Sized),
        format: &'a (impl AsRef<[u8]> + ?Sized),
        escape_digits: EscapeDigits,
        timeout: impl Into<Option<Duration>>,
    ) -> Self {
        let (file, format, timeout) = (BStr::new(file), BStr::new(format), timeout.into());
        Self { file, format, escape_digits, timeout, offset: None, beep: false, silence: None }
    }

    /// Appends to a file that is there, from this sample on: 8,000 a second unless its format has
    /// another rate. 0 is to begin anew.
    pub fn offset(mut self, samples: u32) -> Self {
        self.offset = Some(samples);
        self
    }

    /// Plays a beep first.
    pub fn beep(mut self) -> Self {
        self.beep = true;
        self
    }

    /// Ends after so much silence, in whole seconds; a part of a second is rounded up. Zero, which Asterisk takes for
    /// no end by silence, and more than 2,147,483 s, which it cannot count, are refused.
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = Some(silence);
        self
    }
}

impl Command for RecordFile<'_> {
    type Reply = Recording;
    const INFO: CommandInfo =
        CommandInfo::new("RECORD FILE").failure_may_be_hangup().music(MusicEffect::Breaks);

    fn info(&self) -> CommandInfo {
        // the beep is a file, and stops the music before the recording begins
        if self.beep { Self::INFO.music(MusicEffect::Stops) } else { Self::INFO }
    }

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("RECORD FILE")
            .argument("file", self.file)
            .argument("format", self.format)
            .escape_digits(self.escape_digits)
            .milliseconds("timeout", self.timeout)
            .optional_number(self.offset);
        // Asterisk knows the next two by what they look like, so that neither brings a default along;
        // a small `s` in the first would hide the second
        line.optional_argument("beep", self.beep.then_some("BEEP"));
        if let Some(silence) = self.silence {
            let seconds = line.seconds("silence", silence);
            if silence.is_zero() {
                line.refuse_argument("silence", "is zero, which Asterisk takes for no end by silence");
            } else if seconds > MOST_SILENCE {
                line.refuse_argument("silence", "is longer than Asterisk can count (2,147,483 s)");
            }
            line.argument_of("silence", |argument| {
                write!(argument, "s={seconds}").expect("an argument takes all text");
            });
        }
    }

    fn decode(response: &Response<'_>) -> Result<Recording, ReplyError> {
        let code = response.code().ok_or_else(|| response.unexpected())?;
        let end = match response.tag().map(|tag| tag.as_bytes()) {
            Some(b"dtmf") => RecordEnd::Digit(Digit::from_code(code).ok_or_else(|| response.unexpected())?),
            // the number is a left-over of the last wait
            Some(b"timeout") => RecordEnd::TimedOut,
            Some(b"hangup") => RecordEnd::HungUp,
            Some(b"waitfor") => RecordEnd::WaitFailed,
            Some(b"writefile") => RecordEnd::WriteFailed,
            Some(b"randomerror") => RecordEnd::BeepFailed(Digit::from_code(code)),
            None if code == -1 && response.tail().is_empty() => return Err(response.failed()),
            _ => return Err(response.unexpected()),
        };
        let samples = response.number("endpos").and_then(|at| u64::try_from(at).ok());
        Ok(Recording { end, samples })
    }
}

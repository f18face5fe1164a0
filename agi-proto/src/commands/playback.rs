//! Commands that play to the caller.

use bstr::BStr;

use crate::command::{Command, CommandInfo, OnInput};
use crate::digit::EscapeDigits;
use crate::encode::CommandLine;
use crate::error::ReplyError;
use crate::reply::{self, Playback};
use crate::response::Response;

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
    const INFO: CommandInfo =
        CommandInfo::new("STREAM FILE").on_input(OnInput::Stops).failure_may_be_hangup();

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.words("STREAM FILE").argument("file", self.file).escape_digits(self.escape_digits);
        if let Some(samples) = self.offset {
            line.number(samples.into());
        }
    }

    fn decode(response: &Response<'_>) -> Result<Playback, ReplyError> {
        reply::playback(response)
    }
}

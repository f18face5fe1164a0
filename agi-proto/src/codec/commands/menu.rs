//! A menu: prompts that the caller may cut short, then a wait for a digit.
//!
//! The adapters' `menu` plays one [`Prompt`] after the other and then waits by
//! [`WaitForDigit`](super::WaitForDigit).

use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply::{self, PlaybackEnd};
use crate::codec::response::Response;
use crate::values::digit::EscapeDigits;
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, WhenInterrupted};

use super::{SayAlpha, SayDate, SayDateTime, SayDigits, SayNumber, SayPhonetic, SayTime, StreamFile};

/// Something that is played or said to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt<'a> {
    /// A sound file, as [`StreamFile`] plays it.
    File(&'a str),
    /// A text letter by letter, as [`SayAlpha`] says it.
    Alpha(&'a str),
    /// A text in the phonetic alphabet, as [`SayPhonetic`] says it.
    Phonetic(&'a str),
    /// Digit after digit, as [`SayDigits`] says them.
    Digits(&'a str),
    /// A number, as [`SayNumber`] says it.
    Number(i32),
    /// The date of a time in seconds since 1970, as [`SayDate`] says it.
    Date(i64),
    /// The time of day of a time in seconds since 1970, as [`SayTime`] says it.
    Time(i64),
    /// Date and time of a time in seconds since 1970, as [`SayDateTime`] says it.
    DateTime(i64),
}

/// A [`Prompt`] with the digits that end it: a command.
#[derive(Clone, Copy, Debug)]
pub struct Interruptible<'a> {
    prompt: Prompt<'a>,
    escape_digits: EscapeDigits,
}

impl<'a> Prompt<'a> {
    /// The command that plays or says it until one of these digits.
    ///
    /// ```
    /// use agi_proto::{EscapeDigits, commands::menu::Prompt};
    ///
    /// let prompts = [Prompt::File("you-have"), Prompt::Number(3), Prompt::File("vm-messages")];
    /// let commands = prompts.map(|prompt| prompt.until(EscapeDigits::ANY));
    /// # let _ = commands;
    /// ```
    pub fn until(self, escape_digits: EscapeDigits) -> Interruptible<'a> {
        Interruptible { prompt: self, escape_digits }
    }
}

/// Does `$do` with the command that a prompt stands for.
macro_rules! with_command {
    ($this:expr, |$command:ident| $do:expr) => {{
        let Interruptible { prompt, escape_digits: digits } = *$this;
        match prompt {
            Prompt::File(file) => with_command!(@ StreamFile::new(file, digits), $command, $do),
            Prompt::Alpha(text) => with_command!(@ SayAlpha::new(text, digits), $command, $do),
            Prompt::Phonetic(text) => with_command!(@ SayPhonetic::new(text, digits), $command, $do),
            Prompt::Digits(text) => with_command!(@ SayDigits::new(text, digits), $command, $do),
            Prompt::Number(number) => with_command!(@ SayNumber::new(number, digits), $command, $do),
            Prompt::Date(time) => with_command!(@ SayDate::new(time, digits), $command, $do),
            Prompt::Time(time) => with_command!(@ SayTime::new(time, digits), $command, $do),
            Prompt::DateTime(time) => with_command!(@ SayDateTime::new(time, digits), $command, $do),
        }
    }};
    (@ $value:expr, $command:ident, $do:expr) => {{
        let $command = $value;
        $do
    }};
}

impl Command for Interruptible<'_> {
    type Reply = PlaybackEnd;
    /// What holds of the most impatient of them; [`info`](Command::info) is exact.
    const INFO: CommandInfo =
        CommandInfo::new("a prompt").when_interrupted(WhenInterrupted::Stops).failure_may_be_hangup();

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        with_command!(self, |command| command.encode(line));
    }

    fn decode(response: &Response<'_>) -> Result<PlaybackEnd, ReplyError> {
        reply::ended(response)
    }

    fn info(&self) -> CommandInfo {
        with_command!(self, |command| command.info())
    }
}

//! Commands that wait for what the caller enters.

use alloc::string::String;
use core::time::Duration;

use bstr::{BStr, ByteSlice};

use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply::{self, Digits, Playback};
use crate::codec::response::Response;
use crate::values::digit::{Digit, EscapeDigits};
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, MusicEffect, Secrecy, WhenInterrupted};

/// The most digits that Asterisk has space for.
const MOST_DIGITS: u16 = 1023;

/// `GET DATA`: plays a file and collects digits until `#`, the most digits, or time out.
///
/// A new command stops it. Who steers a playback over the manager interface while it waits (see
/// [`DigitWait::Control`]) presses nothing, but Asterisk counts it as one of the most digits.
///
/// Failure (-1): there is no such file, or the channel was hung up (which the session finds out).
#[derive(Clone, Copy, Debug)]
pub struct GetData<'a> {
    file: &'a BStr,
    timeout: Option<Option<Duration>>,
    max_digits: u16,
}

impl<'a> GetData<'a> {
    /// A prompt by its name, without extension; an empty name is no prompt. Asterisk then waits 6 seconds
    /// for the first digit and 2 for each next one.
    pub fn new<T: AsRef<[u8]> + ?Sized>(file: &'a T) -> Self {
        Self { file: BStr::new(file), timeout: None, max_digits: MOST_DIGITS }
    }

    /// Waits so long for the first and for each next digit; `None` for ever. Asterisk counts
    /// milliseconds and takes 0 for its default, so a time of zero is refused.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = Some(timeout.into());
        self
    }

    /// Ends after so many digits: 1 to 1,023, which is the default. More would overflow a buffer of Asterisk's and
    /// are refused; so would the 1,024 that Asterisk takes where none are given, so a number is always sent.
    pub fn max_digits(mut self, max_digits: u16) -> Self {
        self.max_digits = max_digits;
        self
    }
}

impl Command for GetData<'_> {
    type Reply = Digits;
    const INFO: CommandInfo = CommandInfo::new("GET DATA")
        .when_interrupted(WhenInterrupted::Stops)
        .failure_may_be_hangup()
        .secrecy(Secrecy::Reply);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("GET DATA").argument("file", self.file);
        match self.timeout {
            None => line.number(0),
            Some(Some(Duration::ZERO)) => {
                line.refuse_argument("timeout", "is zero, which Asterisk takes for its default")
            }
            Some(timeout) => line.milliseconds("timeout", timeout),
        };
        if !(1..=MOST_DIGITS).contains(&self.max_digits) {
            line.refuse_argument("max digits", "are not 1 to 1,023");
        }
        line.number(self.max_digits.into());
    }

    fn decode(response: &Response<'_>) -> Result<Digits, ReplyError> {
        let digits = response.result().ok_or_else(|| response.unexpected())?;
        let timed_out = match response.tail().as_bytes() {
            b"" => false,
            b"(timeout)" => true,
            _ => return Err(response.unexpected()),
        };
        if digits == "-1" {
            return Err(response.failed());
        }
        // 1000 to 1004, which Asterisk takes for digits and cuts to a byte each
        let steers = |byte: &u8| matches!(byte, 0xe8..=0xec);
        let digits = digits.iter().filter(|byte| !steers(byte)).map(|&byte| Digit::from_code(byte.into()));
        let digits: Option<String> = digits.map(|digit| digit.map(Digit::as_char)).collect();
        Ok(Digits { digits: digits.ok_or_else(|| response.unexpected())?, timed_out })
    }
}

/// `GET OPTION`: plays a file, then waits for one of the escape digits.
///
/// It is [`StreamFile`](super::StreamFile) with a wait behind it. A digit that is none of the escape digits
/// ends the wait as time does. A new command stops it.
///
/// Failure (-1): there is no such file, or the channel was hung up while it played (which the session finds
/// out). A hangup while it waits looks like a time-out.
#[derive(Clone, Copy, Debug)]
pub struct GetOption<'a> {
    file: &'a BStr,
    escape_digits: EscapeDigits,
    timeout: Option<Duration>,
}

impl<'a> GetOption<'a> {
    /// A prompt by its name, without extension, the digits to wait for, and how long to wait when it was
    /// played (Asterisk counts milliseconds); `None` for ever.
    ///
    /// Asterisk has a default for the time, but a channel that runs no dialplan can crash it then.
    pub fn new<T: AsRef<[u8]> + ?Sized>(
        file: &'a T,
        escape_digits: EscapeDigits,
        timeout: impl Into<Option<Duration>>,
    ) -> Self {
        Self { file: BStr::new(file), escape_digits, timeout: timeout.into() }
    }
}

impl Command for GetOption<'_> {
    type Reply = Playback;
    const INFO: CommandInfo = CommandInfo::new("GET OPTION")
        .when_interrupted(WhenInterrupted::Stops)
        .failure_may_be_hangup()
        .music(MusicEffect::Stops)
        .secrecy(Secrecy::Reply);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("GET OPTION")
            .argument("file", self.file)
            .escape_digits(self.escape_digits)
            .milliseconds("timeout", self.timeout);
    }

    fn decode(response: &Response<'_>) -> Result<Playback, ReplyError> {
        reply::playback(response)
    }
}

/// `WAIT FOR DIGIT`: waits for one digit.
///
/// A new command ends the wait.
///
/// Failure (-1): the channel was hung up.
#[derive(Clone, Copy, Debug)]
pub struct WaitForDigit {
    timeout: Option<Duration>,
}

/// What ended the wait of [`WaitForDigit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigitWait {
    /// The caller pressed this.
    Digit(Digit),
    /// Time ran out.
    TimedOut,
    /// Somebody steered the playback over the manager interface (1000 to 1004: stop, suspend, restart,
    /// reverse, forward).
    Control(i64),
}

impl DigitWait {
    /// The digit, if one was pressed.
    pub fn digit(self) -> Option<Digit> {
        match self {
            Self::Digit(digit) => Some(digit),
            _ => None,
        }
    }
}

impl WaitForDigit {
    /// Waits so long (Asterisk counts milliseconds); `None` for ever.
    pub fn new(timeout: impl Into<Option<Duration>>) -> Self {
        Self { timeout: timeout.into() }
    }
}

impl Command for WaitForDigit {
    type Reply = DigitWait;
    const INFO: CommandInfo = CommandInfo::new("WAIT FOR DIGIT")
        .when_interrupted(WhenInterrupted::Stops)
        .failure_may_be_hangup()
        .secrecy(Secrecy::Reply);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("WAIT FOR DIGIT").milliseconds("timeout", self.timeout);
    }

    fn decode(response: &Response<'_>) -> Result<DigitWait, ReplyError> {
        match response.code() {
            Some(0) => Ok(DigitWait::TimedOut),
            Some(-1) => Err(response.failed()),
            Some(code @ 1000..=1004) => Ok(DigitWait::Control(code)),
            Some(code) => Digit::from_code(code).map(DigitWait::Digit).ok_or_else(|| response.unexpected()),
            None => Err(response.unexpected()),
        }
    }
}

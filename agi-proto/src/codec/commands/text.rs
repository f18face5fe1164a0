//! Commands that send and receive text and images, where the channel carries them.

use core::time::Duration;

use bstr::BString;

use super::define::text_commands;
use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply;
use crate::codec::response::Response;
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, ReplyFormat};

text_commands! {
    /// `SEND IMAGE`: sends an image file, by its name without extension.
    ///
    /// It is answered alike where there is no such file and where the channel takes no images.
    ///
    /// Failure (-1): the channel was hung up (which the session finds out).
    SendImage(image) -> (): reply::done, CommandInfo::new("SEND IMAGE").failure_may_be_hangup();

    /// `SEND TEXT`: sends a text.
    ///
    /// Failure (-1): the channel takes no text (before Asterisk 16 that was no failure), or was hung up
    /// (which the session finds out).
    SendText(text) -> (): reply::done, CommandInfo::new("SEND TEXT").failure_may_be_hangup();
}

/// `RECEIVE CHAR`: waits for one character of text.
///
/// Gives its byte, and `None` where none came: time ran out, or the channel receives none. Asterisk answers
/// that by `-1 (hangup)` too, and the session asks whether it is true. It runs on when another command comes.
///
/// Failure: the channel was hung up.
#[derive(Clone, Copy, Debug)]
pub struct ReceiveChar {
    timeout: Option<Duration>,
}

impl ReceiveChar {
    /// Waits so long (Asterisk counts milliseconds); `None` for ever. Zero does not wait, against
    /// Asterisk's own documentation.
    pub fn new(timeout: impl Into<Option<Duration>>) -> Self {
        Self { timeout: timeout.into() }
    }
}

impl Command for ReceiveChar {
    type Reply = Option<u8>;
    const INFO: CommandInfo = CommandInfo::new("RECEIVE CHAR").failure_may_be_hangup();

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("RECEIVE CHAR").milliseconds("timeout", self.timeout);
    }

    fn decode(response: &Response<'_>) -> Result<Option<u8>, ReplyError> {
        match response.code() {
            Some(-1) if response.is_hung_up() => Err(response.failed()),
            Some(-1 | 0) => Ok(None),
            Some(code) => u8::try_from(code).map(Some).map_err(|_| response.unexpected()),
            None => Err(response.unexpected()),
        }
    }
}

/// `RECEIVE TEXT`: waits for a text.
///
/// Gives `None` where none came: time ran out, or the channel receives none. Asterisk answers -1 then and
/// after a hangup, and the session asks which. It runs on when another command comes.
///
/// Failure: the channel was hung up.
#[derive(Clone, Copy, Debug)]
pub struct ReceiveText {
    timeout: Option<Duration>,
}

impl ReceiveText {
    /// Waits so long (Asterisk counts milliseconds); `None` for ever. Zero does not wait, against
    /// Asterisk's own documentation.
    pub fn new(timeout: impl Into<Option<Duration>>) -> Self {
        Self { timeout: timeout.into() }
    }
}

impl Command for ReceiveText {
    type Reply = Option<BString>;
    const INFO: CommandInfo =
        CommandInfo::new("RECEIVE TEXT").format(ReplyFormat::Value).failure_may_be_hangup();

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("RECEIVE TEXT").milliseconds("timeout", self.timeout);
    }

    fn decode(response: &Response<'_>) -> Result<Option<BString>, ReplyError> {
        match (response.code(), response.value()) {
            (Some(1), Some(text)) => Ok(Some(text.into())),
            (Some(-1), None) if response.is_hung_up() => Err(response.failed()),
            (Some(-1), None) => Ok(None),
            _ => Err(response.unexpected()),
        }
    }
}

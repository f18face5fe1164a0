//! The ends of replies that Asterisk does not mark.

use alloc::vec::Vec;

use memchr::memchr;

use super::input::Input;
use crate::codec::line::trim_line_end;
use crate::values::info::ReplyFormat;

/// Replies shorter than this arrive in one segment: TCP's smallest MSS is 536 bytes (RFC 9293).
const SEGMENT: usize = 512;
/// The beginning of a response that holds recognised text.
const SPEECH: &[u8] = b"200 result=1 (speech)";
/// The length at which Asterisk cuts recognised text, in bytes.
const SPEECH_CUT: usize = 4095;
/// The line that announces a hangup. Asterisk ends lines with LF alone; a peer that is not Asterisk may send CR LF.
const HANGUP: [&[u8]; 2] = [b"HANGUP\n", b"HANGUP\r\n"];

/// A reply whose meaning or end is being found out.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    pub(super) status: u16,
}

impl Held {
    /// Takes off the `HANGUP`s after the last parenthesis of a value. Returns whether it has that end, and whether there
    /// was a hangup.
    ///
    /// Truncated text can end in any bytes, so a `HANGUP` after 4,095 bytes proves nothing. If the channel is hung up, the
    /// next command reports it.
    pub(super) fn end(&mut self, format: ReplyFormat) -> (bool, bool) {
        let is_text = format == ReplyFormat::Speech;
        if is_text && self.bytes.len() >= SPEECH_CUT {
            return (true, false);
        }
        let mut hung_up = false;
        while let Some(value) = HANGUP.iter().find_map(|line| self.bytes.strip_suffix(*line)) {
            let length = value.len();
            self.bytes.truncate(length);
            hung_up = true;
        }
        (is_text || trim_line_end(&self.bytes).ends_with(b")"), hung_up)
    }
}

/// Returns whether the line that looks like the end of a value may be one within it. Whoever shapes the value could make
/// the rest look like the next reply. Text has no end that could be known.
///
/// Asterisk writes a response at once, so all of it is received at once, and only `HANGUP` can follow. That fails if this
/// side lent too little space, and if the response is too long for one [segment](SEGMENT) of TCP.
pub(super) fn may_go_on(input: &Input, format: ReplyFormat, length: usize) -> bool {
    let (message, mut behind) = input.peek().split_at(length);
    match format {
        ReplyFormat::Value => {}
        ReplyFormat::Speech => return message.starts_with(SPEECH),
        ReplyFormat::Line | ReplyFormat::Exec => return false,
    }
    while let Some(hangup) = hangup_at_start(behind) {
        behind = &behind[hangup..];
    }
    let (first, more) = message.split_at(memchr(b'\n', message).map_or(length, |end| end + 1));
    let is_one_line = more.is_empty() && behind.is_empty() && length < SEGMENT && !input.is_cut(length);
    first.starts_with(b"200 result=1 (") && !is_one_line
}

/// Returns the length of the `HANGUP` line that the bytes begin with, if they do.
pub(super) fn hangup_at_start(bytes: &[u8]) -> Option<usize> {
    HANGUP.iter().find(|line| bytes.starts_with(line)).map(|line| line.len())
}

/// Returns whether the bytes are nothing, or the beginning of a `HANGUP` line.
pub(super) fn may_become_hangup(bytes: &[u8]) -> bool {
    HANGUP.iter().any(|line| line.starts_with(bytes))
}

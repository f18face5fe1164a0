//! The received bytes, and the message that was found in them.

use core::ops::Range;

use crate::codec::frame::Framer;
use crate::codec::line::{LineBuffer, LineTooLong};
use crate::values::info::ReplyFormat;

/// Received bytes, cut into lines and messages. A message is found once, and taken later.
#[derive(Debug)]
pub(super) struct Input {
    lines: LineBuffer,
    framer: Framer,
    /// The length of a message that was found and not taken yet.
    found: Option<usize>,
}

impl Input {
    pub(super) fn new(limit: usize) -> Self {
        Self { lines: LineBuffer::new(limit), framer: Framer::default(), found: None }
    }

    #[inline]
    pub(super) fn receive(&mut self, bytes: &[u8], is_full: bool) {
        self.lines.handle_input(bytes, is_full);
    }

    /// Returns whether nothing has come that was not looked at.
    #[inline]
    pub(super) fn is_searched(&self) -> bool {
        self.found.is_none() && self.lines.is_searched()
    }

    /// Finds the next message: a reply of this format, or if none is owed a line. Unsolicited bytes are read line by line,
    /// so that a line starting with `520-` cannot swallow the lines after it.
    #[inline]
    pub(super) fn next_message(&mut self, format: Option<ReplyFormat>) -> Result<Option<usize>, LineTooLong> {
        if self.is_searched() {
            return Ok(None);
        }
        let Some(format) = format else {
            return Ok(self.lines.next_line()?.map(|line| line.end));
        };
        if self.found.is_none() {
            self.found = self.framer.next(&mut self.lines, format)?;
        }
        Ok(self.found)
    }

    pub(super) fn next_line(&mut self) -> Result<Option<Range<usize>>, LineTooLong> {
        self.lines.next_line()
    }

    #[inline]
    pub(super) fn peek(&self) -> &[u8] {
        self.lines.peek()
    }

    #[inline]
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        self.found = None;
        self.lines.take(length)
    }

    /// Forgets that a message was found, because it is being taken.
    #[inline]
    pub(super) fn found(&mut self) {
        self.found = None;
    }

    /// Looks at the bytes again, line by line: the beginning of a message may be none.
    pub(super) fn restart(&mut self) {
        self.framer = Framer::default();
        self.take(0);
    }

    /// Returns whether a message of this length is the last that there was space for, so that more may be there already.
    pub(super) fn is_cut(&self, length: usize) -> bool {
        self.lines.is_cut() && self.lines.peek().len() == length
    }

    /// Returns whether a message has begun whose end is still to come.
    pub(super) fn is_inside_message(&self) -> bool {
        self.framer.is_inside()
    }

    /// Limits messages from now on, and frees what a large environment needed.
    pub(super) fn limit_messages(&mut self, limit: usize) {
        self.lines.set_limit(limit);
        self.lines.free();
    }
}

//! Where one message of Asterisk's ends and the next begins.
//!
//! ```text
//! message = "HANGUP" LF
//!         / "520-" line *( line ) *any "520 End of proper usage." LF
//!         / "200 result=1 (" *any ")" LF       ; the first line that ends in ")", if a value is owed
//!         / line
//! ```

use crate::codec::line::{LineBuffer, LineTooLong, trim_line_end};
use crate::codec::response::USAGE_END;
use crate::values::info::ReplyFormat;

/// Finds messages of one or more lines, and remembers in which it is while its rest is on the way.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    /// How the message that has begun will end.
    until: Option<&'static [u8]>,
}

impl Framer {
    /// Whether a message has begun whose end is still to come.
    pub(crate) fn is_inside(&self) -> bool {
        self.until.is_some()
    }

    /// The length of the next message, its line end included; it is not taken. `None` means that more
    /// input is needed. `shape` is what the reply that is owed may look like.
    pub(crate) fn next(
        &mut self,
        input: &mut LineBuffer,
        shape: ReplyFormat,
    ) -> Result<Option<usize>, LineTooLong> {
        while let Some(range) = input.next_line()? {
            let length = range.end;
            let line = trim_line_end(&input.peek()[range]);
            let until = self.until.or_else(|| match shape {
                _ if line.starts_with(b"520-") => Some(USAGE_END),
                ReplyFormat::Value if line.starts_with(b"200 result=1 (") => Some(b")"),
                _ => None,
            });
            self.until = until.filter(|end| !line.ends_with(end));
            if self.until.is_none() {
                return Ok(Some(length));
            }
        }
        Ok(None)
    }
}

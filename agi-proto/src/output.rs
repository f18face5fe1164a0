//! The send buffer: one whole line at a time.

use alloc::vec::Vec;

use memchr::memchr;

/// Space kept for the next line; commands fit as a rule.
const KEEP: usize = 512;

/// The line that is being written.
#[derive(Debug, Default)]
pub(crate) struct Output {
    line: Vec<u8>,
    sent: usize,
}

impl Output {
    /// Where a line is appended.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.line
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// The rest of the first line.
    pub(crate) fn poll(&self) -> Option<&[u8]> {
        let rest = &self.line[self.sent..];
        Some(&rest[..=memchr(b'\n', rest)?])
    }

    pub(crate) fn transmitted(&mut self, n: usize) {
        assert!(n <= self.line.len() - self.sent, "transmitted more than there was");
        self.sent += n;
        if self.sent == self.line.len() {
            self.sent = 0;
            if self.line.capacity() > KEEP {
                self.line = Vec::new();
            }
            self.line.clear();
        }
    }

    /// Takes a line back of which nothing was written, and says whether it did.
    pub(crate) fn retract(&mut self) -> bool {
        let untouched = self.sent == 0 && !self.line.is_empty();
        if untouched {
            self.line.clear();
        }
        untouched
    }
}

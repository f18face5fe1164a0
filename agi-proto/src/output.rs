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
    /// Where the line ends that is being taken; a peer that takes it byte by byte must not make it be searched as
    /// often.
    end: usize,
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
    pub(crate) fn poll(&mut self) -> Option<&[u8]> {
        if self.sent == self.end {
            self.end += memchr(b'\n', &self.line[self.sent..])? + 1;
        }
        Some(&self.line[self.sent..self.end])
    }

    pub(crate) fn transmitted(&mut self, n: usize) {
        assert!(n <= self.end - self.sent, "transmitted more than there was");
        self.sent += n;
        if self.sent == self.line.len() {
            (self.sent, self.end) = (0, 0);
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
            self.end = 0;
            self.line.clear();
        }
        untouched
    }
}

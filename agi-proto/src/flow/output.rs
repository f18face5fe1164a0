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

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// The rest of the first line.
    #[inline]
    pub(crate) fn poll(&mut self) -> Option<&[u8]> {
        if self.sent == self.end {
            if self.line.is_empty() {
                return None;
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_in_pieces_and_a_large_one_keeps_no_memory() {
        for (length, kept) in [(KEEP, KEEP), (KEEP + 1, 0)] {
            let mut output = Output::default();
            output.buffer().reserve_exact(length);
            output.buffer().extend_from_slice(b"NOOP\nANSWER\n");
            assert_eq!(output.poll(), Some(&b"NOOP\n"[..]));
            output.transmitted(2);
            assert_eq!(output.poll(), Some(&b"OP\n"[..]));
            assert!(!output.retract(), "it has begun");
            output.transmitted(3);
            assert_eq!(output.poll(), Some(&b"ANSWER\n"[..]));
            output.transmitted(7);
            assert!(output.is_empty() && output.poll().is_none() && !output.retract());
            assert_eq!(output.buffer().capacity(), kept);
        }
    }

    #[test]
    fn a_line_that_was_looked_at_can_be_taken_back() {
        let mut output = Output::default();
        output.buffer().extend_from_slice(b"NOOP\n");
        assert_eq!(output.poll(), Some(&b"NOOP\n"[..]));
        assert!(output.retract());
        output.buffer().extend_from_slice(b"CHANNEL STATUS\n");
        assert_eq!(output.poll(), Some(&b"CHANNEL STATUS\n"[..]));
    }

    #[test]
    #[should_panic(expected = "transmitted more than there was")]
    fn no_more_is_taken_than_was_given() {
        let mut output = Output::default();
        output.buffer().extend_from_slice(b"NOOP\nNOOP\n");
        assert!(output.poll().is_some());
        output.transmitted(6);
    }
}

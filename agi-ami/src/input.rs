//! The receive buffer: bytes in, whole messages out, nothing scanned twice.

use alloc::vec::Vec;
use core::mem;

use memchr::memchr;

/// Memory that stays allocated while nothing is to be read.
const KEEP: usize = 16_384;

/// A bounded buffer that cuts bytes into messages, which end at an empty line.
#[derive(Debug)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    /// Where the message begins that is being looked for.
    start: usize,
    /// Where its current line begins, and how far that was searched. `start <= line <= searched <= bytes.len()`.
    line: usize,
    searched: usize,
    limit: usize,
}

/// A message is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Input {
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, line: 0, searched: 0, limit }
    }

    /// Copies received bytes in.
    pub(crate) fn push(&mut self, input: &[u8]) {
        self.compact();
        self.bytes.extend_from_slice(input);
    }

    /// Takes the next line, without its end: the banner is one.
    pub(crate) fn line(&mut self) -> Result<Option<&[u8]>, TooLong> {
        if !self.find_line_end()? {
            return Ok(None);
        }
        let from = self.take();
        Ok(Some(trim_line_end(&self.bytes[from..self.start])))
    }

    /// Takes the next message, the empty line included. Empty lines between messages are skipped.
    pub(crate) fn message(&mut self) -> Result<Option<&[u8]>, TooLong> {
        while self.find_line_end()? {
            let is_empty = trim_line_end(&self.bytes[self.line..self.searched]).is_empty();
            let is_first = self.line == self.start;
            self.line = self.searched;
            if is_empty {
                let from = self.take();
                if !is_first {
                    return Ok(Some(&self.bytes[from..self.start]));
                }
            }
        }
        Ok(None)
    }

    /// Whether a line end was found; it is just before `searched` then.
    fn find_line_end(&mut self) -> Result<bool, TooLong> {
        let found = memchr(b'\n', &self.bytes[self.searched..]);
        self.searched = found.map_or(self.bytes.len(), |at| self.searched + at + 1);
        if self.searched - self.start > self.limit { Err(TooLong) } else { Ok(found.is_some()) }
    }

    /// Moves on behind what was found, and returns where that began.
    fn take(&mut self) -> usize {
        self.line = self.searched;
        mem::replace(&mut self.start, self.searched)
    }

    /// Moves the rest to the front, and gives back what a flood needed.
    fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.line -= self.start;
        self.searched -= self.start;
        self.start = 0;
        if self.bytes.is_empty() {
            self.bytes.shrink_to(KEEP);
        }
    }
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_however_they_went_in() {
        let bytes = b"Banner\r\nA: 1\r\n\r\n\r\n\r\nB: 2\nC:3\n\nD";
        for step in 1..=bytes.len() {
            let mut input = Input::new(100);
            let mut seen: Vec<Vec<u8>> = Vec::new();
            for piece in bytes.chunks(step) {
                input.push(piece);
                if seen.is_empty() {
                    seen.extend(input.line().expect("short").map(<[u8]>::to_vec));
                }
                while !seen.is_empty() {
                    let Some(message) = input.message().expect("short") else { break };
                    seen.push(message.to_vec());
                }
            }
            assert_eq!(seen, [&b"Banner"[..], b"A: 1\r\n\r\n", b"B: 2\nC:3\n\n"], "{step}");
        }
    }

    #[test]
    fn the_limit_counts_a_whole_message() {
        for (length, fits) in [(9, true), (10, true), (11, false)] {
            let mut message = alloc::vec![b'x'; length];
            message[3] = b'\n';
            message[length - 2..].copy_from_slice(b"\n\n");
            let mut input = Input::new(10);
            input.push(&message);
            assert_eq!(input.message(), if fits { Ok(Some(&message[..])) } else { Err(TooLong) }, "{length}");
        }
        let mut endless = Input::new(10);
        endless.push(&[b'x'; 11]);
        assert_eq!(endless.line(), Err(TooLong));
    }

    #[test]
    fn a_flood_does_not_keep_its_memory() {
        let mut input = Input::new(1 << 20);
        input.push(&b"A: 1\n\n".repeat(20_000));
        while input.message().expect("short").is_some() {}
        input.push(b"");
        assert!(input.bytes.capacity() <= KEEP);
    }
}

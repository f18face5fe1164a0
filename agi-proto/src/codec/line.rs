//! The receive buffer: bytes in, lines out, nothing scanned twice.

use alloc::vec::Vec;
use core::ops::Range;

use memchr::memchr;

/// The most space that an empty buffer keeps: a reply usually fits.
const KEEP: usize = 512;
/// Space made for bytes that are copied in: such a reply as most are fits.
const LEAST: usize = 64;

/// A bounded receive buffer that cuts bytes into lines.
///
/// * **In:** [`handle_input`](Self::handle_input) copies received bytes.
/// * **Out:** [`next_line`](Self::next_line) finds one line after the other without taking them, so
///   that a message of several lines can be found whole; [`take`](Self::take) takes it.
///
/// Each byte is looked at once, however slowly a peer dribbles. A large message makes the buffer
/// grow up to the limit; once it is taken, the space is given back.
#[derive(Debug)]
pub(crate) struct LineBuffer {
    bytes: Vec<u8>,
    /// Where the bytes that were not taken begin.
    start: usize,
    /// Where the line begins that `next_line` looks for.
    line: usize,
    /// How far that line was searched for its end. `start <= line <= searched <= bytes.len()`.
    searched: usize,
    limit: usize,
    /// What was received last filled the space there was.
    cut: bool,
}

/// More bytes came than the buffer may hold without a message being complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineTooLong {
    /// The limit that was passed.
    pub(crate) limit: usize,
}

impl LineBuffer {
    /// An empty buffer, which allocates nothing until bytes come. One message may be `limit` bytes
    /// long.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, line: 0, searched: 0, limit, cut: false }
    }

    /// Sets how long one message may be from now on.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Copies received bytes in. `is_full` is whether they filled the space that they were read into.
    #[inline]
    pub(crate) fn handle_input(&mut self, input: &[u8], is_full: bool) {
        if self.start == self.bytes.len() {
            (self.start, self.line, self.searched) = (0, 0, 0);
            self.bytes.clear();
            if self.bytes.capacity() > KEEP {
                self.bytes = Vec::new();
            }
        }
        if self.bytes.capacity() - self.bytes.len() < input.len() {
            self.make_room(input.len());
        }
        self.bytes.extend_from_slice(input);
        self.cut = is_full;
    }

    /// Finds the next line of the message that is being looked at, and moves on behind it. The range
    /// is relative to [`peek`](Self::peek) and includes the LF. `None` means that more input is needed.
    ///
    /// # Errors
    ///
    /// [`LineTooLong`] when the message passes the limit, whether its end came or not.
    pub(crate) fn next_line(&mut self) -> Result<Option<Range<usize>>, LineTooLong> {
        let found = memchr(b'\n', &self.bytes[self.searched..]);
        self.searched = found.map_or(self.bytes.len(), |at| self.searched + at + 1);
        if self.searched - self.start > self.limit {
            return Err(LineTooLong { limit: self.limit });
        }
        if found.is_none() {
            return Ok(None);
        }
        let line = self.line - self.start..self.searched - self.start;
        self.line = self.searched;
        Ok(Some(line))
    }

    /// All bytes that were received and not taken.
    pub(crate) fn peek(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Takes the first `n` bytes; the next message begins behind them.
    ///
    /// # Panics
    ///
    /// If fewer than `n` bytes are there.
    pub(crate) fn take(&mut self, n: usize) -> &[u8] {
        let from = self.start;
        assert!(n <= self.bytes.len() - from, "took more than was received");
        self.start += n;
        self.line = self.start;
        self.searched = self.start;
        &self.bytes[from..self.start]
    }

    /// Whether what was received last filled all the space there was, so that more may be there already.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether [`next_line`](Self::next_line) has looked at all that was received, so that it finds nothing.
    #[inline]
    pub(crate) fn is_searched(&self) -> bool {
        self.searched == self.bytes.len()
    }

    /// Bytes of memory that the buffer holds.
    #[cfg(test)]
    fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Frees the memory, if nothing is left to take.
    pub(crate) fn free(&mut self) {
        if self.start == self.bytes.len() {
            (self.start, self.line, self.searched) = (0, 0, 0);
            self.bytes = Vec::new();
        }
    }

    /// Makes room for `n` more bytes: by moving the rest to the front, and only then by growing.
    fn make_room(&mut self, n: usize) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            (self.line, self.searched) = (self.line - self.start, self.searched - self.start);
            self.start = 0;
        }
        if self.bytes.capacity() - self.bytes.len() < n {
            self.bytes.reserve(n.max(LEAST));
        }
    }
}

/// Returns a line without its LF or CR LF.
#[inline]
pub(crate) fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(buffer: &mut LineBuffer) -> Option<Vec<u8>> {
        let range = buffer.next_line().expect("within the limit")?;
        Some(buffer.take(range.end).to_vec())
    }

    #[test]
    fn lines_come_out_however_they_went_in() {
        let mut buffer = LineBuffer::new(100);
        for byte in b"one\n\ntwo\nthr" {
            buffer.handle_input(&[*byte], false);
        }
        assert_eq!(line(&mut buffer).as_deref(), Some(&b"one\n"[..]));
        assert_eq!(line(&mut buffer).as_deref(), Some(&b"\n"[..]));
        assert_eq!(line(&mut buffer).as_deref(), Some(&b"two\n"[..]));
        assert_eq!(line(&mut buffer), None);
        buffer.handle_input(b"ee\n", false);
        assert_eq!(line(&mut buffer).as_deref(), Some(&b"three\n"[..]));
        assert_eq!(buffer.peek(), b"");
    }

    #[test]
    fn bytes_in_any_pieces_come_out_as_lines_and_none_is_lost() {
        let whole = b"one\n\ntwo two\nHANGUP\n\n\nthe rest";
        let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
        for piece in 1..=whole.len() {
            let mut buffer = LineBuffer::new(whole.len());
            let mut found = Vec::new();
            for bytes in whole.chunks(piece) {
                buffer.handle_input(bytes, false);
                found.extend(core::iter::from_fn(|| line(&mut buffer)));
            }
            found.push(buffer.peek().to_vec());
            assert_eq!(found, lines, "pieces of {piece}");
        }
    }

    #[test]
    fn memory_is_bounded_by_the_limit_and_one_piece() {
        const LIMIT: usize = 1000;
        for piece in [1, 7, 64, 999, 1000, 5000] {
            let mut buffer = LineBuffer::new(LIMIT);
            for round in 0..200 {
                // a line now and then, and one that is too long
                let end = if round % 3 == 0 { b'\n' } else { b'x' };
                let mut bytes = alloc::vec![b'x'; piece];
                bytes[piece - 1] = end;
                buffer.handle_input(&bytes, false);
                loop {
                    match buffer.next_line() {
                        Ok(Some(range)) => assert_eq!(buffer.take(range.end).last(), Some(&b'\n')),
                        Ok(None) => break,
                        Err(_) => drop(buffer.take(buffer.peek().len())),
                    }
                }
                assert!(buffer.peek().len() <= LIMIT);
                assert!(buffer.capacity() <= (2 * (LIMIT + piece)).max(LEAST), "{}", buffer.capacity());
            }
        }
    }

    #[test]
    fn a_message_of_several_lines_is_found_before_it_is_taken() {
        let mut buffer = LineBuffer::new(100);
        buffer.handle_input(b"a\nbc\nd", false);
        assert_eq!(buffer.next_line(), Ok(Some(0..2)));
        assert_eq!(buffer.next_line(), Ok(Some(2..5)));
        assert_eq!(buffer.next_line(), Ok(None));
        assert_eq!(buffer.take(5), b"a\nbc\n");
        buffer.handle_input(b"\n", false);
        assert_eq!(buffer.next_line(), Ok(Some(0..2)));
    }

    #[test]
    fn the_limit_counts_a_whole_message_and_its_line_end() {
        for (len, fits) in [(9, true), (10, true), (11, false)] {
            let mut buffer = LineBuffer::new(10);
            let mut message = alloc::vec![b'x'; len];
            message[len - 1] = b'\n';
            message[3] = b'\n';
            buffer.handle_input(&message, false);
            assert_eq!(buffer.next_line(), Ok(Some(0..4)));
            assert_eq!(
                buffer.next_line(),
                if fits { Ok(Some(4..len)) } else { Err(LineTooLong { limit: 10 }) }
            );
        }
        let mut endless = LineBuffer::new(10);
        endless.handle_input(&[b'x'; 11], false);
        assert_eq!(endless.next_line(), Err(LineTooLong { limit: 10 }));
    }

    #[test]
    fn what_is_left_moves_to_the_front_before_the_buffer_grows() {
        let mut buffer = LineBuffer::new(100_000);
        let (two, three) = ([&[b'2'; 1500][..], b"\n"].concat(), [b'3'; 2048 - 1505]);
        buffer.handle_input(&[b"one\n", &two[..], &three].concat(), false);
        assert_eq!(buffer.capacity(), 2048);
        assert_eq!(line(&mut buffer).as_deref(), Some(&b"one\n"[..]));
        // the second message was looked at and not taken
        assert_eq!(buffer.next_line(), Ok(Some(0..1501)));
        assert_eq!(buffer.next_line(), Ok(None));
        buffer.handle_input(b"333\n", false);
        assert_eq!(buffer.capacity(), 2048, "there was just enough space");
        assert_eq!(buffer.next_line(), Ok(Some(1501..2048)));
        assert_eq!(buffer.peek(), [&two[..], &three, b"333\n"].concat());
        // and then by so much that the cost of moving stays in proportion
        buffer.handle_input(b"4", false);
        assert_eq!(buffer.capacity(), 2 * 2048);
        assert_eq!(buffer.take(2048).last(), Some(&b'\n'));
    }

    #[test]
    fn a_large_message_does_not_keep_its_memory() {
        let mut buffer = LineBuffer::new(100_000);
        assert_eq!(buffer.capacity(), 0);
        buffer.handle_input(&[b'x'; 50_000], false);
        buffer.handle_input(b"\n", false);
        assert_eq!(line(&mut buffer).map(|l| l.len()), Some(50_001));
        buffer.handle_input(b"x", false);
        assert_eq!(buffer.capacity(), LEAST);
    }
}

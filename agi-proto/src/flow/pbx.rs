//! The PBX's side of a conversation: for simulators, proxies and tests.

use alloc::vec::Vec;

use bstr::{BStr, BString, ByteSlice};

use crate::codec::arguments;
use crate::codec::line::trim_line_end;
use crate::codec::line::{LineBuffer, LineTooLong};

/// What [`PbxSession::poll_event`] tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum PbxEvent<'a> {
    /// The script sent a command.
    Command(CommandLine<'a>),
    /// The script will send nothing more; told once. Asterisk now ends the session:
    /// [`PbxSession::hangup`], unless it was told not to announce hangups, and close.
    Closed,
}

/// A command line as it came, without its LF.
#[derive(Clone, Copy, Debug)]
pub struct CommandLine<'a> {
    line: &'a BStr,
}

impl<'a> CommandLine<'a> {
    /// The line as it came.
    pub fn line(&self) -> &'a BStr {
        self.line
    }

    /// Its words, as Asterisk's own splitter sees them.
    pub fn words(&self) -> Vec<BString> {
        arguments::split(self.line)
    }
}

/// The PBX's side of one AGI conversation, without any I/O: the mirror of [`Session`](crate::Session),
/// with the same verbs and the same contract.
///
/// It keeps what is true of every Asterisk: how a line is read, cut and split. What a command does is up to
/// who drives it.
#[derive(Debug)]
pub struct PbxSession {
    input: LineBuffer,
    output: Vec<u8>,
    sent: usize,
    limit: usize,
    eof: bool,
    closed: bool,
}

impl PbxSession {
    /// A PBX that takes command lines of at most `command_limit` bytes with their LF (8,191, or 2,047 in older
    /// versions). What is longer is cut there, and the rest is the next command, as in Asterisk.
    pub fn new(command_limit: usize) -> Self {
        Self {
            input: LineBuffer::new(command_limit),
            output: Vec::new(),
            sent: 0,
            limit: command_limit,
            eof: false,
            closed: false,
        }
    }

    /// Takes received bytes by copying them.
    pub fn handle_input(&mut self, input: &[u8]) {
        self.input.handle_input(input, false);
    }

    /// The script closed its writing side.
    pub fn handle_eof(&mut self) {
        self.eof = true;
    }

    /// Bytes to write to the script. Tell [`transmitted`](Self::transmitted) how many were written.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        Some(&self.output[self.sent..]).filter(|rest| !rest.is_empty())
    }

    /// Says that `n` of the bytes that [`poll_transmit`](Self::poll_transmit) gave were written.
    pub fn transmitted(&mut self, n: usize) {
        self.sent += n;
        assert!(self.sent <= self.output.len(), "transmitted more than there was");
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
        }
    }

    /// What the script did. `None` means that more input is needed.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<PbxEvent<'_>> {
        let length = match self.input.next_line() {
            Ok(Some(range)) => range.end,
            Err(LineTooLong { .. }) => self.limit,
            // a line that the end cut short is run as it is
            Ok(None) if self.eof && !self.input.peek().is_empty() => self.input.peek().len(),
            Ok(None) if self.eof && !self.closed => {
                self.closed = true;
                return Some(PbxEvent::Closed);
            }
            Ok(None) => return None,
        };
        let line = self.input.take(length);
        let line = line.strip_suffix(b"\n").unwrap_or(line).as_bstr();
        Some(PbxEvent::Command(CommandLine { line }))
    }

    /// Queues an environment block, blank line and all.
    pub fn send_environment<N, V>(&mut self, variables: impl IntoIterator<Item = (N, V)>)
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        for (name, value) in variables {
            let parts = [name.as_ref(), b": ", value.as_ref(), b"\n"];
            self.output.extend(parts.into_iter().flatten());
        }
        self.output.push(b'\n');
    }

    /// Queues a response; its line end is added. Nothing is checked: a raw value may hold anything.
    pub fn respond(&mut self, response: impl AsRef<[u8]>) {
        self.output.extend_from_slice(trim_line_end(response.as_ref()));
        self.output.push(b'\n');
    }

    /// Queues `HANGUP`.
    pub fn hangup(&mut self) {
        self.respond("HANGUP");
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    fn lines(asterisk: &mut PbxSession) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(event) = asterisk.poll_event() {
            lines.push(match event {
                PbxEvent::Command(invocation) => invocation.line().to_string(),
                PbxEvent::Closed => "closed".into(),
            });
        }
        lines
    }

    #[test]
    fn a_line_that_is_too_long_runs_as_two() {
        let mut asterisk = PbxSession::new(8);
        asterisk.handle_input(b"1234567\n12345678\n123456789\nrest");
        assert_eq!(lines(&mut asterisk), ["1234567", "12345678", "", "12345678", "9"]);
        asterisk.handle_eof();
        assert_eq!(lines(&mut asterisk), ["rest", "closed"]);
        assert_eq!(lines(&mut asterisk), [""; 0]);
    }
    #[test]
    fn a_line_is_the_words_that_asterisk_sees() {
        let mut asterisk = PbxSession::new(99);
        asterisk.handle_input(b"SAY ALPHA \"a b\" \"\"\n");
        let Some(PbxEvent::Command(invocation)) = asterisk.poll_event() else { panic!("a line") };
        assert_eq!(invocation.words(), ["SAY", "ALPHA", "a b", ""]);
    }

    #[test]
    fn what_is_to_be_written_can_be_taken_in_pieces() {
        let mut asterisk = PbxSession::new(99);
        assert_eq!(asterisk.poll_transmit(), None);
        asterisk.send_environment([("a", "b")]);
        asterisk.respond("200 result=0\n");
        asterisk.transmitted(4);
        asterisk.hangup();
        assert_eq!(asterisk.poll_transmit(), Some(&b"b\n\n200 result=0\nHANGUP\n"[1..]));
        asterisk.transmitted(22);
        assert_eq!(asterisk.poll_transmit(), None);
        asterisk.respond("200 result=1\r\n");
        assert_eq!(asterisk.poll_transmit(), Some(&b"200 result=1\n"[..]));
    }

    #[test]
    #[should_panic(expected = "transmitted more than there was")]
    fn no_more_can_be_taken_than_there_was() {
        let mut asterisk = PbxSession::new(99);
        asterisk.hangup();
        asterisk.transmitted(8);
    }
}

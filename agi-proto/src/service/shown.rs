//! What a log may show of a conversation.

use alloc::vec::Vec;
use core::fmt;

use bstr::{BString, ByteSlice};

use crate::CommandLine;
use crate::arguments;
use crate::commands::READ_BACK;
use crate::{Command, CommandInfo};

/// Commands whose answers hold what the caller enters, a PIN perhaps, or what was set.
const ASKS: [&str; 4] = ["GET DATA", "GET OPTION", "WAIT FOR DIGIT", READ_BACK];
/// Commands that set a value, and how many words come before it. Those of `EXEC` are what
/// [`SetVariableExact`](crate::commands::SetVariableExact) sends, too.
const SETS: [([&str; 2], usize); 4] =
    [(["SET", "VARIABLE"], 3), (["DATABASE", "PUT"], 4), (["EXEC", "Set"], 2), (["EXEC", "MSet"], 2)];

/// Decides what a log may show of one conversation. Unless it reveals values, it hides those of `SET VARIABLE`,
/// `DATABASE PUT` and `EXEC Set`, the answers to `GET DATA`, `GET OPTION` and `WAIT FOR DIGIT`, and what
/// [`SetVariableExact`](crate::commands::SetVariableExact) reads back.
///
/// It is asked whether or not anything is logged, and formats nothing until what it gives is.
#[derive(Clone, Debug, Default)]
pub struct Log {
    reveals: bool,
    /// An answer that is to be hidden may come.
    asked: bool,
}

/// What may be shown; [`Display`](fmt::Display) writes it, with all that is not plain text escaped.
#[derive(Clone, Debug)]
pub struct Shown<'a>(What<'a>);

#[derive(Clone, Debug)]
enum What<'a> {
    Line(&'a [u8], bool),
    Command(Vec<u8>, bool),
    Nothing(usize),
}

impl Log {
    /// Values are hidden from now on, or revealed.
    pub fn reveal(&mut self, reveals: bool) {
        self.reveals = reveals;
    }

    /// A command is sent; `settled` says whether [no answer was owed](crate::Session::is_settled) by then.
    pub fn sends(&mut self, info: CommandInfo, settled: bool) {
        self.asked = ASKS.contains(&info.name) || (self.asked && !settled);
    }

    /// The line of a command. It is written for this alone, so ask only where it will be shown.
    pub fn command<C: Command + ?Sized>(&self, command: &C) -> Shown<'static> {
        let mut line = Vec::new();
        let mut words = CommandLine::new(&mut line, command.info().name, usize::MAX);
        command.encode(&mut words);
        Shown(What::Command(line, self.reveals))
    }

    /// Bytes to Asterisk: a whole command line.
    pub fn output<'a>(&self, line: &'a [u8]) -> Shown<'a> {
        Shown(What::Line(line, self.reveals))
    }

    /// Bytes from Asterisk.
    pub fn input<'a>(&self, bytes: &'a [u8]) -> Shown<'a> {
        Shown(match self.asked && !self.reveals {
            true => What::Nothing(bytes.len()),
            false => What::Line(bytes, true),
        })
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, reveals): (&[u8], _) = match &self.0 {
            What::Line(line, reveals) => (line, *reveals),
            What::Command(line, reveals) => (line, *reveals),
            What::Nothing(length) => return write!(f, "[{length} bytes hidden]"),
        };
        // a raw line is quoted and spaced as its writer likes
        let begins = arguments::split(line);
        let sets = |(name, _): &&([&str; 2], usize)| {
            let same = |(word, name): (&BString, &str)| word.eq_ignore_ascii_case(name.as_bytes());
            begins.len() > name.len() && begins.iter().zip(*name).all(same)
        };
        match SETS.iter().find(sets).filter(|_| !reveals) {
            Some(&(_, words)) => write!(f, "{} [hidden]", Escaped(first_words(line, words))),
            None => write!(f, "{}", Escaped(line)),
        }
    }
}

/// So many words at the beginning of a line, as Asterisk splits it.
fn first_words(line: &[u8], mut words: usize) -> &[u8] {
    let (mut quoted, mut escaped) = (false, false);
    for (at, &byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b' ' | b'\t' | b'\n' if !quoted => {
                words -= 1;
                if words == 0 {
                    return &line[..at];
                }
            }
            _ => {}
        }
    }
    // a line without the value that it is to set, or one that Asterisk splits in a way of its own
    &line[..line.find_byte(b'"').unwrap_or(0)]
}

/// Bytes without line ends and control characters, and without the quotes of a literal.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for part in chunk.valid().chars() {
                match part {
                    '"' | '\'' => write!(f, "{part}")?,
                    part => write!(f, "{}", part.escape_debug())?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::commands::{GetData, GetVariableExact, Noop, SetVariable, SetVariableExact};

    #[test]
    fn values_that_are_set_are_hidden_unless_asked_for() {
        let mut log = Log::default();
        let command = SetVariable::new("P \"I\" N", "12 34");
        assert_eq!(log.command(&command).to_string(), r#"SET VARIABLE "P \\"I\\" N" [hidden]"#);
        for (line, shown) in [
            ("SET VARIABLE \"PIN\" \"1234\"\n", "SET VARIABLE \"PIN\" [hidden]"),
            ("set variable PIN 1234", "set variable PIN [hidden]"),
            ("SET VARIABLE \"PIN 1234", "SET VARIABLE  [hidden]"),
            ("DATABASE PUT \"a b\" \"c\" \"1234\"\n", "DATABASE PUT \"a b\" \"c\" [hidden]"),
            ("EXEC \"Set\" \"PIN=${BASE64_DECODE(MTIzNA==)}\"\n", "EXEC \"Set\" [hidden]"),
            ("exec set PIN=1234", "exec set [hidden]"),
            (" SET\t\"VARIABLE\"  PIN 1234", " SET\\t\"VARIABLE\" [hidden]"),
            ("\\SET VARIABLE PIN 1234", "\\\\SET VARIABLE PIN [hidden]"),
            ("EXEC \"Playback\" \"1234\"\n", "EXEC \"Playback\" \"1234\"\\n"),
            ("VERBOSE \"\u{e4}\t1234\"\n", "VERBOSE \"\u{e4}\\t1234\"\\n"),
        ] {
            assert_eq!(log.output(line.as_bytes()).to_string(), shown);
        }
        log.reveal(true);
        assert_eq!(log.command(&command).to_string(), r#"SET VARIABLE "P \\"I\\" N" "12 34""#);
    }

    #[test]
    fn what_the_caller_enters_is_hidden_until_another_answer_is_due() {
        let mut log = Log::default();
        let input = |log: &Log| log.input(b"200 result=1234\n").to_string();
        assert_eq!(input(&log), "200 result=1234\\n");
        log.sends(GetData::INFO, true);
        assert_eq!(input(&log), "[16 bytes hidden]");
        log.sends(Noop::INFO, false);
        assert_eq!(input(&log), "[16 bytes hidden]");
        log.reveal(true);
        assert_eq!(input(&log), "200 result=1234\\n");
        log.reveal(false);
        log.sends(Noop::INFO, true);
        assert_eq!(input(&log), "200 result=1234\\n");
    }

    #[test]
    fn what_is_read_back_is_hidden_and_what_is_read_is_not() {
        let mut log = Log::default();
        let write = SetVariableExact::new("PIN", "1234").expect("a good name and value");
        log.sends(write.read_back().info(), true);
        assert_eq!(log.input(b"200 result=1 (MTIzNA==)\n").to_string(), "[24 bytes hidden]");
        log.sends(GetVariableExact::new("PIN").info(), true);
        assert_eq!(log.input(b"200 result=1 (MTIzNA==)\n").to_string(), "200 result=1 (MTIzNA==)\\n");
    }

    #[test]
    fn bytes_that_are_no_text_are_escaped() {
        assert_eq!(Log::default().input(b"J\xfcrgen\x1b[2J").to_string(), "J\\xfcrgen\\u{1b}[2J");
    }
}

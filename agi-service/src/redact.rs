//! The parts of a conversation that a log may show.

use std::fmt;

use agi_proto::{Command, CommandEncoder, CommandInfo, Response};
use bstr::ByteSlice;

/// Decides which parts of one conversation a log may show. It hides what the [`Secrecy`](agi_proto::Secrecy) of each
/// command says, unless it reveals values.
///
/// Call it whether or not logging is enabled: nothing is formatted until the returned value is displayed.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    reveals: bool,
    /// A reply that is to be hidden may come.
    hides_input: bool,
    /// How many words of the command that was sent last may be shown, if not all.
    shown_words: Option<usize>,
}

/// The part that may be shown; [`Display`](fmt::Display) writes it, with all that is not plain text escaped.
#[derive(Clone, Debug)]
pub struct Redacted<'a>(Part<'a>);

#[derive(Clone, Debug)]
enum Part<'a> {
    Line(&'a [u8], Option<usize>),
    Command(Vec<u8>, Option<usize>),
    Nothing(usize),
}

impl Redactor {
    /// Hides values from now on, or reveals them.
    pub fn reveal(&mut self, reveals: bool) {
        self.reveals = reveals;
    }

    /// Notes a command that is sent. `is_synced` is [`Session::is_synced`](agi_proto::Session::is_synced) by then.
    pub fn sends(&mut self, info: CommandInfo, is_synced: bool) {
        self.hides_input = info.secrecy.hides_reply() || (self.hides_input && !is_synced);
        self.shown_words = info.secrecy.shown_words();
    }

    /// Returns the line of a command. It is written for this alone, so call it only if the line will be shown.
    pub fn command<C: Command + ?Sized>(&self, command: &C) -> Redacted<'static> {
        let info = command.info();
        let mut line = Vec::new();
        let mut words = CommandEncoder::new(&mut line, info.name, usize::MAX);
        command.encode(&mut words);
        Redacted(Part::Command(line, info.secrecy.shown_words().filter(|_| !self.reveals)))
    }

    /// Returns what may be shown of a whole line to Asterisk, that of the command that was sent last.
    pub fn output<'a>(&self, line: &'a [u8]) -> Redacted<'a> {
        Redacted(Part::Line(line, self.shown_words.filter(|_| !self.reveals)))
    }

    /// Returns what may be shown of a reply. A failure is not a secret.
    pub fn reply<'a>(&self, response: &Response<'a>) -> Redacted<'a> {
        let raw: &'a [u8] = response.raw();
        match response.is_failure() {
            true => Redacted(Part::Line(raw, None)),
            false => self.input(raw),
        }
    }

    /// Returns what may be shown of bytes from Asterisk.
    pub fn input<'a>(&self, bytes: &'a [u8]) -> Redacted<'a> {
        Redacted(match self.hides_input && !self.reveals {
            true => Part::Nothing(bytes.len()),
            false => Part::Line(bytes, None),
        })
    }
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, words): (&[u8], _) = match &self.0 {
            Part::Line(line, words) => (line, *words),
            Part::Command(line, words) => (line, *words),
            Part::Nothing(length) => return write!(f, "[{length} bytes hidden]"),
        };
        match words {
            Some(words) => write!(f, "{} [hidden]", Escaped(first_words(line, words))),
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

/// Bytes as one line of plain text: line ends, control characters and characters that turn text around are escaped.
pub struct Escaped<'a>(pub &'a [u8]);

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
    use super::*;
    use agi_proto::commands::{GetData, GetVariableExact, Noop, SetVariable, SetVariableExact};
    use agi_proto::{RawCommand, Secrecy};

    #[test]
    fn values_that_are_set_are_hidden_unless_revealed() {
        let mut redactor = Redactor::default();
        let command = SetVariable::new("P \"I\" N", "12 34");
        assert_eq!(redactor.command(&command).to_string(), r#"SET VARIABLE "P \\"I\\" N" [hidden]"#);
        for (line, shown) in [
            ("SET VARIABLE \"PIN\" \"1234\"", "SET VARIABLE \"PIN\" [hidden]"),
            ("set variable PIN 1234", "set variable PIN [hidden]"),
            ("SET VARIABLE \"PIN 1234", "SET VARIABLE  [hidden]"),
            ("DATABASE PUT \"a b\" \"c\" \"1234\"", "DATABASE PUT \"a b\" \"c\" [hidden]"),
            ("EXEC \"Set\" \"PIN=${BASE64_DECODE(MTIzNA==)}\"", "EXEC \"Set\" [hidden]"),
            ("exec set PIN=1234", "exec set [hidden]"),
            (" SET\t\"VARIABLE\"  PIN 1234", " SET\\t\"VARIABLE\" [hidden]"),
            ("\\SET VARIABLE PIN 1234", "\\\\SET VARIABLE PIN [hidden]"),
            ("EXEC \"Playback\" \"1234\"", "EXEC \"Playback\" \"1234\""),
            ("VERBOSE \"\u{e4}\t1234\"", "VERBOSE \"\u{e4}\\t1234\""),
        ] {
            redactor.sends(RawCommand::new(line).info(), true);
            assert_eq!(redactor.output(line.as_bytes()).to_string(), shown);
        }
        redactor.reveal(true);
        assert_eq!(redactor.command(&command).to_string(), r#"SET VARIABLE "P \\"I\\" N" "12 34""#);
    }

    #[test]
    fn digits_of_the_caller_are_hidden_until_another_reply_is_due() {
        let mut redactor = Redactor::default();
        let input = |redactor: &Redactor| redactor.input(b"200 result=1234\n").to_string();
        assert_eq!(input(&redactor), "200 result=1234\\n");
        redactor.sends(GetData::INFO, true);
        assert_eq!(input(&redactor), "[16 bytes hidden]");
        redactor.sends(Noop::INFO, false);
        assert_eq!(input(&redactor), "[16 bytes hidden]");
        redactor.reveal(true);
        assert_eq!(input(&redactor), "200 result=1234\\n");
        redactor.reveal(false);
        redactor.sends(Noop::INFO, true);
        assert_eq!(input(&redactor), "200 result=1234\\n");
    }

    #[test]
    fn failures_are_shown_though_replies_are_secret() {
        let mut redactor = Redactor::default();
        redactor.sends(GetData::INFO, true);
        let shown =
            |raw: &str| redactor.reply(&Response::parse(raw.as_bytes()).expect("a response")).to_string();
        assert_eq!(shown("200 result=1234"), "[15 bytes hidden]");
        for failure in ["200 result=-1", "200 result=-1 endpos=0", "511 Command Not Permitted", "510 Invalid"]
        {
            assert_eq!(shown(failure), failure);
        }
    }

    #[test]
    fn values_that_are_read_back_are_hidden_and_others_are_not() {
        let mut redactor = Redactor::default();
        let write = SetVariableExact::new("PIN", "1234").expect("a good name and value");
        redactor.sends(write.read_back().info(), true);
        assert_eq!(redactor.input(b"200 result=1 (MTIzNA==)\n").to_string(), "[24 bytes hidden]");
        redactor.sends(GetVariableExact::new("PIN").info(), true);
        assert_eq!(redactor.input(b"200 result=1 (MTIzNA==)\n").to_string(), "200 result=1 (MTIzNA==)\\n");
    }

    #[test]
    fn custom_command_hides_its_arguments_and_its_reply() {
        struct CheckPin;

        impl Command for CheckPin {
            type Reply = ();
            const INFO: CommandInfo = CommandInfo::new("CHECK PIN").secrecy(Secrecy::ArgumentsAndReply(2));

            fn encode(&self, line: &mut CommandEncoder<'_>) {
                line.words("CHECK PIN").argument("pin", "1234");
            }

            fn decode(_: &Response<'_>) -> Result<(), agi_proto::ReplyError> {
                Ok(())
            }
        }

        let mut redactor = Redactor::default();
        redactor.sends(CheckPin.info(), true);
        assert_eq!(redactor.command(&CheckPin).to_string(), "CHECK PIN [hidden]");
        assert_eq!(redactor.output(b"CHECK PIN \"1234\"\n").to_string(), "CHECK PIN [hidden]");
        assert_eq!(redactor.input(b"200 result=1234\n").to_string(), "[16 bytes hidden]");
    }

    #[test]
    fn bytes_that_are_no_text_are_escaped() {
        assert_eq!(Redactor::default().input(b"J\xfcrgen\x1b[2J").to_string(), "J\\xfcrgen\\u{1b}[2J");
    }
}

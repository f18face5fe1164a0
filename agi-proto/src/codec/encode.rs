//! The only writer of command lines.
//!
//! Every argument is quoted, `"` and `\` are escaped, and what no line can carry is refused, so that
//! no argument can become a word, a command or a second line of its own:
//!
//! ```text
//! line     = words *( SP argument ) LF
//! argument = DQUOTE *( plain / "\" DQUOTE / "\\" ) DQUOTE
//! plain    = any byte but NUL, LF, CR, DQUOTE, "\"
//! ```

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::codec::arguments;
use crate::values::digit::EscapeDigits;
use crate::values::error::EncodeError;

/// Asterisk's array of words holds 128 with its end mark; some versions write past it.
const MAX_WORDS: usize = 127;

/// One command line in the making. [`Command::encode`](crate::Command::encode) appends its words; the
/// first refusal sticks, and then nothing is queued.
#[derive(Debug)]
pub struct CommandEncoder<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    words: usize,
    limit: usize,
    command: &'static str,
    refused: Option<EncodeError>,
}

impl<'a> CommandEncoder<'a> {
    /// Begins a line at the end of `out` that may be `limit` bytes long with its LF, see
    /// [`AsteriskVersion::command_limit`](crate::AsteriskVersion::command_limit). `command` names it in errors.
    pub fn new(out: &'a mut Vec<u8>, command: &'static str, limit: usize) -> Self {
        let start = out.len();
        Self { out, start, words: 0, limit, command, refused: None }
    }

    /// The command's own words, such as `STREAM FILE`, as they are. They begin the line.
    pub fn words(&mut self, words: &'static str) -> &mut Self {
        self.words += 1 + words.bytes().filter(|&byte| byte == b' ').count();
        self.out.extend_from_slice(words.as_bytes());
        self
    }

    /// One argument, quoted and escaped; `name` is what a refusal calls it.
    pub fn argument(&mut self, name: &'static str, value: impl AsRef<[u8]>) -> &mut Self {
        self.argument_of(name, |argument| argument.push(value.as_ref()))
    }

    /// One argument if it is given.
    pub fn optional_argument(&mut self, name: &'static str, value: Option<impl AsRef<[u8]>>) -> &mut Self {
        match value {
            Some(value) => self.argument(name, value),
            None => self,
        }
    }

    /// One argument that is written in pieces, so that they need not be joined first.
    pub(crate) fn argument_of(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut Argument<'_, 'a>),
    ) -> &mut Self {
        self.words += 1;
        self.out.extend_from_slice(b" \"");
        write(&mut Argument { line: self, name, length: 0 });
        self.out.push(b'"');
        self
    }

    /// A number.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.words += 1;
        self.out.push(b' ');
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = number.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + u8::try_from(rest % 10).expect("a remainder of ten is a digit");
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            self.out.push(b'-');
        }
        self.out.extend_from_slice(&digits[at..]);
        self
    }

    /// A number if it is given.
    pub fn optional_number(&mut self, number: Option<impl Into<i64>>) -> &mut Self {
        match number {
            Some(number) => self.number(number.into()),
            None => self,
        }
    }

    /// Seconds with a fraction where there is one, from a count of milliseconds.
    pub(crate) fn decimal(&mut self, milliseconds: i64) -> &mut Self {
        self.number(milliseconds / 1000);
        let fraction = milliseconds % 1000;
        if fraction != 0 {
            let digits = [fraction / 100, fraction / 10 % 10, fraction % 10];
            self.out.push(b'.');
            self.out.extend(digits.map(|digit| b"0123456789"[usize::try_from(digit).unwrap_or(0)]));
        }
        self
    }

    /// A time in milliseconds, rounded up so that no wait becomes none; `None` is -1, no limit.
    /// Asterisk reads a C `int`, so more than 24 days are refused.
    pub fn milliseconds(&mut self, name: &'static str, time: Option<Duration>) -> &mut Self {
        let Some(time) = time else { return self.number(-1) };
        match i32::try_from(time.as_nanos().div_ceil(1_000_000)) {
            Ok(milliseconds) => self.number(milliseconds.into()),
            Err(_) => self.refuse_argument(name, "is longer than Asterisk can count (2,147,483,647 ms)"),
        }
    }

    /// A time before an end, in milliseconds: at least -1, as 0 would be the beginning.
    pub(crate) fn minus_milliseconds(&mut self, name: &'static str, time: Duration) -> &mut Self {
        match i32::try_from(time.as_millis().max(1)) {
            Ok(milliseconds) => self.number(-i64::from(milliseconds)),
            Err(_) => self.refuse_argument(name, "is longer than Asterisk can count (2,147,483,647 ms)"),
        }
    }

    /// A time in whole seconds, rounded up so that no wait becomes none, as a C `int`.
    pub(crate) fn seconds(&mut self, name: &'static str, time: Duration) -> i32 {
        i32::try_from(time.as_nanos().div_ceil(1_000_000_000)).unwrap_or_else(|_| {
            self.refuse_argument(name, "is longer than Asterisk can count (2,147,483,647 s)");
            0
        })
    }

    /// A set of digits, as an argument that may be empty.
    pub fn escape_digits(&mut self, digits: EscapeDigits) -> &mut Self {
        self.argument("escape digits", digits.write_to(&mut [0; 16]))
    }

    /// Refuses an argument that Asterisk would misread.
    pub fn refuse_argument(&mut self, argument: &'static str, reason: &'static str) -> &mut Self {
        self.refuse(EncodeError::InvalidArgument { command: self.command, argument, reason });
        self
    }

    /// A whole line that the caller wrote and quoted himself.
    pub(crate) fn raw(&mut self, line: &[u8]) -> &mut Self {
        let forbidden = line.iter().position(|byte| matches!(byte, b'\0' | b'\n' | b'\r'));
        if let Some(at) = forbidden {
            let command = self.command;
            self.refuse(EncodeError::ForbiddenByte { command, argument: "the line", byte: line[at], at });
            return self;
        }
        let words = arguments::split(line);
        let ends_session =
            line.trim_ascii_start().get(..7).is_some_and(|w| w.eq_ignore_ascii_case(b"failure"));
        if words.is_empty() {
            self.refuse_argument("the line", "holds no word");
        } else if ends_session {
            self.refuse_argument("the line", "begins with `failure`, at which Asterisk ends the session");
        }
        self.words += words.len();
        self.out.extend_from_slice(line);
        self
    }

    fn refuse(&mut self, error: EncodeError) {
        self.refused.get_or_insert(error);
    }

    /// Ends the line.
    ///
    /// # Errors
    ///
    /// The first refusal, or [`EncodeError::TooManyWords`] or [`EncodeError::LineTooLong`]. Then `out` is
    /// as it was before.
    #[inline]
    pub fn finish(self) -> Result<(), EncodeError> {
        self.out.push(b'\n');
        let length = self.out.len() - self.start;
        if self.refused.is_none() && self.words <= MAX_WORDS && length <= self.limit {
            return Ok(());
        }
        Err(self.take_back(length))
    }

    #[cold]
    fn take_back(self, length: usize) -> EncodeError {
        self.out.truncate(self.start);
        let Self { words, limit, command, .. } = self;
        match self.refused {
            Some(refused) => refused,
            None if words > MAX_WORDS => EncodeError::TooManyWords { command, words },
            None => EncodeError::LineTooLong { command, length, limit },
        }
    }
}

/// One argument in the making, see [`CommandEncoder::argument_of`].
pub(crate) struct Argument<'l, 'a> {
    line: &'l mut CommandEncoder<'a>,
    name: &'static str,
    length: usize,
}

impl Argument<'_, '_> {
    /// More of the argument, escaped.
    pub(crate) fn push(&mut self, piece: impl AsRef<[u8]>) {
        let piece = piece.as_ref();
        let start = self.line.out.len();
        let mut special = false;
        self.line.out.extend(piece.iter().map(|&byte| {
            special |= SPECIAL[usize::from(byte)];
            byte
        }));
        if special {
            self.line.out.truncate(start);
            return self.push_special(piece);
        }
        self.length += piece.len();
    }

    /// The same for a piece that holds what must be escaped or refused.
    #[cold]
    fn push_special(&mut self, piece: &[u8]) {
        for (at, &byte) in piece.iter().enumerate() {
            match byte {
                b'"' | b'\\' => self.line.out.extend_from_slice(&[b'\\', byte]),
                b'\0' | b'\n' | b'\r' => {
                    let (command, argument, at) = (self.line.command, self.name, self.length + at);
                    return self.line.refuse(EncodeError::ForbiddenByte { command, argument, byte, at });
                }
                _ => self.line.out.push(byte),
            }
        }
        self.length += piece.len();
    }

    /// How many bytes Asterisk will find in it so far.
    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

/// The bytes that must be escaped or refused.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special[b'\0' as usize] = true;
    special[b'\n' as usize] = true;
    special[b'\r' as usize] = true;
    special
};

impl fmt::Write for Argument<'_, '_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.push(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn line(limit: usize, write: impl Fn(&mut CommandEncoder<'_>)) -> Result<String, EncodeError> {
        let mut out = b"before".to_vec();
        let mut line = CommandEncoder::new(&mut out, "X", limit);
        write(&mut line);
        let result = line.finish();
        assert!(out.starts_with(b"before"));
        match result {
            Ok(()) => Ok(String::from_utf8(out[6..].to_vec()).expect("text")),
            Err(error) => {
                assert_eq!(out, b"before", "a refusal leaves nothing behind");
                Err(error)
            }
        }
    }

    #[test]
    fn arguments_are_quoted_and_escaped() {
        let written = line(99, |line| {
            line.words("SET VARIABLE").argument("name", "A").argument("value", r#"say "hi" \ now"#);
        });
        assert_eq!(written.as_deref(), Ok("SET VARIABLE \"A\" \"say \\\"hi\\\" \\\\ now\"\n"));
        let numbers = line(99, |line| {
            line.words("X").number(0).number(-7).number(i64::MIN).argument("empty", "");
        });
        assert_eq!(numbers.as_deref(), Ok("X 0 -7 -9223372036854775808 \"\"\n"));
    }

    #[test]
    fn what_no_line_can_carry_is_refused_by_name() {
        for byte in [b'\0', b'\n', b'\r'] {
            let refused = line(99, |line| {
                line.words("X")
                    .argument("first", "ok")
                    .argument("second", [b'a', byte])
                    .argument("third", "\n");
            });
            let at_second = EncodeError::ForbiddenByte { command: "X", argument: "second", byte, at: 1 };
            assert_eq!(refused, Err(at_second));
        }
    }

    #[test]
    fn a_line_fits_the_limit_with_its_line_end() {
        for (limit, fits) in [(8, false), (9, true), (10, true)] {
            let written = line(limit, |line| {
                line.words("X").argument("a", "1234");
            });
            assert_eq!(written.is_ok(), fits);
        }
        for (words, fits) in [(126, true), (127, true), (128, false)] {
            let written = line(2047, |line| {
                line.words("A B");
                (2..words).for_each(|_| {
                    line.argument("a", "");
                });
            });
            assert_eq!(written.is_ok(), fits, "{words}");
            let numbers = line(2047, |line| {
                line.words("A B");
                (2..words).for_each(|_| {
                    line.number(7);
                });
            });
            assert_eq!(numbers.is_ok(), fits, "{words}");
        }
        let both = line(9, |line| {
            line.words("A");
            (1..127).for_each(|_| {
                line.number(7);
            });
        });
        assert_eq!(both, Err(EncodeError::LineTooLong { command: "X", length: 254, limit: 9 }));
    }

    #[test]
    fn times_are_rounded_up_and_bounded() {
        let written = |time| {
            line(99, |line| {
                line.words("X").milliseconds("time", time);
            })
        };
        assert_eq!(written(None).as_deref(), Ok("X -1\n"));
        assert_eq!(written(Some(Duration::ZERO)).as_deref(), Ok("X 0\n"));
        assert_eq!(written(Some(Duration::from_nanos(1))).as_deref(), Ok("X 1\n"));
        assert_eq!(written(Some(Duration::from_millis(2_147_483_647))).as_deref(), Ok("X 2147483647\n"));
        assert!(written(Some(Duration::from_millis(2_147_483_648))).is_err());
        assert!(written(Some(Duration::MAX)).is_err());
    }

    #[test]
    fn a_raw_line_is_taken_as_it_is_or_refused() {
        let raw = |text: &'static str| {
            line(99, |line| {
                line.raw(text.as_bytes());
            })
        };
        assert_eq!(raw("GET VARIABLE \"X\"").as_deref(), Ok("GET VARIABLE \"X\"\n"));
        for refused in ["", "  ", "a\nb", "a\r", "failure", "\tFAILURES are a thing", "NOOP\0"] {
            assert!(raw(refused).is_err(), "{refused:?}");
        }
        assert!(raw("\"failure\"").is_ok(), "only the bare word ends the session");
    }
}

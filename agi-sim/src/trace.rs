//! Recorded conversations as text, one line a segment.
//!
//! ```text
//! # a comment
//! < "200 result=0\n"      what Asterisk sent, in one piece
//! > "NOOP\n"              what the script sent
//! finish                  the script shut its writing side
//! eof                     Asterisk closed
//! ```
//!
//! Text stands in quotes, with `\n`, `\r`, `\t`, `\"`, `\\` and `\xff` for what is not printable.

use std::fmt::{self, Write};

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Asterisk sent this.
    Received(Vec<u8>),
    /// The script sent this.
    Sent(Vec<u8>),
    /// The script shut its writing side.
    Finish,
    /// Asterisk closed.
    Eof,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Received(bytes) => write!(f, "< \"{}\"", Escaped(bytes)),
            Self::Sent(bytes) => write!(f, "> \"{}\"", Escaped(bytes)),
            Self::Finish => f.write_str("finish"),
            Self::Eof => f.write_str("eof"),
        }
    }
}

struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            match byte {
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\t' => f.write_str("\\t")?,
                b'"' => f.write_str("\\\"")?,
                b'\\' => f.write_str("\\\\")?,
                b' '..=b'~' => f.write_char(byte.into())?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        Ok(())
    }
}

/// Reads a trace; comments and empty lines are left out. What is no line of a trace is the error.
///
/// ```
/// use agi_sim::trace::{Line, parse};
///
/// let lines = parse("# a call\n> \"NOOP\\n\"\n< \"200 result=0\\n\"\nfinish\n").unwrap();
/// assert_eq!(lines[0], Line::Sent(b"NOOP\n".to_vec()));
/// assert_eq!(lines[1].to_string(), "< \"200 result=0\\n\"");
/// ```
///
/// # Errors
///
/// The line that is none.
pub fn parse(text: &str) -> Result<Vec<Line>, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| parse_line(line).ok_or_else(|| line.to_owned())).collect()
}

fn parse_line(line: &str) -> Option<Line> {
    match line {
        "finish" => Some(Line::Finish),
        "eof" => Some(Line::Eof),
        _ => match line.split_once(' ')? {
            ("<", text) => Some(Line::Received(unescape(text)?)),
            (">", text) => Some(Line::Sent(unescape(text)?)),
            _ => None,
        },
    }
}

fn unescape(quoted: &str) -> Option<Vec<u8>> {
    let mut bytes = quoted.strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let hex = [bytes.next()?, bytes.next()?];
                    u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?
                }
                other @ (b'"' | b'\\') => other,
                _ => return None,
            },
            _ => byte,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read_back() {
        let all = Line::Received((0..=255).collect());
        assert_eq!(parse(&all.to_string()), Ok(vec![all]));
        assert_eq!(parse("< \"x\nbad"), Err("< \"x".into()));
    }
}

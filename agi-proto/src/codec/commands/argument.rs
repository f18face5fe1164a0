//! The arguments of a dialplan application, one layer above the words of a command line.
//!
//! ```text
//! arguments = argument *( "," argument )
//! argument  = *( plain / "\" any / DQUOTE *any DQUOTE / "(" *any ")" / "[" *any "]" )
//! ```
//!
//! Within quotes, parentheses and brackets a comma separates nothing; quotes and backslashes are taken out.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use bstr::BStr;

use crate::codec::encode::CommandEncoder;

/// One argument of an application, so written that the application finds it unchanged: `\` before each
/// comma, quote and backslash, and before parentheses and brackets where they do not pair up.
///
/// This is the dialplan's own layer. What it gives still goes through
/// [`Exec::arguments`](super::Exec::arguments), where the AGI line adds its quotes.
///
/// ```
/// use agi_proto::commands::escape_argument;
///
/// assert_eq!(escape_argument("PJSIP/100"), "PJSIP/100");
/// assert_eq!(escape_argument("one, two"), r"one\, two");
/// assert_eq!(escape_argument("U(sub) :)"), r"U(sub) :)");
/// assert_eq!(escape_argument(":("), r":\(");
/// ```
pub fn escape_argument(argument: &str) -> Cow<'_, str> {
    let special = Special::of(argument.as_bytes());
    if !argument.bytes().any(|byte| special.has(byte)) {
        return Cow::Borrowed(argument);
    }
    let mut escaped = Vec::with_capacity(argument.len() + 8);
    special.escape(argument.as_bytes(), |piece| escaped.extend_from_slice(piece));
    Cow::Owned(String::from_utf8(escaped).expect("backslashes between characters leave it text"))
}

/// The arguments as a command holds them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arguments<'a> {
    None,
    Text(&'a BStr),
    List(&'a [&'a str]),
}

impl Arguments<'_> {
    pub(super) fn encode(&self, line: &mut CommandEncoder<'_>) {
        match *self {
            Self::None => {}
            Self::Text(text) => {
                line.argument("arguments", text);
            }
            Self::List(list) => {
                line.argument_of("arguments", |arguments| {
                    for (at, argument) in list.iter().enumerate() {
                        if at > 0 {
                            arguments.push(",");
                        }
                        Special::of(argument.as_bytes())
                            .escape(argument.as_bytes(), |piece| arguments.push(piece));
                    }
                });
            }
        }
    }
}

/// Which bytes of an argument must be escaped.
#[derive(Clone, Copy)]
struct Special {
    parentheses: bool,
    brackets: bool,
}

impl Special {
    fn of(argument: &[u8]) -> Self {
        Self { parentheses: stays_open(argument, b'(', b')'), brackets: stays_open(argument, b'[', b']') }
    }

    fn has(self, byte: u8) -> bool {
        match byte {
            b',' | b'"' | b'\\' => true,
            b'(' | b')' => self.parentheses,
            b'[' | b']' => self.brackets,
            _ => false,
        }
    }

    fn escape(self, argument: &[u8], mut push: impl FnMut(&[u8])) {
        for piece in argument.chunk_by(|_, &next| !self.has(next)) {
            if self.has(piece[0]) {
                push(b"\\");
            }
            push(piece);
        }
    }
}

/// Whether Asterisk would still wait for a closing one and so miss the next comma. One that closes
/// nothing is nothing to it.
fn stays_open(argument: &[u8], open: u8, close: u8) -> bool {
    let depth = argument.iter().fold(0_usize, |depth, &byte| match byte {
        _ if byte == open => depth + 1,
        _ if byte == close => depth.saturating_sub(1),
        _ => depth,
    });
    depth > 0
}

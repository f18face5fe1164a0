//! The dialplan's substitution.
//!
//! ```text
//! text  = *( any / "${" name [ "(" arguments ")" ] [ ":" offset [ ":" length ] ] "}" / "$[" expression "]" )
//! ```
//!
//! What stands inside the brackets is substituted first.

use agi_proto::BString;
use bstr::ByteSlice;

use super::channel::Channel;
use super::{expression, functions};

/// How deep brackets may stand in one another.
const DEPTH: usize = 32;

pub(crate) fn expand(channel: &mut Channel, text: &[u8]) -> BString {
    expand_at(channel, text, DEPTH)
}

fn expand_at(channel: &mut Channel, mut text: &[u8], depth: usize) -> BString {
    let mut out = BString::default();
    while let Some(at) = text.find_byte(b'$') {
        out.extend_from_slice(&text[..at]);
        text = &text[at..];
        let close = match text.get(1) {
            Some(b'{') if depth > 0 => closing(text, b'{', b'}'),
            Some(b'[') if depth > 0 => closing(text, b'[', b']'),
            _ => {
                out.push(b'$');
                text = &text[1..];
                continue;
            }
        };
        // a bracket that nobody closes is closed by the end
        let end = close.unwrap_or(text.len());
        let inner = expand_at(channel, &text[2..end], depth - 1);
        if text[1] == b'{' {
            out.extend_from_slice(&reference(channel, &inner));
        } else {
            out.extend_from_slice(&expression::evaluate(&inner));
        }
        text = text.get(end + 1..).unwrap_or_default();
    }
    out.extend_from_slice(text);
    out
}

fn closing(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut depth = 0;
    for (at, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if byte == open => depth += 1,
            _ if byte == close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// What stands for `name`, `FUNCTION(arguments)`, or a part of either.
fn reference(channel: &mut Channel, text: &[u8]) -> BString {
    // a `:` behind an unpaired `)` of an argument counts, as in Asterisk
    let mut open = 0;
    let colon = text.iter().position(|&byte| {
        open += i32::from(byte == b'(') - i32::from(byte == b')');
        byte == b':' && open == 0
    });
    let (name, part) = match colon {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let value = functions::lookup(channel, name).unwrap_or_default();
    match part {
        Some(part) => slice(&value, part),
        None => value,
    }
}

/// `offset[:length]`: either may count from the end.
fn slice(value: &[u8], part: &[u8]) -> BString {
    let mut numbers = part.split(|&byte| byte == b':').map(functions::number);
    let (offset, length) = (numbers.next().unwrap_or(0), numbers.next());
    let all = value.len() as i64;
    let begin = if offset < 0 { (all + offset).max(0) } else { offset.min(all) };
    let end = match length {
        None => all,
        Some(length) if length < 0 => all + length,
        Some(length) => begin.saturating_add(length).min(all),
    };
    value[begin as usize..end.max(begin) as usize].into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::setup::Setup;

    #[test]
    fn text_is_substituted_as_in_the_dialplan() {
        let mut channel = Channel::new(&Setup::new("x"));
        channel.set("A", "0123456789");
        channel.set("B", "A");
        for (text, expected) in [
            ("plain", "plain"),
            ("${A}", "0123456789"),
            ("x${${B}:2:3}y", "x234y"),
            ("${A:-3}", "789"),
            ("${A:-3:2}", "78"),
            ("${A:2:-3}", "23456"),
            ("${A:20}", ""),
            ("${NONE}", ""),
            ("${LEN(${A})}", "10"),
            ("${BASE64_ENCODE(${A:0:2})}", "MDE="),
            ("${URIENCODE(a b)}", "a%20b"),
            ("${SHA1(abc)}", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("${CALLERID(num)}", "15551234567"),
            ("$[1 + 2 * 3]", "7"),
            ("$[${LEN(${A})} > 9]", "1"),
            ("$[7 / 2]", "3.5"),
            ("$[1 / 0]", "2147483647"),
            ("$[1 % 0]", "0"),
            ("$[-3 + 1]", "-2"),
            ("x${A", "x0123456789"),
            ("$", "$"),
        ] {
            assert_eq!(expand(&mut channel, text.as_bytes()), expected, "{text}");
        }
    }
}

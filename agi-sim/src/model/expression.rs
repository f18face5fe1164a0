//! `$[...]`: numbers and comparisons; texts are compared as they stand.

use std::cmp::Ordering;

use agi_proto::BString;
use bstr::ByteSlice;

/// The operators, those that bind least first.
const LEVELS: [&[&str]; 5] =
    [&["|"], &["&"], &["=", "!=", ">=", "<=", ">", "<"], &["+", "-"], &["*", "/", "%"]];

pub(crate) fn evaluate(text: &[u8]) -> BString {
    let tokens = tokens(text);
    let mut rest = &tokens[..];
    let value = level(&mut rest, 0, 0);
    // what is no expression stays what it is
    if rest.is_empty() { value } else { text.into() }
}

fn tokens(text: &[u8]) -> Vec<BString> {
    let mut tokens: Vec<BString> = Vec::new();
    let mut rest = text.trim_start();
    while let Some(&first) = rest.first() {
        let length = match first {
            b'"' => rest[1..].find_byte(b'"').map_or(rest.len(), |at| at + 2),
            b'(' | b')' | b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'&' | b'=' => 1,
            b'!' | b'<' | b'>' => 1 + usize::from(rest.get(1) == Some(&b'=')),
            _ => rest.find_byteset(b" \t()+-*/%|&=!<>\"").unwrap_or(rest.len()).max(1),
        };
        tokens.push(rest[..length].into());
        rest = rest[length..].trim_start();
    }
    tokens
}

fn level(rest: &mut &[BString], binding: usize, depth: usize) -> BString {
    let Some(operators) = LEVELS.get(binding) else { return atom(rest, depth) };
    let mut left = level(rest, binding + 1, depth);
    while let Some(operator) = rest.first().filter(|token| operators.iter().any(|known| *known == **token)) {
        *rest = &rest[1..];
        let right = level(rest, binding + 1, depth);
        left = apply(operator, &left, &right);
    }
    left
}

fn atom(rest: &mut &[BString], depth: usize) -> BString {
    let Some((first, behind)) = rest.split_first() else { return BString::default() };
    *rest = behind;
    match &first[..] {
        b"(" if depth < 64 => {
            let value = level(rest, 0, depth + 1);
            *rest = rest.strip_prefix(&[BString::from(")")]).unwrap_or(rest);
            value
        }
        b"-" => {
            let value = number(&atom(rest, depth)).unwrap_or(0.0);
            shown(-value)
        }
        text => text.trim_with(|c| c == '"').into(),
    }
}

fn apply(operator: &[u8], left: &[u8], right: &[u8]) -> BString {
    let truth = |value: &[u8]| !value.is_empty() && value != b"0";
    let order = match (number(left), number(right)) {
        (Some(left), Some(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
        _ => left.cmp(right),
    };
    let (a, b) = (number(left).unwrap_or(0.0), number(right).unwrap_or(0.0));
    shown(match operator {
        b"|" => return if truth(left) { left.into() } else { right.into() },
        b"&" => return if truth(left) && truth(right) { left.into() } else { "0".into() },
        b"=" => f64::from(order.is_eq()),
        b"!=" => f64::from(order.is_ne()),
        b">" => f64::from(order.is_gt()),
        b"<" => f64::from(order.is_lt()),
        b">=" => f64::from(order.is_ge()),
        b"<=" => f64::from(order.is_le()),
        b"+" => a + b,
        b"-" => a - b,
        b"*" => a * b,
        b"/" if b == 0.0 => f64::from(i32::MAX),
        b"/" => a / b,
        _ if b == 0.0 => 0.0,
        _ => a % b,
    })
}

/// Without a fraction where there is none.
fn shown(value: f64) -> BString {
    value.to_string().into()
}

fn number(text: &[u8]) -> Option<f64> {
    // neither `inf` nor `nan`
    let digits = text.iter().any(u8::is_ascii_digit);
    text.to_str().ok().filter(|_| digits)?.parse().ok()
}

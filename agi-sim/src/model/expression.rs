//! `$[...]`: numbers and comparisons; texts are compared as they stand.

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
            let value = number(&atom(rest, depth)).unwrap_or(0);
            value.saturating_neg().to_string().into()
        }
        text => text.trim_with(|c| c == '"').into(),
    }
}

fn apply(operator: &[u8], left: &[u8], right: &[u8]) -> BString {
    let truth = |value: &[u8]| !value.is_empty() && value != b"0";
    let order = match (number(left), number(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.cmp(right),
    };
    let (a, b) = (number(left).unwrap_or(0), number(right).unwrap_or(0));
    let value = match operator {
        b"|" => return if truth(left) { left.into() } else { right.into() },
        b"&" => return if truth(left) && truth(right) { left.into() } else { "0".into() },
        b"=" => i64::from(order.is_eq()),
        b"!=" => i64::from(order.is_ne()),
        b">" => i64::from(order.is_gt()),
        b"<" => i64::from(order.is_lt()),
        b">=" => i64::from(order.is_ge()),
        b"<=" => i64::from(order.is_le()),
        b"+" => a.saturating_add(b),
        b"-" => a.saturating_sub(b),
        b"*" => a.saturating_mul(b),
        b"/" => a.checked_div(b).unwrap_or(0),
        _ => a.checked_rem(b).unwrap_or(0),
    };
    value.to_string().into()
}

fn number(text: &[u8]) -> Option<i64> {
    text.to_str().ok()?.parse().ok()
}

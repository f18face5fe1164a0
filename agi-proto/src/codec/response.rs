//! One response, taken apart as far as it can be without knowing the command.
//!
//! ```text
//! response = status SP text LF
//!          / "520-" text LF *( any line LF ) [ any text ] "520 End of proper usage." LF
//! status   = 3DIGIT                                    ; 1xx: the answer is still to come
//! text     = [ "result=" result ] [ SP "(" value ")" ] *( SP name "=" field ) / any text
//! result   = *( any byte but SP )                      ; may be empty, `*12#`, `0042` or ten digits
//! value    = *( any byte )                             ; raw: LF, CR and `)` included
//! field    = DQUOTE *( any byte ) DQUOTE / *( any byte but SP )
//! ```

use bstr::{BStr, ByteSlice};
use memchr::{memchr, memrchr};

use crate::values::error::{Rejection, ReplyError, ReplyErrorKind};

/// What Asterisk answered, borrowed from the receive buffer.
///
/// A response is not typed by itself: `result=50` is the digits 50 from GET DATA and the digit 2 from
/// WAIT FOR DIGIT. So this gives the parts as text, and each [`Command`](crate::Command) makes its own
/// reply of them.
///
/// ```
/// use agi_proto::Response;
///
/// let response = Response::parse(b"200 result=53 (dtmf) endpos=1600").unwrap();
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.result().unwrap(), "53");
/// assert_eq!(response.tag().unwrap(), "dtmf");
/// assert_eq!(response.number("endpos"), Some(1600));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    raw: &'a [u8],
    status: u16,
    hung_up: bool,
}

impl<'a> Response<'a> {
    /// Reads a response without its last line end. `None` where it does not begin with three digits
    /// and a blank, a `-` or the end.
    #[inline]
    pub fn parse(raw: &'a [u8]) -> Option<Self> {
        let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = raw else { return None };
        if !matches!(rest.first(), None | Some(b' ' | b'-')) {
            return None;
        }
        let digit = |byte: &u8| u16::from(byte - b'0');
        Some(Self { raw, status: digit(a) * 100 + digit(b) * 10 + digit(c), hung_up: false })
    }

    /// A response that was parsed before, and whether the channel is known to be hung up.
    pub(crate) fn known(raw: &'a [u8], status: u16, hung_up: bool) -> Self {
        Self { raw, status, hung_up }
    }

    /// The three digits: 200 answered, 510 unknown, 511 dead channel, 520 wrong arguments, 503 out of
    /// memory; 1xx is no answer yet.
    #[inline]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the answer is still to come (`100 result=0 Trying...`, from GOSUB).
    #[inline]
    pub fn is_provisional(&self) -> bool {
        self.status < 200
    }

    /// Whether the channel was known to be hung up when this was taken.
    pub fn is_hung_up(&self) -> bool {
        self.hung_up
    }

    /// The whole response as it came, all its lines, without the last line end.
    pub fn raw(&self) -> &'a BStr {
        self.raw.as_bstr()
    }

    /// What stands behind the status.
    #[inline]
    pub fn text(&self) -> &'a BStr {
        self.raw.get(4..).unwrap_or_default().as_bstr()
    }

    /// What stands behind `result=`, as text, up to the next blank; it may be empty.
    #[inline]
    pub fn result(&self) -> Option<&'a BStr> {
        let text = self.text().strip_prefix(b"result=")?;
        // a few bytes as a rule, so there is nothing to gain by looking at many at once
        let end = text.iter().position(|&byte| byte == b' ');
        Some(text[..end.unwrap_or(text.len())].as_bstr())
    }

    /// `result=` as a number.
    #[inline]
    pub fn code(&self) -> Option<i64> {
        integer(self.result()?)
    }

    /// What stands behind the result (or behind the status where there is no result).
    pub fn tail(&self) -> &'a BStr {
        let text = self.text();
        let result = self.result().map_or(0, |result| "result=".len() + result.len());
        let tail = &text[result..];
        tail.strip_prefix(b" ").unwrap_or(tail).as_bstr()
    }

    /// What stands in parentheses behind the result, from the first `(` to the **last** `)`: a value is
    /// sent raw and may itself hold parentheses, line ends and what looks like another response.
    pub fn value(&self) -> Option<&'a BStr> {
        let tail = self.tail().strip_prefix(b"(")?;
        // it ends the response as a rule
        let value = tail.strip_suffix(b")").or_else(|| Some(&tail[..memrchr(b')', tail)?]));
        value.map(BStr::new)
    }

    /// The word in parentheses behind the result, from the first `(` to the **first** `)`: `timeout`,
    /// `dtmf`, `hangup`, `speech` and the like.
    pub fn tag(&self) -> Option<&'a BStr> {
        let tail = self.tail().strip_prefix(b"(")?;
        Some(tail[..memchr(b')', tail)?].as_bstr())
    }

    /// The `name=value` pairs behind the result and the tag, such as `endpos=1600`; quotes around a
    /// value are taken off.
    pub fn fields(&self) -> impl Iterator<Item = (&'a BStr, &'a BStr)> {
        let tail = self.tail();
        let skip = self.tag().map_or(0, |tag| tag.len() + 2);
        Fields { rest: &tail[skip..] }
    }

    /// One of the [`fields`](Self::fields).
    pub fn field(&self, name: &str) -> Option<&'a BStr> {
        self.fields().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// One of the [`fields`](Self::fields) as a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        integer(self.field(name)?)
    }

    /// The text of a 520, without its first and its last line; empty where Asterisk has none at hand.
    pub fn usage(&self) -> Option<&'a BStr> {
        let block = self.raw.strip_prefix(b"520-")?;
        let text = &block[memchr(b'\n', block)? + 1..];
        let text = text.strip_suffix(USAGE_END).unwrap_or(text);
        Some(text.strip_suffix(b"\n").unwrap_or(text).as_bstr())
    }

    /// Returns whether it reports a failure whatever the command: another status than 200, or a negative result.
    pub fn is_failure(&self) -> bool {
        self.status != 200 || self.result().is_some_and(|result| result.starts_with(b"-"))
    }

    /// Returns whether it is a 511 that may come from an interception routine. Versions before 13.14 do not refuse
    /// commands there, and their text does not speak of it.
    pub(crate) fn is_intercept(&self) -> bool {
        self.status == 511 && self.raw.ends_with(b"intercept routine")
    }

    /// The error for a `200` that says that the command failed.
    pub fn failed(&self) -> ReplyError {
        self.error(ReplyErrorKind::Failed)
    }

    /// The error for a `200` that the command cannot mean.
    pub fn unexpected(&self) -> ReplyError {
        self.error(ReplyErrorKind::Unexpected)
    }

    /// The error for a status other than 200.
    pub(crate) fn rejection(&self) -> Rejection {
        match self.status() {
            510 => Rejection::UnknownCommand,
            511 => Rejection::DeadChannel { text: self.text().into(), hung_up: self.hung_up },
            520 => Rejection::Usage { usage: self.usage().unwrap_or_default().into() },
            status => Rejection::Other { status, text: self.text().into() },
        }
    }

    fn error(&self, kind: ReplyErrorKind) -> ReplyError {
        ReplyError { command: "", kind, response: self.raw.into(), hung_up: self.hung_up }
    }
}

/// How the last line of a 520 block ends. Before 13.17, 14.6 and 15.0 it was glued to the text.
pub(crate) const USAGE_END: &[u8] = b"520 End of proper usage.";

/// Asterisk's numbers are C `int`s and `long`s.
fn integer(text: &BStr) -> Option<i64> {
    let negative = text.strip_prefix(b"-");
    let digits = negative.unwrap_or(text);
    // below zero, where there is room for one number more
    let below = digits.iter().try_fold(0_i64, |number, &byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_sub(i64::from(byte - b'0')),
        _ => None,
    });
    let below = below.filter(|_| !digits.is_empty())?;
    if negative.is_some() { Some(below) } else { below.checked_neg() }
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a BStr, &'a BStr);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.rest = self.rest.trim_start_with(|c| c == ' ');
            let word = memchr(b' ', self.rest).unwrap_or(self.rest.len());
            let equals = match memchr(b'=', &self.rest[..word]) {
                Some(equals) => equals,
                None if word == 0 => return None,
                None => {
                    self.rest = &self.rest[word..];
                    continue;
                }
            };
            let name = self.rest[..equals].as_bstr();
            let value = &self.rest[equals + 1..];
            let (value, rest) = match value.strip_prefix(b"\"") {
                Some(quoted) => split_quoted(quoted),
                None => value.split_at(word - equals - 1),
            };
            self.rest = rest;
            return Some((name, value.as_bstr()));
        }
    }
}

/// Quotes inside a recognised text are not escaped: the text ends at the quote that another
/// `name=` or nothing follows.
fn split_quoted(text: &[u8]) -> (&[u8], &[u8]) {
    let ends = text.find_iter("\"").find(|&at| {
        let rest = &text[at + 1..];
        let name = rest.strip_prefix(b" ").unwrap_or_default();
        let length = name.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        rest.is_empty() || (length > 0 && name.get(length) == Some(&b'='))
    });
    match ends {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn response(raw: &str) -> Response<'_> {
        Response::parse(raw.as_bytes()).expect("a response")
    }

    #[test]
    fn only_a_status_makes_a_response() {
        for raw in ["", "HANGUP", "20", "2000 result=0", "0200", "agi_dnid: 1", " 200", "20x result", "020 x"]
        {
            assert!(Response::parse(raw.as_bytes()).is_none(), "{raw}");
        }
        assert_eq!(response("200").text(), "");
        assert_eq!(response("200 ").result(), None);
        assert_eq!(response("999 odd").status(), 999);
        assert!(response("100 result=0 Trying...").is_provisional());
    }

    #[test]
    fn a_result_is_text_first() {
        for (raw, result, code) in [
            ("200 result=0", "0", Some(0)),
            ("200 result=", "", None),
            ("200 result= (timeout)", "", None),
            ("200 result=*12#", "*12#", None),
            ("200 result=0042", "0042", Some(42)),
            ("200 result=1234567890", "1234567890", Some(1_234_567_890)),
            ("200 result=-1 endpos=0", "-1", Some(-1)),
        ] {
            assert_eq!(response(raw).result().expect("it has one"), result);
            assert_eq!(response(raw).code(), code);
        }
    }

    #[test]
    fn numbers_are_those_of_c() {
        for (text, number) in [
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("99999999999999999999", None),
            ("-0", Some(0)),
            ("-", None),
            ("--1", None),
            ("+1", None),
            ("1x", None),
        ] {
            assert_eq!(integer(BStr::new(text)), number, "{text}");
        }
    }

    #[test]
    fn a_value_runs_from_the_first_to_the_last_parenthesis() {
        for (raw, value) in [
            ("200 result=1 (value)", Some("value")),
            ("200 result=1 ()", Some("")),
            ("200 result=1 (a) endpos=5)", Some("a) endpos=5")),
            ("200 result=1 (a\n200 result=1 (x)\nb)", Some("a\n200 result=1 (x)\nb")),
            ("200 result=1 (open", None),
            ("200 result=0", None),
        ] {
            assert_eq!(response(raw).value(), value.map(BStr::new), "{raw}");
        }
        assert_eq!(response("200 result=0 Gosub complete (abnormal exit)").value(), None);
        assert_eq!(
            response("200 result=0 Gosub complete (abnormal exit)").tail(),
            "Gosub complete (abnormal exit)"
        );
    }

    #[test]
    fn fields_follow_the_tag() {
        let recognised = response(
            "200 result=1 (speech) endpos=80 results=2 score0=900 text0=\"say \"hi\" (now)\" grammar0=g \
             score1=1 text1=\"\" grammar1=",
        );
        let fields: Vec<_> = recognised.fields().collect();
        let wanted = [
            ("endpos", "80"),
            ("results", "2"),
            ("score0", "900"),
            ("text0", "say \"hi\" (now)"),
            ("grammar0", "g"),
            ("score1", "1"),
            ("text1", ""),
            ("grammar1", ""),
        ];
        assert_eq!(fields, wanted.map(|(name, value)| (BStr::new(name), BStr::new(value))));
        assert_eq!(recognised.tag().expect("it has one"), "speech");
        assert_eq!(response("200 result=0 endpos=-1").number("endpos"), Some(-1));
        assert_eq!(response("200 result=1 (digit) digit=5 endpos=0").field("digit").expect("it came"), "5");
        assert_eq!(response("200 result=1 (speech) endpos=0 results=0 ").number("results"), Some(0));
        assert_eq!(response("200 result=0 x= y").field("x").expect("it came"), "");
        // a quote closes before a name only
        for text in ["a\" =b", "a\" b", "a\"b=c", "a\"  b=c", "a\" b c=d"] {
            let raw = std::format!("200 result=0 text=\"{text}\" score=1");
            let odd = response(&raw);
            assert_eq!(odd.field("text").expect("it came"), text);
            assert_eq!(odd.number("score"), Some(1));
        }
        assert_eq!(
            response("200 result=0 text=\"never closed").field("text").expect("it came"),
            "never closed"
        );
    }

    #[test]
    fn usage_is_what_stands_between_the_first_and_the_last_line() {
        for (raw, usage) in [
            ("520-Invalid.\nuse so\n\nor so\n520 End of proper usage.", Some("use so\n\nor so")),
            ("520-Invalid.\nglued520 End of proper usage.", Some("glued")),
            ("520 Invalid command syntax.  Proper usage not available.", None),
        ] {
            assert_eq!(response(raw).usage(), usage.map(BStr::new));
        }
    }
}

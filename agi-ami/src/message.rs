//! One message of the manager interface: a response or an event, as headers.

use core::str;

use memchr::memchr;

/// One message, as it came.
///
/// ```text
/// message = *( key ":" *" " value ( CR LF / LF ) ) ( CR LF / LF )
/// ```
///
/// Values are bytes. Keys come in any case and more than once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a>(pub(crate) &'a [u8]);

impl<'a> Message<'a> {
    /// Returns the value of the first header of this name.
    pub(crate) fn get(self, key: &str) -> Option<&'a [u8]> {
        self.headers().find(|(name, _)| name.eq_ignore_ascii_case(key.as_bytes())).map(|(_, value)| value)
    }

    /// Returns a value that has to be text.
    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        str::from_utf8(self.get(key)?).ok()
    }

    /// The headers in their order; lines without a colon are none.
    fn headers(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.0.split(|&byte| byte == b'\n').filter_map(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let (name, value) = line.split_at(memchr(b':', line)?);
            let value = &value[1..];
            let blanks = value.iter().take_while(|&&byte| byte == b' ').count();
            Some((name, &value[blanks..]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_in_any_case_and_the_first_counts() {
        let message =
            Message(b"Event: A:b\r\ncommandid:  x \r\nno header\r\nOutput:1\nOutput: 2\r\nV: \xff\r\n\r\n");
        assert_eq!(message.get("event"), Some(&b"A:b"[..]));
        assert_eq!(message.get("CommandId"), Some(&b"x "[..]));
        assert_eq!(message.get("Output"), Some(&b"1"[..]));
        assert_eq!(message.get("V"), Some(&b"\xff"[..]));
        assert_eq!(message.text("V"), None);
        assert_eq!(message.text("Output"), Some("1"));
        assert_eq!(message.get("no header"), None);
    }
}

//! Excerpts of what the peer sent, for messages.

use core::fmt;

use bstr::BStr;

/// The beginning of what the peer sent, as one line of printable text: a caller may have shaped it.
#[derive(Clone, Copy, Debug)]
pub struct Excerpt<'a>(
    /// The bytes.
    pub &'a [u8],
);

/// The most bytes that a message shows. Asterisk's own lines have less.
const EXCERPT: usize = 256;

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0;
        match whole.get(..EXCERPT) {
            Some(begin) if whole.len() > EXCERPT => {
                write!(f, "{:?}, {} bytes in all", BStr::new(begin), whole.len())
            }
            _ => write!(f, "{:?}", BStr::new(whole)),
        }
    }
}

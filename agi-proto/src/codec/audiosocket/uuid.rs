//! The name of a connection. Asterisk knows it as text, the wire as 16 bytes.
//!
//! Sixteen bytes of its own, because the crate `uuid` needs a newer Rust than this one, and would stand in the public
//! API; its values convert by their bytes.

use core::fmt;
use core::str::FromStr;

/// Where the hyphens of the text form are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const TEXT: usize = 36;

/// A UUID: which call a connection belongs to.
///
/// Whoever can guess it can take the call's audio, so take it from a good source of randomness.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// Returns the UUID of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns a random UUID, of version 4, from 16 random bytes.
    pub const fn from_random(mut random: [u8; 16]) -> Self {
        random[6] = random[6] & 0x0f | 0x40;
        random[8] = random[8] & 0x3f | 0x80;
        Self(random)
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Uuid {
    /// Writes the text form, as `EXEC AudioSocket` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let hyphen = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = UuidError;

    /// Reads the text form in either case: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
    fn from_str(text: &str) -> Result<Self, UuidError> {
        let text = text.as_bytes();
        if text.len() != TEXT || HYPHENS.iter().any(|&at| text[at] != b'-') {
            return Err(UuidError);
        }
        let mut bytes = [0; 16];
        let digits = text.iter().enumerate().filter(|(at, _)| !HYPHENS.contains(at));
        for (n, (_, &digit)) in digits.enumerate() {
            let value = char::from(digit).to_digit(16).ok_or(UuidError)?;
            bytes[n / 2] = bytes[n / 2] << 4 | value as u8;
        }
        Ok(Self(bytes))
    }
}

/// A text that is not a UUID. Asterisk fails `EXEC AudioSocket` with such a one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("UUID: not 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12")]
pub struct UuidError;

//! What a caller can press.

use core::fmt::{self, Write};

use crate::values::error::EncodeError;

/// One DTMF digit: `0`-`9`, `*`, `#` or `A`-`D`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    /// `#`.
    pub const HASH: Self = Self(b'#');
    /// `*`.
    pub const STAR: Self = Self(b'*');

    /// The digit that a character stands for.
    pub const fn new(character: char) -> Option<Self> {
        match character {
            '0'..='9' | '*' | '#' | 'A'..='D' => Some(Self(character as u8)),
            _ => None,
        }
    }

    /// The digit of Asterisk's code for it, its ASCII code: `result=53` is `5`. A small `a`-`d`, as another leg of the
    /// same Asterisk may send it, is the same digit as a capital one.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::new(char::from(u8::try_from(code).ok()?).to_ascii_uppercase())
    }

    /// The digit as a character.
    pub const fn as_char(self) -> char {
        self.0 as char
    }

    /// The number of a digit that is one.
    pub fn to_number(self) -> Option<u8> {
        self.0.is_ascii_digit().then(|| self.0 - b'0')
    }
}

impl fmt::Display for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(self.as_char())
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_char())
    }
}

impl PartialEq<char> for Digit {
    fn eq(&self, other: &char) -> bool {
        self.as_char() == *other
    }
}

impl From<Digit> for char {
    fn from(digit: Digit) -> Self {
        digit.as_char()
    }
}

/// The digits that end a prompt: a set of [`Digit`]s, often empty.
///
/// ```
/// use agi_proto::{Digit, EscapeDigits};
///
/// let digits = EscapeDigits::new("12#")?;
/// assert!(digits.contains(Digit::new('#').unwrap()));
/// assert!(EscapeDigits::new("12x").is_err());
/// # Ok::<(), agi_proto::EncodeError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct EscapeDigits(u16);

const ALL: &str = "0123456789*#ABCD";

impl EscapeDigits {
    /// No digit: the prompt plays to its end.
    pub const NONE: Self = Self(0);
    /// Every digit.
    pub const ANY: Self = Self(u16::MAX);

    /// The digits of a text, in any order.
    ///
    /// # Errors
    ///
    /// [`EncodeError::InvalidArgument`] for a character that is no digit.
    pub fn new(digits: &str) -> Result<Self, EncodeError> {
        digits.chars().try_fold(Self::NONE, |set, character| match ALL.find(character) {
            Some(at) => Ok(Self(set.0 | 1 << at)),
            None => Err(EncodeError::InvalidArgument {
                command: "a command",
                argument: "escape digits",
                reason: "hold what is none of 0-9, *, #, A-D",
            }),
        })
    }

    /// Whether a digit is in the set.
    pub fn contains(self, digit: Digit) -> bool {
        self.iter().any(|other| other == digit)
    }

    /// The digits, in the order `0`-`9`, `*`, `#`, `A`-`D`.
    pub fn iter(self) -> impl Iterator<Item = Digit> {
        ALL.bytes().enumerate().filter(move |(at, _)| self.0 & 1 << at != 0).map(|(_, byte)| Digit(byte))
    }

    /// The digits as they stand in a command, in `space`.
    pub(crate) fn write_to(self, space: &mut [u8; 16]) -> &[u8] {
        let mut length = 0;
        for digit in self.iter() {
            space[length] = digit.0;
            length += 1;
        }
        &space[..length]
    }
}

impl From<Digit> for EscapeDigits {
    fn from(digit: Digit) -> Self {
        Self(1 << ALL.find(digit.as_char()).expect("a digit is one of them all"))
    }
}

impl fmt::Display for EscapeDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl fmt::Debug for EscapeDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EscapeDigits({self})")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_digit_is_one_of_sixteen() {
        let digits = (0..=300).filter_map(Digit::from_code);
        assert!(digits.eq("#*0123456789ABCDABCD".chars().filter_map(Digit::new)));
        assert_eq!(Digit::new('a'), None);
        assert_eq!(Digit::from_code(-1), None);
        assert_eq!(Digit::from_code(53).and_then(Digit::to_number), Some(5));
        assert_eq!(Digit::from_code(35).and_then(Digit::to_number), None);
        assert_eq!(Digit::from_code(53).map(|digit| digit.to_string()).as_deref(), Some("5"));
        assert_eq!(std::format!("{:?}", Digit::HASH), "'#'");
        assert!(Digit::STAR == '*' && Digit::STAR != '#');
        assert_eq!(char::from(Digit::STAR), '*');
    }

    #[test]
    fn escape_digits_are_a_set() {
        assert_eq!(EscapeDigits::new("#1#A0").map(|digits| digits.to_string()).as_deref(), Ok("01#A"));
        assert_eq!(EscapeDigits::new(ALL), Ok(EscapeDigits::ANY));
        assert_eq!(EscapeDigits::ANY.to_string(), ALL);
        assert_eq!(EscapeDigits::new(""), Ok(EscapeDigits::NONE));
        for wrong in ["a", "1 2", "é", "E", "\n"] {
            assert!(EscapeDigits::new(wrong).is_err());
        }
        assert_eq!(std::format!("{:?}", EscapeDigits::from(Digit::HASH)), "EscapeDigits(#)");
        let some = EscapeDigits::new("1#").expect("digits");
        assert!(some.contains(Digit::HASH) && !some.contains(Digit::STAR));
        for digit in EscapeDigits::ANY.iter() {
            assert_eq!(EscapeDigits::from(digit).iter().collect::<alloc::vec::Vec<_>>(), [digit]);
        }
    }
}

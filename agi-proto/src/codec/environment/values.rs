//! The variables that are more than text.

use bstr::{BStr, ByteSlice};

/// `agi_version`: the version of Asterisk, free text that usually begins with numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsteriskVersion<'a> {
    text: &'a BStr,
}

/// The command buffer of every Asterisk before [`LARGE_BUFFER`]: 2,048 bytes, one of them a NUL.
const SMALL_LIMIT: usize = 2047;
/// The command buffer since: 8,192 bytes, one of them a NUL.
const LARGE_LIMIT: usize = 8191;
/// The first release of each branch with the large command buffer, and the first branch of which all have it.
const LARGE_BUFFER: [(u32, u32); 3] = [(20, 16), (21, 11), (22, 6)];
const ALL_LARGE: u32 = 23;

impl<'a> AsteriskVersion<'a> {
    pub(super) fn new(text: &'a BStr) -> Self {
        Self { text }
    }

    /// The text as it came; empty where there was none.
    pub fn text(&self) -> &'a BStr {
        self.text
    }

    /// The numbers of major and minor release, such as `(22, 10)`. `None` for builds that do not
    /// begin with them (`GIT-master-1a2b3c`, `certified/18.9-cert4`).
    pub fn release(&self) -> Option<(u32, u32)> {
        let (major, rest) = self.text.split_once_str(".")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = |bytes: &[u8]| bytes.to_str().ok()?.parse().ok();
        Some((number(major)?, number(&rest[..digits])?))
    }

    /// How long a command line may be, its LF included: 8,191 bytes from 20.16, 21.11, 22.6 and 23.0
    /// on, 2,047 bytes before and where the release is not known. What is longer would run as two
    /// commands.
    pub fn command_limit(&self) -> usize {
        let large = self.release().is_some_and(|(major, minor)| {
            major >= ALL_LARGE
                || LARGE_BUFFER.iter().any(|&(branch, first)| major == branch && minor >= first)
        });
        if large { LARGE_LIMIT } else { SMALL_LIMIT }
    }
}

/// `agi_callingpres`: one number that holds [`Presentation`] and [`Screening`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallingPresentation(
    /// The number as it came.
    pub i32,
);

/// Whether the caller's number may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presentation {
    /// It may be shown.
    Allowed,
    /// The caller withheld it.
    Restricted,
    /// It is not available.
    Unavailable,
    /// A value that means none of these.
    Reserved,
}

/// Who vouches for the caller's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screening {
    /// The caller gave it and nobody checked.
    Unscreened,
    /// The caller gave it and the network found it right.
    Passed,
    /// The caller gave it and the network found it wrong.
    Failed,
    /// The network gave it.
    Network,
}

impl CallingPresentation {
    /// Whether the number may be shown.
    pub fn presentation(self) -> Presentation {
        match self.0 & 0x60 {
            0x00 => Presentation::Allowed,
            0x20 => Presentation::Restricted,
            0x40 => Presentation::Unavailable,
            _ => Presentation::Reserved,
        }
    }

    /// Who vouches for the number.
    pub fn screening(self) -> Screening {
        match self.0 & 3 {
            0 => Screening::Unscreened,
            1 => Screening::Passed,
            2 => Screening::Failed,
            _ => Screening::Network,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_limit_follows_the_version() {
        for (text, limit) in [
            ("22.10.1+dfsg+~cs6.17.60671434-1", 8191),
            ("22.6.0", 8191),
            ("22.5.2", 2047),
            ("21.11.0", 8191),
            ("21.10.9", 2047),
            ("20.16.0", 8191),
            ("20.15.1", 2047),
            ("23.0.0", 8191),
            ("24.0.0", 8191),
            ("19.8.1", 2047),
            ("16.28.0~dfsg-0+deb11u4", 2047),
            ("certified/18.9-cert4", 2047),
            ("GIT-master-1a2b3c", 2047),
            ("SVN-branch-1.8-r1", 2047),
            ("99999999999.1", 2047),
            ("", 2047),
        ] {
            assert_eq!(AsteriskVersion::new(BStr::new(text)).command_limit(), limit, "{text}");
        }
    }

    #[test]
    fn calling_presentation_is_two_values_in_one() {
        use Presentation::{Allowed, Reserved, Restricted, Unavailable};
        use Screening::{Failed, Network, Passed, Unscreened};
        for (number, presentation, screening) in [
            (0, Allowed, Unscreened),
            (1, Allowed, Passed),
            (2, Allowed, Failed),
            (3, Allowed, Network),
            (33, Restricted, Passed),
            (67, Unavailable, Network),
            (96, Reserved, Unscreened),
        ] {
            let both = CallingPresentation(number);
            assert_eq!((both.presentation(), both.screening()), (presentation, screening), "{number}");
        }
    }
}

//! What the answers of several commands have in common.

use alloc::string::String;

use bstr::BString;

use crate::codec::response::Response;
use crate::values::digit::Digit;
use crate::values::error::ReplyError;

/// How playing something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaybackEnd {
    /// It was played to its end, or its time ran out.
    Complete,
    /// The caller pressed an escape digit.
    Digit(Digit),
}

impl PlaybackEnd {
    /// The digit that ended it.
    pub fn digit(self) -> Option<Digit> {
        match self {
            Self::Complete => None,
            Self::Digit(digit) => Some(digit),
        }
    }
}

/// How playing a file ended, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Playback {
    /// How it ended.
    pub ended: PlaybackEnd,
    /// How far it came, in samples: 8,000 a second unless the file's format has another rate. `None` where Asterisk
    /// does not know, as with files of G.723 and of Ogg Speex.
    pub samples: Option<u64>,
}

impl Playback {
    /// The digit that ended it.
    pub fn digit(self) -> Option<Digit> {
        self.ended.digit()
    }
}

/// The digits that a caller entered, as text: `0042` and `*12` stay what they are.
///
/// ```
/// use agi_proto::{Command, Response, commands::GetData};
///
/// let response = Response::parse(b"200 result=0042").unwrap();
/// let entered = GetData::decode(&response)?;
/// assert_eq!(entered.digits, "0042");
/// let account: u32 = entered.digits.parse().expect("neither `*` nor too many");
/// assert_eq!(account, 42);
/// # Ok::<(), agi_proto::ReplyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    /// What was pressed, without the `#` that ended it.
    pub digits: String,
    /// Whether time ran out. Otherwise `#` was pressed or the most digits were reached.
    pub timed_out: bool,
}

/// The first statement of `decode` for a command that answers `0` for "done".
pub(crate) fn done(response: &Response<'_>) -> Result<(), ReplyError> {
    expect_code(response, 0)
}

/// A command that answers this very code, and -1 for failure.
pub(crate) fn expect_code(response: &Response<'_>, wanted: i64) -> Result<(), ReplyError> {
    match response.code() {
        Some(code) if code == wanted => Ok(()),
        Some(-1) => Err(response.failed()),
        _ => Err(response.unexpected()),
    }
}

/// A command that answers 1 for "done" and 0 for failure.
pub(crate) fn one(response: &Response<'_>) -> Result<(), ReplyError> {
    match response.code() {
        Some(1) => Ok(()),
        Some(0) => Err(response.failed()),
        _ => Err(response.unexpected()),
    }
}

/// A command that answers 1 for yes and 0 for no.
pub(crate) fn yes_or_no(response: &Response<'_>) -> Result<bool, ReplyError> {
    match response.code() {
        Some(1) => Ok(true),
        Some(0) => Ok(false),
        _ => Err(response.unexpected()),
    }
}

/// A command that answers 0, the code of a digit, or -1 for failure.
pub(crate) fn ended(response: &Response<'_>) -> Result<PlaybackEnd, ReplyError> {
    match response.code() {
        Some(0) => Ok(PlaybackEnd::Complete),
        Some(-1) => Err(response.failed()),
        Some(code) => Digit::from_code(code).map(PlaybackEnd::Digit).ok_or_else(|| response.unexpected()),
        None => Err(response.unexpected()),
    }
}

/// A command that answers as [`ended`] does, with `endpos=`.
pub(crate) fn playback(response: &Response<'_>) -> Result<Playback, ReplyError> {
    Ok(Playback { ended: ended(response)?, samples: samples(response)? })
}

/// Where the file ended: `endpos=`, which is -1 where its format does not tell.
pub(crate) fn samples(response: &Response<'_>) -> Result<Option<u64>, ReplyError> {
    match response.number("endpos") {
        Some(-1) => Ok(None),
        Some(at) => u64::try_from(at).map(Some).map_err(|_| response.unexpected()),
        None => Err(response.unexpected()),
    }
}

/// A command that answers `1 (value)`, or 0 where there is none.
pub(crate) fn value(response: &Response<'_>) -> Result<Option<BString>, ReplyError> {
    match (response.code(), response.value()) {
        (Some(1), Some(value)) => Ok(Some(value.into())),
        (Some(0), None) => Ok(None),
        (Some(-1), None) => Err(response.failed()),
        _ => Err(response.unexpected()),
    }
}

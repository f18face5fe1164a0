//! What happens at the PBX.

use std::fmt::{self, Write};

use agi_proto::BString;

/// What became of the session, as the dialplan learns it from AGISTATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The script ended it, and nothing failed.
    Success,
    /// A command failed on a live channel, or the script said `failure`.
    Failure,
    /// The channel was hung up in the session.
    Hangup,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Hangup => "HANGUP",
        })
    }
}

/// What happens at the PBX, for who watches. Shown, it is one line of printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The script sent this line.
    Command(BString),
    /// Asterisk wrote this, in one piece.
    Written(BString),
    /// The command that ran was stopped by the next one, and gets no reply.
    Stopped(&'static str),
    /// The caller hears this file.
    Plays(BString),
    /// The caller hears this said.
    Says(BString),
    /// What played or was said has come to its end.
    Quiet,
    /// The caller is recorded to this file.
    Records(BString),
    /// The caller pressed a digit, and a command took it or it is lost.
    Digit {
        /// Which.
        digit: char,
        /// Whether a command took notice.
        taken: bool,
    },
    /// The caller got this text.
    Text(BString),
    /// This was written to Asterisk's log.
    Logged(BString),
    /// The call is hung up, and Asterisk has noticed.
    HungUp,
    /// Asterisk has closed.
    Closed(Status),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(line) => write!(f, "S>A  {}", Shown(line)),
            Self::Written(bytes) => write!(f, "A>S  {}", Shown(bytes)),
            Self::Stopped(name) => write!(f, "***  {name} is stopped and gets no reply"),
            Self::Plays(file) => write!(f, "***  the caller hears {}", Shown(file)),
            Self::Says(text) => write!(f, "***  the caller hears \"{}\" said", Shown(text)),
            Self::Quiet => f.write_str("***  it is quiet"),
            Self::Records(file) => write!(f, "***  the caller is recorded to {}", Shown(file)),
            Self::Digit { digit, taken: true } => write!(f, "***  the caller presses {digit}"),
            Self::Digit { digit, taken: false } => {
                write!(f, "***  the caller presses {digit}, and nobody listens")
            }
            Self::Text(text) => write!(f, "***  the caller gets the text \"{}\"", Shown(text)),
            Self::Logged(text) => write!(f, "***  log: {}", Shown(text)),
            Self::HungUp => f.write_str("***  the call is hung up"),
            Self::Closed(status) => write!(f, "***  Asterisk closes, AGISTATUS {status}"),
        }
    }
}

/// Bytes on one line of printable ASCII, quotes as they are.
struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| match byte {
            b'"' | b'\'' => f.write_char(byte.into()),
            _ => write!(f, "{}", byte.escape_ascii()),
        })
    }
}

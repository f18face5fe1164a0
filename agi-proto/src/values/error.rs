//! Errors by blame: yours, theirs, and what Asterisk refused or could not do.

use core::error::Error as StdError;
use core::fmt;

use bstr::BString;

use super::excerpt::Excerpt;

/// A command was not sent, and the caller is to blame. Nothing was queued and the session is as it
/// was: one may go on with another command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// An argument holds a byte that cannot stand in a command line. LF would end the line and start
    /// a second command, CR becomes part of the last word, NUL glues the line to the next one.
    #[error("{command}: {argument} holds the byte {byte:#04x} at {at}, which no command line can carry")]
    ForbiddenByte {
        /// The command.
        command: &'static str,
        /// The argument at fault.
        argument: &'static str,
        /// The byte.
        byte: u8,
        /// Its position in the argument.
        at: usize,
    },
    /// An argument has a value that Asterisk would misread.
    #[error("{command}: {argument} {reason}")]
    InvalidArgument {
        /// The command.
        command: &'static str,
        /// The argument at fault.
        argument: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More than 127 words. Asterisk's own array holds no more, and older versions write past it.
    #[error("{command}: {words} words are more than the 127 that Asterisk takes")]
    TooManyWords {
        /// The command.
        command: &'static str,
        /// How many words the line would have.
        words: usize,
    },
    /// The line, its LF included, is longer than what this Asterisk reads at once. It would run the
    /// first part as a command and the rest as another.
    #[error("{command}: a line of {length} bytes is longer than the {limit} that this Asterisk takes")]
    LineTooLong {
        /// The command.
        command: &'static str,
        /// The length of the line, LF included.
        length: usize,
        /// See [`AsteriskVersion::command_limit`](crate::AsteriskVersion::command_limit).
        limit: usize,
    },
    /// `RECORD FILE` while music on hold is on: it corrupts Asterisk's memory, or is never answered. Send `SET MUSIC OFF`
    /// first, or let it begin with a beep.
    #[error("{command}: music on hold is on, which would corrupt Asterisk: send SET MUSIC OFF first")]
    MusicIsOn {
        /// The command.
        command: &'static str,
    },
    /// A reply is owed to another command: Asterisk takes one at a time. Wait for it, or
    /// [`abandon`](crate::Session::abandon) it.
    #[error("another command still waits for its reply")]
    Busy,
    /// The environment has not come yet.
    #[error("the environment has not come yet")]
    NotStarted,
    /// The conversation is over; this session takes no more commands.
    /// [`Session::close_error`](crate::Session::close_error) says why.
    #[error("the conversation is over")]
    Closed,
}

/// The peer broke the protocol. Final: the same error comes back from every later call, because
/// nothing that follows can be trusted to belong where it seems to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The environment block is not one that Asterisk sends.
    #[error("environment: {0}")]
    Environment(#[from] EnvironmentError),
    /// Bytes came that no command is owed: a forged or leftover line. They are never taken for the next
    /// command's reply.
    #[error("bytes that no command asked for: {}", Excerpt(.0))]
    Unsolicited(BString),
    /// A reply was owed and what came is none.
    #[error("this is no AGI response: {}", Excerpt(.0))]
    Malformed(BString),
    /// A response is longer than [`Limits::response_bytes`](crate::Limits::response_bytes).
    #[error("a response of more than {limit} bytes")]
    ResponseTooLong {
        /// The limit.
        limit: usize,
    },
    /// The stream ended inside a response.
    #[error("the stream ended inside a response: {}", Excerpt(.0))]
    Truncated(BString),
}

/// The environment block is not one that Asterisk sends. Somebody forged lines through a value that
/// holds a line feed, or the peer is no Asterisk. Final: the session ends before it began.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// A line without a `:`.
    #[error("a line without a colon: {}", Excerpt(.0))]
    NoColon(BString),
    /// What stands before the `:` is no identifier.
    #[error("what stands before the colon is no name: {}", Excerpt(.0))]
    BadName(BString),
    /// A name that came before. See [`Leniency::duplicates`](crate::Leniency::duplicates).
    #[error("a name that came before: {}", Excerpt(.0))]
    Duplicate(BString),
    /// A variable that is not where Asterisk puts it. See [`Leniency::any_order`](crate::Leniency::any_order).
    #[error("a variable that is not in its place: {}", Excerpt(.0))]
    OutOfOrder(BString),
    /// The blank line came before this variable, which Asterisk always sends. See
    /// [`Leniency::incomplete`](crate::Leniency::incomplete).
    #[error("the block ended before {0}")]
    Incomplete(&'static str),
    /// The stream ended inside the block.
    #[error("the stream ended inside the block")]
    Truncated,
    /// More bytes than [`Limits::environment_bytes`](crate::Limits::environment_bytes).
    #[error("more than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// More lines than [`Limits::environment_variables`](crate::Limits::environment_variables).
    #[error("more than {limit} variables")]
    TooManyVariables {
        /// The limit.
        limit: usize,
    },
}

/// Asterisk did not run the command. The conversation goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// 510: Asterisk knows no such command, or the module that has it is not loaded.
    #[error("510: unknown command")]
    UnknownCommand,
    /// 511: the command needs a live channel, and AGI runs on one that is hung up, or in an interception routine (for
    /// connected line and redirecting updates), in which a channel that lives takes no such command either.
    #[error("511: {}{}", Excerpt(.text), if *.hung_up { "" } else { ": the channel lives, so this is an interception routine" })]
    DeadChannel {
        /// Asterisk's words.
        text: BString,
        /// Whether the channel is hung up: announced by Asterisk, or answered when the session asked.
        hung_up: bool,
    },
    /// 520: wrong arguments. The text is the command's documentation, or empty where Asterisk has
    /// none at hand.
    #[error("520: wrong arguments: {}", Excerpt(.usage))]
    Usage {
        /// What Asterisk says of the command.
        usage: BString,
    },
    /// Any other status, such as GOSUB's `503 result=-2 Memory allocation failure`.
    #[error("{status}: {}", Excerpt(.text))]
    Other {
        /// The status.
        status: u16,
        /// What stood behind it.
        text: BString,
    },
}

/// A `200` that means failure, or that this command cannot mean. The conversation goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{command} {}: {}",
    if *.hung_up { "found the channel hung up" } else { .kind.text() },
    Excerpt(.response)
)]
pub struct ReplyError {
    /// The command.
    pub command: &'static str,
    /// Whether Asterisk reported a failure or said what was not understood.
    pub kind: ReplyErrorKind,
    /// The whole response as it came.
    pub response: BString,
    /// Whether the channel was known to be hung up when the response was taken. A failure then is
    /// the hangup's doing.
    pub hung_up: bool,
}

/// What is wrong with a `200` response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyErrorKind {
    /// Asterisk says that the command failed. What that means is told by the command's own page.
    Failed,
    /// Not an answer that this command can give.
    Unexpected,
}

impl ReplyErrorKind {
    fn text(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unexpected => "was answered by what is no answer to it",
        }
    }
}

/// Why a command gave no reply: the one error type of every adapter, with `Io` for the error of its transport.
///
/// It joins the errors by blame. [`is_hangup`](Self::is_hangup) says whether the call is simply over,
/// so that `?` ends a handler quietly. Where it holds, the [source](StdError::source) is [`CallOver`], so that this is
/// also seen through errors that hide what they were made of, such as `anyhow::Error`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<Io> {
    /// Yours: nothing was sent. One may go on.
    Encode(EncodeError),
    /// Theirs: the conversation cannot go on, and every later call gives the same error.
    Protocol(ProtocolError),
    /// Asterisk refused the command (510, 511, 520, 503). One may go on.
    Rejected(Rejection),
    /// The command failed, or was answered by what is no answer to it. One may go on.
    Reply(ReplyError),
    /// The caller hung up and Asterisk closed before it answered. Nothing more can be sent.
    Hangup,
    /// Asterisk closed the conversation, or this side did. Nothing more can be sent.
    Closed,
    /// The transport failed. Nothing more can be sent, unless what gave this says otherwise.
    Io(Io),
}

impl<Io> Error<Io> {
    /// Whether the call is simply over: hung up or closed, in whichever way that showed.
    pub fn is_hangup(&self) -> bool {
        match self {
            Self::Hangup | Self::Closed => true,
            Self::Rejected(Rejection::DeadChannel { hung_up, .. }) => *hung_up,
            Self::Reply(error) => error.hung_up && error.kind == ReplyErrorKind::Failed,
            _ => false,
        }
    }
}

impl<Io: fmt::Display> fmt::Display for Error<Io> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode(error) => error.fmt(f),
            Self::Protocol(error) => error.fmt(f),
            Self::Rejected(error) => error.fmt(f),
            Self::Reply(error) => error.fmt(f),
            Self::Hangup => f.write_str("the caller hung up"),
            Self::Closed => f.write_str("the conversation is over"),
            Self::Io(error) => write!(f, "transport: {error}"),
        }
    }
}

impl<Io: StdError + 'static> StdError for Error<Io> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            _ if self.is_hangup() => Some(&CallOver),
            Self::Encode(error) => error.source(),
            Self::Protocol(error) => error.source(),
            Self::Rejected(error) => error.source(),
            Self::Reply(error) => error.source(),
            Self::Hangup | Self::Closed => None,
            Self::Io(error) => Some(error),
        }
    }
}

impl<Io> From<EncodeError> for Error<Io> {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl<Io> From<ProtocolError> for Error<Io> {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl<Io> From<Rejection> for Error<Io> {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl<Io> From<ReplyError> for Error<Io> {
    fn from(error: ReplyError) -> Self {
        Self::Reply(error)
    }
}

/// The source of each [`Error`] for which [`is_hangup`](Error::is_hangup) holds.
///
/// An error that stands in for another, as `anyhow::Error` does and what `thiserror` calls transparent, cannot be
/// asked what it stands for, but it passes on the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call is over")]
pub struct CallOver;

/// What [`Pending::decode`](crate::Pending::decode) gives where it gives no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Asterisk refused the command.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The command failed.
    #[error(transparent)]
    Reply(#[from] ReplyError),
}

impl<Io> From<CallError> for Error<Io> {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rejected(rejection) => Self::Rejected(rejection),
            CallError::Reply(error) => Self::Reply(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_message_shows_what_came_in_one_line_of_plain_text() {
        let forged = BString::from("a\n2026 ERROR forged \x1b[2J\x07 \u{202e}\u{fc} \"quoted\"");
        let shown = r#""a\n2026 ERROR forged \x1b[2J\x07 \u{202e}ü \"quoted\"""#;
        let reply = |hung_up| {
            let (command, kind, response) = ("GET DATA", ReplyErrorKind::Unexpected, forged.clone());
            ReplyError { command, kind, response, hung_up }.to_string()
        };
        let text = || forged.clone();
        for (message, begins) in [
            (ProtocolError::Unsolicited(text()).to_string(), "bytes that no command asked for: "),
            (ProtocolError::Malformed(text()).to_string(), "this is no AGI response: "),
            (ProtocolError::Truncated(text()).to_string(), "the stream ended inside a response: "),
            (Rejection::Usage { usage: text() }.to_string(), "520: wrong arguments: "),
            (Rejection::Other { status: 503, text: text() }.to_string(), "503: "),
            (reply(false), "GET DATA was answered by what is no answer to it: "),
            (reply(true), "GET DATA found the channel hung up: "),
            (EnvironmentError::NoColon(text()).to_string(), "a line without a colon: "),
            (EnvironmentError::BadName(text()).to_string(), "what stands before the colon is no name: "),
            (EnvironmentError::Duplicate(text()).to_string(), "a name that came before: "),
            (EnvironmentError::OutOfOrder(text()).to_string(), "a variable that is not in its place: "),
        ] {
            assert_eq!(message.strip_prefix(begins), Some(shown), "{message}");
        }
    }

    #[test]
    fn a_message_is_short() {
        let long = |length| ProtocolError::Unsolicited(alloc::vec![b'x'; length].into()).to_string();
        assert!(long(256).ends_with("xx\""));
        assert!(long(257).ends_with("xx\", 257 bytes in all"));
        assert_eq!(long(65_536).matches("xxx").count(), 256 / 3);
    }
}

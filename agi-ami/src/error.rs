//! Errors: of the connection, which are final, and of one call's lines.

use alloc::string::String;

use crate::action::ActionError;

/// The connection is of no use. Final: every later call of
/// [`poll_event`](crate::Connection::poll_event) returns the same. Close it;
/// [`reconnect`](crate::Connection::reconnect) begins anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The first line was not the banner of Asterisk's manager interface.
    #[error("login: the peer is not a manager interface of Asterisk: {greeting}")]
    NotAManager {
        /// The line, shortened and escaped.
        greeting: String,
    },
    /// The login was refused: unknown user or wrong secret, which Asterisk does not tell apart.
    #[error("login: refused: {message}")]
    Refused {
        /// What Asterisk said.
        message: String,
    },
    /// The user may not send `Action: AGI`: `write = agi` is missing in `manager.conf`.
    #[error("AGI: denied: {message}; the manager user needs write = agi")]
    Denied {
        /// What Asterisk said.
        message: String,
    },
    /// A message was longer than [`message_bytes`](crate::Options::message_bytes).
    #[error("message: longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// Nothing came for too long, not even the answer to a `Ping`.
    #[error("connection: nothing came for too long")]
    Silent,
}

/// A command line was not queued. The call is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The line cannot be sent: it is empty, holds CR, LF or NUL, or has more than
    /// [`COMMAND_BYTES`](crate::COMMAND_BYTES) bytes.
    #[error(transparent)]
    Line(#[from] ActionError),
    /// So many lines wait already; see [`queued_lines`](crate::Options::queued_lines).
    #[error("AGI: {queued} lines of this call wait already")]
    Full {
        /// How many.
        queued: usize,
    },
    /// The call is over, or was never this connection's.
    #[error("AGI: the call is over")]
    Over,
}

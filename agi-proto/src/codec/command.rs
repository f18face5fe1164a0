//! What a command is: a public value that knows how it is written and what its answer means.

use core::fmt;

use crate::codec::encode::CommandEncoder;
use crate::codec::response::Response;
use crate::values::error::{CallError, ReplyError};
use crate::values::info::CommandInfo;

/// A command: it is written as one line and its answer is a [`Reply`](Self::Reply).
///
/// Every command of Asterisk is a type in [`commands`](crate::commands). Implement this for a command
/// that a module of your own adds to Asterisk, or use [`RawCommand`](crate::RawCommand).
///
/// ```
/// use agi_proto::{Command, CommandInfo, CommandEncoder, ReplyError, Response};
///
/// /// A command of a module of one's own: `PARK CALL slot`.
/// struct ParkCall(i64);
///
/// impl Command for ParkCall {
///     type Reply = ();
///     const INFO: CommandInfo = CommandInfo::new("PARK CALL");
///
///     fn encode(&self, line: &mut CommandEncoder<'_>) {
///         line.words("PARK CALL").number(self.0);
///     }
///
///     fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
///         match response.code() {
///             Some(0) => Ok(()),
///             Some(-1) => Err(response.failed()),
///             _ => Err(response.unexpected()),
///         }
///     }
/// }
/// ```
pub trait Command {
    /// What a `200` means.
    type Reply;

    /// What the conversation must know of the command.
    const INFO: CommandInfo;

    /// Writes the line, without its end.
    fn encode(&self, line: &mut CommandEncoder<'_>);

    /// Reads the reply from a response whose status is 200.
    ///
    /// # Errors
    ///
    /// [`Response::failed`] where the response means failure, [`Response::unexpected`] where the
    /// command cannot mean it.
    fn decode(response: &Response<'_>) -> Result<Self::Reply, ReplyError>;

    /// [`INFO`](Self::INFO), unless it depends on the value, as it does for [`RawCommand`](crate::RawCommand).
    fn info(&self) -> CommandInfo {
        Self::INFO
    }
}

/// A reference to a command is that command.
impl<C: Command + ?Sized> Command for &C {
    type Reply = C::Reply;
    const INFO: CommandInfo = C::INFO;

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        (**self).encode(line);
    }

    fn decode(response: &Response<'_>) -> Result<C::Reply, ReplyError> {
        C::decode(response)
    }

    fn info(&self) -> CommandInfo {
        (**self).info()
    }
}

/// A command that was sent: it remembers how to read the answer, and borrows nothing.
#[must_use = "the answer that comes is read by this"]
pub struct Pending<R> {
    info: CommandInfo,
    decode: fn(&Response<'_>) -> Result<R, ReplyError>,
}

impl<R> Pending<R> {
    pub(crate) fn new(info: CommandInfo, decode: fn(&Response<'_>) -> Result<R, ReplyError>) -> Self {
        Self { info, decode }
    }

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// [`Rejection`](crate::Rejection) for a status other than 200, [`ReplyError`] for a 200 that means failure. The
    /// conversation goes on after either.
    pub fn decode(self, response: Response<'_>) -> Result<R, CallError> {
        if response.status() != 200 {
            return Err(response.rejection().into());
        }
        (self.decode)(&response).map_err(|error| {
            let hidden = self.info.secrecy.hides_reply() && !response.is_failure();
            let shown = if hidden { "[hidden]".into() } else { error.response };
            ReplyError { command: self.info.name, response: shown, ..error }.into()
        })
    }
}

impl<R> fmt::Debug for Pending<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("command", &self.info.name).finish_non_exhaustive()
    }
}

//! What a command is: a public value that knows how it is written and what its answer means.

use alloc::vec::Vec;
use core::fmt;

use bstr::{BStr, BString};

use crate::arguments;
use crate::encode::CommandLine;
use crate::error::{CallError, Rejection, ReplyError};
use crate::methods;
use crate::response::Response;

/// A command: it is written as one line and its answer is a [`Reply`](Self::Reply).
///
/// Every command of Asterisk is a type in [`commands`](crate::commands). Implement this for a command
/// that a module of your own adds to Asterisk, or use [`Raw`].
///
/// ```
/// use agi_proto::{Command, CommandInfo, CommandLine, ReplyError, Response};
///
/// /// A command of a module of one's own: `PARK CALL slot`.
/// struct ParkCall(i64);
///
/// impl Command for ParkCall {
///     type Reply = ();
///     const INFO: CommandInfo = CommandInfo::new("PARK CALL");
///
///     fn encode(&self, line: &mut CommandLine<'_>) {
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
    fn encode(&self, line: &mut CommandLine<'_>);

    /// Reads the reply from a response whose status is 200.
    ///
    /// # Errors
    ///
    /// [`Response::failed`] where the response means failure, [`Response::unexpected`] where the
    /// command cannot mean it.
    fn decode(response: &Response<'_>) -> Result<Self::Reply, ReplyError>;

    /// [`INFO`](Self::INFO), unless it depends on the value, as it does for [`Raw`].
    fn info(&self) -> CommandInfo {
        Self::INFO
    }
}

/// What the conversation must know of a command to keep replies paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandInfo {
    /// The command's words, such as `STREAM FILE`.
    pub name: &'static str,
    /// Whether Asterisk still runs it on a channel that is hung up; all others are answered 511.
    pub on_dead_channel: bool,
    /// What happens to it when another command comes while it runs.
    pub on_input: OnInput,
    /// What its `200` response may look like.
    pub shape: ReplyShape,
    /// Whether a result of -1 may mean that the channel was hung up. The session then asks Asterisk
    /// (by `CHANNEL STATUS`, which a dead channel answers 511) before it hands the response out.
    pub failure_may_be_hangup: bool,
}

/// What happens to a running command when another one comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInput {
    /// It runs to its end and is answered.
    RunsOn,
    /// It stops at once; as a rule it is not answered then.
    Stops,
    /// It stops at once in EAGI, without an answer, and runs on otherwise.
    StopsInEagi,
}

/// What a `200` response may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyShape {
    /// One line.
    Line,
    /// `200 result=1 (value)`, where the raw value may hold line ends. It ends with a line that ends in `)`;
    /// where such a line may be one within the value, the session finds out which it is.
    Value,
    /// `200 result=1 (speech) ...`, where recognised text stands raw and may hold line ends: SPEECH RECOGNIZE. Nothing
    /// tells its last line, so the session finds out where it ends. Any other response is one line.
    Text,
    /// One line, and after a result of exactly 1 a whole 520 block: EXEC, whose application's return
    /// value Asterisk also takes for its own verdict on the command.
    Exec,
}

impl CommandInfo {
    /// A command that needs a live channel, runs on when another comes, and is answered in one line.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            on_dead_channel: false,
            on_input: OnInput::RunsOn,
            shape: ReplyShape::Line,
            failure_may_be_hangup: false,
        }
    }

    /// A command that Asterisk still runs on a channel that is hung up.
    pub const fn on_dead_channel(mut self) -> Self {
        self.on_dead_channel = true;
        self
    }

    /// A command whose -1 may mean that the channel was hung up.
    pub const fn failure_may_be_hangup(mut self) -> Self {
        self.failure_may_be_hangup = true;
        self
    }

    /// What happens to it when another command comes.
    pub const fn on_input(mut self, on_input: OnInput) -> Self {
        self.on_input = on_input;
        self
    }

    /// What its response looks like.
    pub const fn shape(mut self, shape: ReplyShape) -> Self {
        self.shape = shape;
        self
    }
}

/// A reference to a command is that command.
impl<C: Command + ?Sized> Command for &C {
    type Reply = C::Reply;
    const INFO: CommandInfo = C::INFO;

    fn encode(&self, line: &mut CommandLine<'_>) {
        (**self).encode(line);
    }

    fn decode(response: &Response<'_>) -> Result<C::Reply, ReplyError> {
        C::decode(response)
    }

    fn info(&self) -> CommandInfo {
        (**self).info()
    }
}

/// Any command line, written by the caller: not quoted, not escaped, and not typed. LF, CR and NUL are
/// refused, and so is a line that begins with `failure`, at which Asterisk ends the session.
///
/// ```
/// let status = agi_proto::Raw::new("DATABASE GET \"family\" \"key\"");
/// # let _ = status;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    line: &'a BStr,
}

impl<'a> Raw<'a> {
    /// A line without its end.
    pub fn new<T: AsRef<[u8]> + ?Sized>(line: &'a T) -> Self {
        Self { line: BStr::new(line) }
    }
}

/// A `200` response as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawReply {
    raw: BString,
    hung_up: bool,
}

impl RawReply {
    /// The response, to be taken apart.
    pub fn response(&self) -> Response<'_> {
        let response = Response::parse(&self.raw).expect("it was a response when it was stored");
        response.on_channel(self.hung_up)
    }

    fn of(response: &Response<'_>) -> Self {
        Self { raw: response.raw().into(), hung_up: response.is_hung_up() }
    }
}

impl Command for Raw<'_> {
    type Reply = RawReply;
    const INFO: CommandInfo = CommandInfo::new("a raw command").on_input(OnInput::Stops);

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.raw(self.line);
    }

    fn decode(response: &Response<'_>) -> Result<RawReply, ReplyError> {
        Ok(RawReply::of(response))
    }

    /// What is known of the command that the line names. A command that is not known may stop and
    /// be silent when another comes.
    fn info(&self) -> CommandInfo {
        let words: Vec<BString> = arguments::split(self.line);
        let named = |info: &&CommandInfo| {
            let mut name = info.name.split(' ');
            words.len() >= name.clone().count()
                && words.iter().zip(&mut name).all(|(word, name)| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        let known = methods::ALL.iter().find(named);
        CommandInfo { failure_may_be_hangup: false, ..known.copied().unwrap_or(Self::INFO) }
    }
}

/// A command whose reply comes with the response as Asterisk sent it.
///
/// ```
/// use agi_proto::{commands::Noop, WithResponse};
///
/// // its reply is `((), RawReply)`
/// let noop = WithResponse(Noop::new());
/// # let _ = noop;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WithResponse<C>(
    /// The command.
    pub C,
);

impl<C: Command> Command for WithResponse<C> {
    type Reply = (C::Reply, RawReply);
    const INFO: CommandInfo = C::INFO;

    fn encode(&self, line: &mut CommandLine<'_>) {
        self.0.encode(line);
    }

    fn decode(response: &Response<'_>) -> Result<Self::Reply, ReplyError> {
        Ok((C::decode(response)?, RawReply::of(response)))
    }

    fn info(&self) -> CommandInfo {
        self.0.info()
    }
}

/// A command that was sent: it remembers how to read the answer, and borrows nothing.
#[must_use = "the answer that comes is read by this"]
pub struct Pending<R> {
    command: &'static str,
    decode: fn(&Response<'_>) -> Result<R, ReplyError>,
}

impl<R> Pending<R> {
    pub(crate) fn new(command: &'static str, decode: fn(&Response<'_>) -> Result<R, ReplyError>) -> Self {
        Self { command, decode }
    }

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// [`Rejection`] for a status other than 200, [`ReplyError`] for a 200 that means failure. The
    /// conversation goes on after either.
    pub fn decode(self, response: Response<'_>) -> Result<R, CallError> {
        if response.status() != 200 {
            return Err(Rejection::of(&response).into());
        }
        (self.decode)(&response).map_err(|error| ReplyError { command: self.command, ..error }.into())
    }
}

impl<R> fmt::Debug for Pending<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("command", &self.command).finish_non_exhaustive()
    }
}

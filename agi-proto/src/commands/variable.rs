//! Commands about channel variables. They run on a dead channel too.

use bstr::{BStr, BString};

use crate::command::{Command, CommandInfo, ReplyShape};
use crate::encode::CommandLine;
use crate::error::ReplyError;
use crate::reply;
use crate::response::Response;

/// `GET VARIABLE`: the value of a channel variable, a global one, or a function such as `CALLERID(num)`.
///
/// Gives `None` where it is not set (or the function failed), and an empty text where it is empty.
/// Asterisk cuts the value at 1,023 bytes; [`GetFullVariable`] does not. A value that has `)` at the end of
/// one of its lines cannot be told from its own end: the rest then is
/// [`ProtocolError::Unsolicited`](crate::ProtocolError::Unsolicited).
#[derive(Clone, Copy, Debug)]
pub struct GetVariable<'a> {
    name: &'a BStr,
}

impl<'a> GetVariable<'a> {
    /// A variable by its name, or a function with its arguments in parentheses.
    pub fn new<T: AsRef<[u8]> + ?Sized>(name: &'a T) -> Self {
        Self { name: BStr::new(name) }
    }
}

impl Command for GetVariable<'_> {
    type Reply = Option<BString>;
    const INFO: CommandInfo = CommandInfo::new("GET VARIABLE").on_dead_channel().shape(ReplyShape::Value);

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.words("GET VARIABLE").argument("name", self.name);
    }

    fn decode(response: &Response<'_>) -> Result<Option<BString>, ReplyError> {
        reply::value(response)
    }
}

/// `GET FULL VARIABLE`: what an expression such as `${CALLERID(num)} or $[1 + 2]` comes to.
///
/// Gives an empty text for variables that are not set, and `None` where the other channel does not exist.
/// The value has no length limit but [`Limits::response_bytes`](crate::Limits::response_bytes).
#[derive(Clone, Copy, Debug)]
pub struct GetFullVariable<'a> {
    expression: &'a BStr,
    channel: Option<&'a BStr>,
}

impl<'a> GetFullVariable<'a> {
    /// An expression, evaluated as the dialplan would.
    pub fn new<T: AsRef<[u8]> + ?Sized>(expression: &'a T) -> Self {
        Self { expression: BStr::new(expression), channel: None }
    }

    /// Evaluated on the channel with this name instead.
    pub fn channel<T: AsRef<[u8]> + ?Sized>(mut self, name: &'a T) -> Self {
        self.channel = Some(BStr::new(name));
        self
    }
}

impl Command for GetFullVariable<'_> {
    type Reply = Option<BString>;
    const INFO: CommandInfo =
        CommandInfo::new("GET FULL VARIABLE").on_dead_channel().shape(ReplyShape::Value);

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.words("GET FULL VARIABLE").argument("expression", self.expression);
        if let Some(channel) = self.channel {
            line.argument("channel", channel);
        }
    }

    fn decode(response: &Response<'_>) -> Result<Option<BString>, ReplyError> {
        reply::value(response)
    }
}

/// `SET VARIABLE`: sets a channel variable, or writes to a function such as `CALLERID(name)`.
///
/// A name that begins with `_` is inherited by channels that this one makes, with `__` by theirs too.
/// Asterisk always answers 1, also where a function failed; only its log tells.
#[derive(Clone, Copy, Debug)]
pub struct SetVariable<'a> {
    name: &'a BStr,
    value: &'a BStr,
}

impl<'a> SetVariable<'a> {
    /// Sets the variable `name` to `value`; an empty name is refused.
    pub fn new<N, V>(name: &'a N, value: &'a V) -> Self
    where
        N: AsRef<[u8]> + ?Sized,
        V: AsRef<[u8]> + ?Sized,
    {
        Self { name: BStr::new(name), value: BStr::new(value) }
    }
}

impl Command for SetVariable<'_> {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("SET VARIABLE").on_dead_channel();

    fn encode(&self, line: &mut CommandLine<'_>) {
        if self.name.is_empty() {
            line.refuse_argument("name", "is empty");
        }
        line.words("SET VARIABLE").argument("name", self.name).argument("value", self.value);
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::expect_code(response, 1)
    }
}

//! Commands about channel variables. They run on a dead channel too.

use bstr::{BStr, BString};

use super::define::text_commands;
use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply;
use crate::codec::response::Response;
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, ReplyFormat, Secrecy};

text_commands! {
    /// `GET VARIABLE`: the value of a channel variable, a global one, or a function such as `CALLERID(num)`.
    ///
    /// Gives `None` where it is not set (or the function failed), and an empty text where it is empty.
    /// Asterisk cuts the value at 1,023 bytes; [`GetFullVariable`] does not. A value of several lines, or of more
    /// than some 500 bytes, costs a second round trip, by which the session finds out where it ends.
    ///
    /// There is no failure: a function that fails gives `None`.
    GetVariable(name) -> Option<BString>: reply::value,
        CommandInfo::new("GET VARIABLE").on_dead_channel().format(ReplyFormat::Value);
}

/// `GET FULL VARIABLE`: what an expression such as `${CALLERID(num)} or $[1 + 2]` comes to.
///
/// Gives an empty text for variables that are not set, and `None` where the other channel does not exist.
/// The value has no length limit but [`Limits::response_bytes`](crate::Limits::response_bytes); a long one costs
/// a second round trip, as [`GetVariable`]'s does. There is no failure.
///
/// ```
/// use agi_proto::commands::{Expression, GetFullVariable};
///
/// let written_out = GetFullVariable::new("${CALLERID(num)} in ${CONTEXT}");
/// let by_name = GetFullVariable::new(Expression::variable("CALLERID(num)"));
/// # let _ = (written_out, by_name);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GetFullVariable<'a> {
    expression: Expression<'a>,
    channel: Option<&'a BStr>,
}

/// What the dialplan evaluates. A text becomes one as it is.
#[derive(Clone, Copy, Debug)]
pub struct Expression<'a> {
    text: &'a BStr,
    is_name: bool,
}

impl<'a> Expression<'a> {
    /// The value of one variable or function: `NAME` is written `${NAME}`.
    pub fn variable<T: AsRef<[u8]> + ?Sized>(name: &'a T) -> Self {
        Self { text: BStr::new(name), is_name: true }
    }

    /// A whole expression, as it is: text around `${NAME}`, `${NAME:1:3}` and `$[1 + 2]`.
    pub fn raw<T: AsRef<[u8]> + ?Sized>(expression: &'a T) -> Self {
        Self { text: BStr::new(expression), is_name: false }
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> From<&'a T> for Expression<'a> {
    fn from(expression: &'a T) -> Self {
        Self::raw(expression)
    }
}

impl<'a> GetFullVariable<'a> {
    /// An expression, evaluated as the dialplan would.
    pub fn new(expression: impl Into<Expression<'a>>) -> Self {
        Self { expression: expression.into(), channel: None }
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
        CommandInfo::new("GET FULL VARIABLE").on_dead_channel().format(ReplyFormat::Value);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        let Expression { text, is_name } = self.expression;
        line.words("GET FULL VARIABLE").argument_of("expression", |argument| {
            let (before, after) = if is_name { ("${", "}") } else { ("", "") };
            argument.push(before);
            argument.push(text);
            argument.push(after);
        });
        line.optional_argument("channel", self.channel);
    }

    fn decode(response: &Response<'_>) -> Result<Option<BString>, ReplyError> {
        reply::value(response)
    }
}

/// `SET VARIABLE`: sets a channel variable, or writes to a function such as `CALLERID(name)`.
///
/// A name that begins with `_` is inherited by channels that this one makes, with `__` by theirs too.
/// An empty value sets the variable empty; nothing unsets it.
///
/// Asterisk always answers 1, also where a function failed; only its log tells. It never fails.
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
    const INFO: CommandInfo =
        CommandInfo::new("SET VARIABLE").on_dead_channel().secrecy(Secrecy::Arguments(3));

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        if self.name.is_empty() {
            line.refuse_argument("name", "is empty");
        }
        line.words("SET VARIABLE").argument("name", self.name).argument("value", self.value);
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::expect_code(response, 1)
    }
}

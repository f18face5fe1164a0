//! Commands about the AGI session itself. They run on a dead channel too.

use bstr::BStr;

use super::define::text_commands;
use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply;
use crate::codec::response::Response;
use crate::values::error::ReplyError;
use crate::values::info::CommandInfo;

text_commands! {
    /// `ASYNCAGI BREAK`: ends Async AGI and lets the dialplan go on. It runs on a dead channel too.
    ///
    /// Elsewhere (FastAGI, a process) it is answered and does nothing. It never fails.
    AsyncAgiBreak() -> (): reply::done, CommandInfo::new("ASYNCAGI BREAK").on_dead_channel();

    /// `NOOP`: does nothing, on a dead channel too. The cheapest round trip. It never fails.
    Noop() -> (): reply::done, CommandInfo::new("NOOP").on_dead_channel();
}

/// `VERBOSE`: writes a line to Asterisk's console and log. It runs on a dead channel too.
///
/// Asterisk puts the arguments that its dialplan gave to `AGI()` before the text. It never fails.
#[derive(Clone, Copy, Debug)]
pub struct Verbose<'a> {
    message: &'a BStr,
    level: Option<Verbosity>,
}

/// From which verbosity of the console on a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Always shown.
    Always = 0,
    /// From verbosity 1 on.
    One,
    /// From verbosity 2 on.
    Two,
    /// From verbosity 3 on.
    Three,
    /// From verbosity 4 on.
    Four,
}

impl<'a> Verbose<'a> {
    /// A message that is always shown.
    pub fn new<T: AsRef<[u8]> + ?Sized>(message: &'a T) -> Self {
        Self { message: BStr::new(message), level: None }
    }

    /// Shown from this verbosity of the console on.
    pub fn level(mut self, level: Verbosity) -> Self {
        self.level = Some(level);
        self
    }
}

impl Command for Verbose<'_> {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("VERBOSE").on_dead_channel();

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("VERBOSE")
            .argument("message", self.message)
            .optional_number(self.level.map(|level| level as i64));
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::expect_code(response, 1)
    }
}

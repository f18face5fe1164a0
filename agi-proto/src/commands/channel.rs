//! Commands about the call itself.

use bstr::BStr;

use crate::command::{Command, CommandInfo, ReplyShape};
use crate::encode::CommandLine;
use crate::error::ReplyError;
use crate::reply;
use crate::response::Response;

/// `ANSWER`: answers the channel if it is not up yet.
///
/// Asterisk replies once media flows, or after half a second.
///
/// Failure (-1): the channel could not be answered, or was hung up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer;

impl Answer {
    /// `ANSWER`.
    pub const fn new() -> Self {
        Self
    }
}

impl Command for Answer {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("ANSWER").failure_may_be_hangup();

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.words("ANSWER");
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::done(response)
    }
}

/// `CHANNEL STATUS`: the state of this channel, or of another by its name.
///
/// Gives `None` for a channel that does not exist.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelStatus<'a> {
    channel: Option<&'a BStr>,
}

/// The state of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelState {
    /// 0: down and available.
    Down,
    /// 1: down, but reserved.
    Reserved,
    /// 2: off hook.
    OffHook,
    /// 3: digits have been dialled.
    Dialing,
    /// 4: the far end rings; the usual state of an incoming call before it is answered.
    Ring,
    /// 5: this line rings.
    Ringing,
    /// 6: up.
    Up,
    /// 7: busy.
    Busy,
    /// 8: digits have been dialled while off hook.
    DialingOffHook,
    /// 9: an incoming call was detected and waits to ring.
    PreRing,
}

impl<'a> ChannelStatus<'a> {
    /// The state of this channel.
    pub const fn new() -> Self {
        Self { channel: None }
    }

    /// The state of the channel with this name instead.
    pub fn channel<T: AsRef<[u8]> + ?Sized>(mut self, name: &'a T) -> Self {
        self.channel = Some(BStr::new(name));
        self
    }
}

impl Command for ChannelStatus<'_> {
    type Reply = Option<ChannelState>;
    const INFO: CommandInfo = CommandInfo::new("CHANNEL STATUS");

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.words("CHANNEL STATUS");
        if let Some(channel) = self.channel {
            line.argument("channel", channel);
        }
    }

    fn decode(response: &Response<'_>) -> Result<Option<ChannelState>, ReplyError> {
        Ok(Some(match response.code() {
            Some(-1) => return Ok(None),
            Some(0) => ChannelState::Down,
            Some(1) => ChannelState::Reserved,
            Some(2) => ChannelState::OffHook,
            Some(3) => ChannelState::Dialing,
            Some(4) => ChannelState::Ring,
            Some(5) => ChannelState::Ringing,
            Some(6) => ChannelState::Up,
            Some(7) => ChannelState::Busy,
            Some(8) => ChannelState::DialingOffHook,
            Some(9) => ChannelState::PreRing,
            _ => return Err(response.unexpected()),
        }))
    }
}

/// `EXEC`: runs a dialplan application. It runs on a dead channel too.
///
/// The application's arguments are one text, commas between them; Asterisk does not substitute `${}` in
/// it unless the channel variable `AGIEXECFULL` is `yes` (16.27, 18.13, 19.5, 20 and later). A comma
/// that belongs to an argument is written `\,`.
///
/// There is no failure: what the application gave back is the [`Execution`], and -1 is one of its values.
/// An application may fail and give 0; most set a variable such as `PLAYBACKSTATUS` or `DIALSTATUS`.
#[derive(Clone, Copy, Debug)]
pub struct Exec<'a> {
    application: &'a BStr,
    arguments: Option<&'a BStr>,
}

/// What came of [`Exec`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Asterisk has no such application (-2).
    NoSuchApplication,
    /// The application ended and returned this. 0 is the rule; -1 asks the dialplan to hang up, though the
    /// channel may well be up (`Dial` whose callee hung up); some return the code of a digit.
    Returned(i64),
}

impl<'a> Exec<'a> {
    /// An application by its name, such as `Playback`, without arguments.
    pub fn new<T: AsRef<[u8]> + ?Sized>(application: &'a T) -> Self {
        Self { application: BStr::new(application), arguments: None }
    }

    /// The application's arguments, commas between them.
    pub fn arguments<T: AsRef<[u8]> + ?Sized>(mut self, arguments: &'a T) -> Self {
        self.arguments = Some(BStr::new(arguments));
        self
    }
}

impl Command for Exec<'_> {
    type Reply = Execution;
    const INFO: CommandInfo = CommandInfo::new("EXEC").on_dead_channel().shape(ReplyShape::Exec);

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.words("EXEC").argument("application", self.application);
        if let Some(arguments) = self.arguments {
            line.argument("arguments", arguments);
        }
    }

    fn decode(response: &Response<'_>) -> Result<Execution, ReplyError> {
        match response.code() {
            Some(-2) => Ok(Execution::NoSuchApplication),
            Some(code) => Ok(Execution::Returned(code)),
            None => Err(response.unexpected()),
        }
    }
}

/// `HANGUP`: hangs up this channel, or another by its name.
///
/// Gives whether there was such a channel. After hanging up its own channel the session goes on, as after
/// any hangup, until the script ends it.
#[derive(Clone, Copy, Debug, Default)]
pub struct HangUp<'a> {
    channel: Option<&'a BStr>,
}

impl<'a> HangUp<'a> {
    /// Hangs up this channel.
    pub const fn new() -> Self {
        Self { channel: None }
    }

    /// Hangs up the channel with this name instead.
    pub fn channel<T: AsRef<[u8]> + ?Sized>(mut self, name: &'a T) -> Self {
        self.channel = Some(BStr::new(name));
        self
    }
}

impl Command for HangUp<'_> {
    type Reply = bool;
    const INFO: CommandInfo = CommandInfo::new("HANGUP");

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.words("HANGUP");
        if let Some(channel) = self.channel {
            line.argument("channel", channel);
        }
    }

    fn decode(response: &Response<'_>) -> Result<bool, ReplyError> {
        match response.code() {
            Some(1) => Ok(true),
            Some(-1) => Ok(false),
            _ => Err(response.unexpected()),
        }
    }
}

/// `NOOP`: does nothing, on a dead channel too. The cheapest round trip.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noop;

impl Noop {
    /// `NOOP`.
    pub const fn new() -> Self {
        Self
    }
}

impl Command for Noop {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("NOOP").on_dead_channel();

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.words("NOOP");
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::done(response)
    }
}

/// `VERBOSE`: writes a line to Asterisk's console and log, on a dead channel too.
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

    fn encode(&self, line: &mut CommandLine<'_>) {
        line.words("VERBOSE").argument("message", self.message);
        if let Some(level) = self.level {
            line.number(level as i64);
        }
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::expect_code(response, 1)
    }
}

//! Commands about the channel of the call.

use core::time::Duration;

use bstr::BStr;

use super::define::text_commands;
use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply;
use crate::codec::response::Response;
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, MusicEffect};

text_commands! {
    /// `ANSWER`: answers the channel if it is not up yet.
    ///
    /// Asterisk replies once media flows, or after half a second; at once where the channel was up.
    ///
    /// Failure (-1): the channel could not be answered, or was hung up (which the session finds out).
    Answer() -> (): reply::done, CommandInfo::new("ANSWER").failure_may_be_hangup();
}

/// `CHANNEL STATUS`: the state of this channel, or of another by its name.
///
/// Gives `None` for a channel that does not exist (-1), which is no failure. Its own channel always exists;
/// once it is hung up the command is answered by 511, [`Rejection::DeadChannel`](crate::Rejection::DeadChannel).
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

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("CHANNEL STATUS").optional_argument("channel", self.channel);
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

/// `HANGUP`: hangs up this channel, or another by its name.
///
/// Gives whether there was such a channel (-1 is "no", and no failure). After hanging up its own channel the
/// session goes on, as after any hangup, until the script ends it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hangup<'a> {
    channel: Option<&'a BStr>,
}

impl<'a> Hangup<'a> {
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

impl Command for Hangup<'_> {
    type Reply = bool;
    const INFO: CommandInfo = CommandInfo::new("HANGUP");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("HANGUP").optional_argument("channel", self.channel);
    }

    fn decode(response: &Response<'_>) -> Result<bool, ReplyError> {
        match response.code() {
            Some(1) => Ok(true),
            Some(-1) => Ok(false),
            _ => Err(response.unexpected()),
        }
    }
}

/// `SET AUTOHANGUP`: hangs this channel up after a time, or takes that back.
///
/// The time counts from now, in seconds with milliseconds. When it is over the call looks hung up; the
/// dialplan may go on at extension `T`. An Asterisk of 2025 and later that runs in a locale whose decimal
/// sign is a comma may ignore the milliseconds. It never fails.
#[derive(Clone, Copy, Debug)]
pub struct SetAutohangup {
    after: Option<Duration>,
}

impl SetAutohangup {
    /// Hangs up after this time, rounded up to milliseconds; `None` takes an earlier order back. Asterisk
    /// would take a time of zero for that too, so zero is refused.
    pub fn new(after: impl Into<Option<Duration>>) -> Self {
        Self { after: after.into() }
    }
}

impl Command for SetAutohangup {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("SET AUTOHANGUP");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("SET AUTOHANGUP");
        let Some(after) = self.after else {
            line.number(0);
            return;
        };
        let milliseconds = after.as_nanos().div_ceil(1_000_000);
        match i64::try_from(milliseconds) {
            Ok(0) => line.refuse_argument("time", "is zero, which Asterisk takes for no time at all"),
            // beyond that Asterisk's own sum of milliseconds overflows
            Ok(milliseconds @ ..=0xffff_ffff_ffff) => line.decimal(milliseconds),
            _ => line.refuse_argument("time", "is longer than Asterisk can count"),
        };
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::done(response)
    }
}

/// `SET CALLERID`: sets name and number of the caller.
///
/// It is written `"name" <number>`, quoted as Asterisk wants it. Asterisk cuts the whole at 255 bytes, so
/// what is longer is refused, and so is a number that holds `<`, `>` or `"`. Asterisk leaves blanks, dots, dashes
/// and parentheses out of a number, also where it is a name: `anna-lee` becomes `annalee`. It never fails.
#[derive(Clone, Copy, Debug)]
pub struct SetCallerId<'a> {
    name: Option<&'a BStr>,
    number: &'a BStr,
}

impl<'a> SetCallerId<'a> {
    /// The number alone; the name becomes empty.
    pub fn new<T: AsRef<[u8]> + ?Sized>(number: &'a T) -> Self {
        Self { name: None, number: BStr::new(number) }
    }

    /// With this name too.
    pub fn name<T: AsRef<[u8]> + ?Sized>(mut self, name: &'a T) -> Self {
        self.name = Some(BStr::new(name));
        self
    }
}

impl Command for SetCallerId<'_> {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("SET CALLERID");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        if self.number.iter().any(|byte| matches!(byte, b'<' | b'>' | b'"')) {
            line.refuse_argument("number", "holds `<`, `>` or `\"`");
        }
        let mut length = 0;
        line.words("SET CALLERID").argument_of("caller id", |caller| {
            if let Some(name) = self.name {
                caller.push("\"");
                for piece in name.chunk_by(|_, next| !matches!(next, b'"' | b'\\')) {
                    if matches!(piece[0], b'"' | b'\\') {
                        caller.push("\\");
                    }
                    caller.push(piece);
                }
                caller.push("\" ");
            }
            caller.push("<");
            caller.push(self.number);
            caller.push(">");
            length = caller.length();
        });
        if length > 255 {
            line.refuse_argument("caller id", "is longer than 255 bytes");
        }
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::expect_code(response, 1)
    }
}

/// `SET MUSIC`: starts or stops music on hold.
///
/// Playing a file stops the music, and does not start it again. It never fails, not even where there is
/// no such class.
#[derive(Clone, Copy, Debug)]
pub struct SetMusic<'a> {
    music: Music,
    class: Option<&'a BStr>,
}

/// What [`SetMusic`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Music {
    /// Starts the music.
    On,
    /// Stops it.
    Off,
}

impl<'a> SetMusic<'a> {
    /// Starts or stops the music.
    pub const fn new(music: Music) -> Self {
        Self { music, class: None }
    }

    /// Music of this class of `musiconhold.conf` instead of the channel's own.
    pub fn class<T: AsRef<[u8]> + ?Sized>(mut self, class: &'a T) -> Self {
        self.class = Some(BStr::new(class));
        self
    }
}

impl Command for SetMusic<'_> {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("SET MUSIC");

    fn info(&self) -> CommandInfo {
        Self::INFO.music(match self.music {
            Music::On => MusicEffect::Starts,
            Music::Off => MusicEffect::Stops,
        })
    }

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words(match self.music {
            Music::On => "SET MUSIC on",
            Music::Off => "SET MUSIC off",
        });
        line.optional_argument("class", self.class);
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::done(response)
    }
}

/// `TDD MODE`: turns a text telephone (TDD, telecommunications device for the deaf) on or off.
///
/// Gives whether the channel can do it: analogue lines as a rule, others hardly ever. There is no failure.
#[derive(Clone, Copy, Debug)]
pub struct TddMode {
    mode: Tdd,
}

/// What [`TddMode`] is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tdd {
    /// Off.
    Off,
    /// On.
    On,
    /// On, for the far end: what is heard is text for us.
    Mate,
    /// On; to Asterisk the same as [`On`](Self::On) with most channels.
    Tdd,
}

impl TddMode {
    /// Sets this mode.
    pub const fn new(mode: Tdd) -> Self {
        Self { mode }
    }
}

impl Command for TddMode {
    type Reply = bool;
    const INFO: CommandInfo = CommandInfo::new("TDD MODE");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words(match self.mode {
            Tdd::Off => "TDD MODE off",
            Tdd::On => "TDD MODE on",
            Tdd::Mate => "TDD MODE mate",
            Tdd::Tdd => "TDD MODE tdd",
        });
    }

    fn decode(response: &Response<'_>) -> Result<bool, ReplyError> {
        reply::yes_or_no(response)
    }
}

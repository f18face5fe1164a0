//! Commands as the caller writes them, and replies as Asterisk sends them.

use alloc::vec::Vec;

use bstr::{BStr, BString};

use super::exec::info_of;
use super::{ALL, Exec, SetMusic};
use crate::codec::arguments;
use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::response::Response;
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, MusicEffect, WhenInterrupted};

/// Any command line, written by the caller: not quoted, not escaped, and not typed. LF, CR and NUL are
/// refused, and so is a line that begins with `failure`, at which Asterisk ends the session.
///
/// ```
/// let status = agi_proto::RawCommand::new("DATABASE GET \"family\" \"key\"");
/// # let _ = status;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RawCommand<'a> {
    line: &'a BStr,
}

impl<'a> RawCommand<'a> {
    /// A line without its end.
    pub fn new<T: AsRef<[u8]> + ?Sized>(line: &'a T) -> Self {
        Self { line: BStr::new(line) }
    }
}

/// A `200` response as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawReply {
    raw: BString,
    status: u16,
    hung_up: bool,
}

impl RawReply {
    /// The response, to be taken apart.
    pub fn response(&self) -> Response<'_> {
        Response::known(&self.raw, self.status, self.hung_up)
    }

    fn of(response: &Response<'_>) -> Self {
        Self { raw: response.raw().into(), status: response.status(), hung_up: response.is_hung_up() }
    }
}

impl Command for RawCommand<'_> {
    type Reply = RawReply;
    const INFO: CommandInfo = CommandInfo::new("a raw command").when_interrupted(WhenInterrupted::Stops);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
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
        let known = ALL.iter().find(named);
        let mut info = CommandInfo { failure_may_be_hangup: false, ..known.copied().unwrap_or(Self::INFO) };
        if info.name == Exec::INFO.name {
            let Some(application) = words.get(1) else { return info };
            info = info_of(application);
        }
        if info.name == SetMusic::INFO.name {
            let is_on = words.get(2).is_some_and(|mode| mode.eq_ignore_ascii_case(b"on"));
            info.music = if is_on { MusicEffect::Starts } else { MusicEffect::Stops };
        }
        info
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

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        self.0.encode(line);
    }

    fn decode(response: &Response<'_>) -> Result<Self::Reply, ReplyError> {
        Ok((C::decode(response)?, RawReply::of(response)))
    }

    fn info(&self) -> CommandInfo {
        self.0.info()
    }
}

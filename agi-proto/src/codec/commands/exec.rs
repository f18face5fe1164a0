//! Running applications of the dialplan.

use super::argument::Arguments;
use bstr::BStr;

use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::response::Response;
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, MusicEffect, ReplyFormat, Secrecy};

/// `EXEC`: runs a dialplan application. It runs on a dead channel too.
///
/// The application's arguments are one text, commas between them. [`args`](Self::args) makes it of a list;
/// [`arguments`](Self::arguments) takes it as it is. Asterisk does not substitute `${}` in it unless the
/// channel variable `AGIEXECFULL` is `yes` (16.27, 18.13, 19.5, 20 and later).
///
/// While the application runs nothing else is read: a hangup is told after its reply. Use
/// [`Gosub`](super::Gosub) for a subroutine, not this.
///
/// There is no failure: what the application gave back is the [`ExecOutcome`], and -1 is one of its values.
/// An application may fail and give 0; most set a variable such as `PLAYBACKSTATUS` or `DIALSTATUS`.
///
/// ```
/// use agi_proto::commands::Exec;
///
/// // Dial(PJSIP/100,30,g)
/// let dial = Exec::new("Dial").args(&["PJSIP/100", "30", "g"]);
/// # let _ = dial;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Exec<'a> {
    application: &'a BStr,
    arguments: Arguments<'a>,
}

/// What came of [`Exec`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "that there is no such application is told here"]
pub enum ExecOutcome {
    /// Asterisk has no such application (-2).
    NoSuchApplication,
    /// The application ended and returned this. 0 is the rule; -1 asks the dialplan to hang up, though the
    /// channel may well be up (`Dial` whose callee hung up); some return the code of a digit.
    Returned(i64),
}

impl<'a> Exec<'a> {
    /// An application by its name, such as `Playback`, without arguments.
    pub fn new<T: AsRef<[u8]> + ?Sized>(application: &'a T) -> Self {
        Self { application: BStr::new(application), arguments: Arguments::None }
    }

    /// The application's arguments in one text, commas between them, as in the dialplan. A part of it
    /// that may hold commas or quotes of its own goes through [`escape_argument`](super::escape_argument).
    pub fn arguments<T: AsRef<[u8]> + ?Sized>(mut self, arguments: &'a T) -> Self {
        self.arguments = Arguments::Text(BStr::new(arguments));
        self
    }

    /// The application's arguments as a list, each escaped as [`escape_argument`](super::escape_argument)
    /// does it. Applications that take their whole text as one argument, such as `Set`, `System` or
    /// `NoOp`, do not undo that: [`arguments`](Self::arguments) is for them.
    pub fn args(mut self, arguments: &'a [&'a str]) -> Self {
        self.arguments = Arguments::List(arguments);
        self
    }
}

impl Command for Exec<'_> {
    type Reply = ExecOutcome;
    const INFO: CommandInfo = CommandInfo::new("EXEC").on_dead_channel().format(ReplyFormat::Exec);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("EXEC").argument("application", self.application);
        self.arguments.encode(line);
    }

    fn decode(response: &Response<'_>) -> Result<ExecOutcome, ReplyError> {
        match response.code() {
            Some(-2) => Ok(ExecOutcome::NoSuchApplication),
            Some(code) => Ok(ExecOutcome::Returned(code)),
            None => Err(response.unexpected()),
        }
    }

    fn info(&self) -> CommandInfo {
        info_of(self.application)
    }
}

/// Returns what is known of an application: `Set` and `MSet` hold values of variables, and two switch music on hold.
pub(super) fn info_of(application: &[u8]) -> CommandInfo {
    let is = |name: &str| application.eq_ignore_ascii_case(name.as_bytes());
    let info = Exec::INFO;
    match () {
        () if is("Set") || is("MSet") => info.secrecy(Secrecy::Arguments(2)),
        () if is("StartMusicOnHold") => info.music(MusicEffect::Starts),
        () if is("StopMusicOnHold") => info.music(MusicEffect::Stops),
        () => info,
    }
}

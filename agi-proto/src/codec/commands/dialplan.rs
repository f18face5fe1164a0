//! Commands about the dialplan: a subroutine, and where it goes on when the script ends.

use bstr::{BStr, ByteSlice};

use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply;
use crate::codec::response::Response;
use crate::values::error::ReplyError;
use crate::values::info::CommandInfo;

/// `SET CONTEXT`: the context in which the dialplan goes on when the script ends.
///
/// Without [`SetPriority`] it goes on there at the priority after the current one. Asterisk cuts the name at 79
/// bytes, so a longer one is refused. It does not check whether there is such a context, and never fails.
#[derive(Clone, Copy, Debug)]
pub struct SetContext<'a> {
    context: &'a BStr,
}

impl<'a> SetContext<'a> {
    /// The command with its argument.
    pub fn new(context: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { context: BStr::new(context) }
    }
}

impl Command for SetContext<'_> {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("SET CONTEXT");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("SET CONTEXT").argument("context", self.context);
        refuse_cut("context", self.context, line);
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::done(response)
    }
}

/// `SET EXTENSION`: the extension at which the dialplan goes on when the script ends.
///
/// See [`SetContext`]; the same holds here.
#[derive(Clone, Copy, Debug)]
pub struct SetExtension<'a> {
    extension: &'a BStr,
}

impl<'a> SetExtension<'a> {
    /// The command with its argument.
    pub fn new(extension: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { extension: BStr::new(extension) }
    }
}

impl Command for SetExtension<'_> {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("SET EXTENSION");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("SET EXTENSION").argument("extension", self.extension);
        refuse_cut("extension", self.extension, line);
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::done(response)
    }
}

/// Refuses a name that Asterisk would cut, and so take for another.
fn refuse_cut(argument: &'static str, name: &[u8], line: &mut CommandEncoder<'_>) {
    if name.len() > 79 {
        line.refuse_argument(argument, "is longer than 79 bytes, at which Asterisk cuts it");
    }
}

/// `SET PRIORITY`: the priority at which the dialplan goes on when the script ends: a number, or a
/// label of the current context and extension (set those first).
///
/// A label that is not there is answered by 520, [`Rejection::Usage`](crate::Rejection::Usage). A number
/// is not checked. It never fails.
///
/// Asterisk takes a label that begins like a number for that number (`2nd-try` for 2), and a number of more than 32
/// bits for another one, so both are refused.
#[derive(Clone, Copy, Debug)]
pub struct SetPriority<'a> {
    priority: &'a BStr,
}

impl<'a> SetPriority<'a> {
    /// The command with its argument.
    pub fn new(priority: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { priority: BStr::new(priority) }
    }
}

impl Command for SetPriority<'_> {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("SET PRIORITY");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("SET PRIORITY").argument("priority", self.priority);
        refuse_ambiguous(self.priority, line);
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        reply::done(response)
    }
}

/// Refuses a label that Asterisk takes for a number, and a number that it takes for another one.
fn refuse_ambiguous(priority: &[u8], line: &mut CommandEncoder<'_>) {
    if !begins_like_a_number(priority) {
        return;
    }
    if !priority.iter().all(u8::is_ascii_digit) {
        line.refuse_argument("priority", "begins like a number, which Asterisk takes it for");
    } else if priority.to_str().map(str::parse::<i32>).is_ok_and(|number| number.is_err()) {
        line.refuse_argument("priority", "is more than 2,147,483,647, all that Asterisk can count");
    }
}

/// Whether C's `%d` finds a number.
fn begins_like_a_number(text: &[u8]) -> bool {
    let text = text.trim_start_with(|c| matches!(c, ' ' | '\t'..='\r'));
    let text = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    text.first().is_some_and(u8::is_ascii_digit)
}

/// `GOSUB`: runs a subroutine of the dialplan and waits until it returns.
///
/// What it returns is in the channel variable `GOSUB_RETVAL`. While it runs, nothing else is read: a hangup
/// shows as [`GosubOutcome::Abnormal`]. The module `app_stack` has this command; without it the answer is 510.
///
/// Failure: the subroutine could not be set up. Asterisk out of memory answers 503
/// ([`Rejection::Other`](crate::Rejection::Other)). -1 is [`GosubOutcome::NoSuchLabel`] and no hangup.
#[derive(Clone, Copy, Debug)]
pub struct Gosub<'a> {
    context: &'a BStr,
    extension: &'a BStr,
    priority: &'a BStr,
    arguments: Option<&'a BStr>,
}

/// How [`Gosub`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "that there is no such subroutine is told here"]
pub enum GosubOutcome {
    /// The subroutine returned.
    Complete,
    /// It ended without `Return`: it jumped out, came to its end, or the channel was hung up in it.
    Abnormal,
    /// There is no such context, extension, priority or label; nothing ran.
    NoSuchLabel,
}

impl<'a> Gosub<'a> {
    /// Runs the subroutine at `context`, `extension` and `priority`, which is a number or a label. As with
    /// [`SetPriority`], a label that begins like a number is refused, and a number of more than 32 bits.
    pub fn new(
        context: &'a (impl AsRef<[u8]> + ?Sized),
        extension: &'a (impl AsRef<[u8]> + ?Sized),
        priority: &'a (impl AsRef<[u8]> + ?Sized),
    ) -> Self {
        let (context, extension, priority) = (BStr::new(context), BStr::new(extension), BStr::new(priority));
        Self { context, extension, priority, arguments: None }
    }

    /// The subroutine's arguments in one text, commas between them: its `ARG1`, `ARG2` and so on.
    ///
    /// Quotes, parentheses or a backslash shield a comma, but unlike with [`Exec`](super::Exec) they stay in
    /// the argument: set a variable for what must arrive unchanged.
    pub fn arguments<T: AsRef<[u8]> + ?Sized>(mut self, arguments: &'a T) -> Self {
        self.arguments = Some(BStr::new(arguments));
        self
    }
}

impl Command for Gosub<'_> {
    type Reply = GosubOutcome;
    const INFO: CommandInfo = CommandInfo::new("GOSUB");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("GOSUB")
            .argument("context", self.context)
            .argument("extension", self.extension)
            .argument("priority", self.priority)
            .optional_argument("arguments", self.arguments);
        refuse_ambiguous(self.priority, line);
    }

    fn decode(response: &Response<'_>) -> Result<GosubOutcome, ReplyError> {
        match (response.code(), &**response.tail()) {
            (Some(0), b"Gosub complete") => Ok(GosubOutcome::Complete),
            (Some(0), b"Gosub complete (abnormal exit)") => Ok(GosubOutcome::Abnormal),
            (Some(-1), b"Gosub label not found") => Ok(GosubOutcome::NoSuchLabel),
            (Some(_), b"Gosub failed") => Err(response.failed()),
            _ => Err(response.unexpected()),
        }
    }
}

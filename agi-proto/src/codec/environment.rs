//! The environment block: what Asterisk says about the call before it takes commands.

mod names;
mod parse;
mod values;

use alloc::sync::Arc;
use core::fmt;

use bstr::{BStr, ByteSlice};

pub use self::values::{AsteriskVersion, CallingPresentation, Presentation, Screening};
use crate::codec::line::trim_line_end;
use crate::values::error::EnvironmentError;
use crate::values::limits::Leniency;

/// The variables that Asterisk sends when it starts a session: name and value, in their order.
///
/// A value is bytes that are usually text: a name in Latin-1 is kept as it came, a `:` or blanks in
/// it are part of it, and so is a CR at its end, unless the first line ends in CR LF. Accessors exist
/// for every variable that Asterisk sends; [`get`](Self::get) reads any. Where a number is expected
/// and something else stands, the typed accessor gives `None` and `get` still gives the text.
///
/// A clone is cheap: it shares the block, which is one allocation, and its index, another.
///
/// ```
/// use agi_proto::{Environment, Leniency};
///
/// let environment = Environment::parse(b"agi_callerid: 15551234567\nagi_arg_1: en\n", Leniency::ALL)?;
/// assert_eq!(environment.caller_id().unwrap(), "15551234567");
/// assert_eq!(environment.arg(1).unwrap(), "en");
/// # Ok::<(), agi_proto::EnvironmentError>(())
/// ```
#[derive(Clone)]
pub struct Environment {
    block: Arc<[u8]>,
    lines: Arc<[Line]>,
    tolerated: Leniency,
}

/// Where one `name: value` lies in the block. It ends where the next one begins.
#[derive(Clone, Copy, Default)]
struct Line {
    name: u32,
    colon: u32,
}

impl Environment {
    /// Reads a whole block, with or without the blank line that ends it.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`], for whatever Asterisk would not send and `leniency` does not let pass.
    pub fn parse(block: &[u8], leniency: Leniency) -> Result<Self, EnvironmentError> {
        parse::parse(block, leniency)
    }

    /// The value of a variable by its full name, such as `agi_channel`; the first, if a leniency let
    /// a second one pass.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&BStr> {
        let name = name.as_ref();
        (0..self.lines.len()).find(|&at| self.name(at) == name).map(|at| self.value(at))
    }

    /// All variables with their values, in the order in which they came.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &BStr)> + ExactSizeIterator {
        (0..self.lines.len()).map(|at| {
            let name = self.name(at).to_str().expect("the parser let only identifiers pass as names");
            (name, self.value(at))
        })
    }

    fn name(&self, at: usize) -> &[u8] {
        let line = self.lines[at];
        &self.block[line.name as usize..line.colon as usize]
    }

    fn value(&self, at: usize) -> &BStr {
        let end = self.lines.get(at + 1).map_or(self.block.len(), |next| next.name as usize);
        let line = &self.block[self.lines[at].colon as usize + 1..end];
        let value =
            if self.is_crlf() { trim_line_end(line) } else { line.strip_suffix(b"\n").unwrap_or(line) };
        value.strip_prefix(b" ").unwrap_or(value).as_bstr()
    }

    /// Whether the lines end in CR LF, as no Asterisk writes them. The first line tells: what it holds is the
    /// dialplan's and not the caller's, so a CR at its end is no value's.
    fn is_crlf(&self) -> bool {
        let end = self.lines.get(1).map_or(self.block.len(), |second| second.name as usize);
        self.block[..end].ends_with(b"\r\n")
    }

    /// What a [`Leniency`] let pass in this block. With the default leniency nothing is.
    pub fn tolerated(&self) -> Leniency {
        self.tolerated
    }

    /// Whether the session came over the network (`agi_network`): FastAGI, not a process.
    pub fn is_network(&self) -> bool {
        self.get("agi_network").is_some_and(|value| value == "yes")
    }

    /// What stands behind the host in the URL (`agi_network_script`), without a leading `/` and not
    /// decoded; `None` where the URL has no path. [`Request`](crate::Request) takes it apart.
    pub fn network_script(&self) -> Option<&BStr> {
        self.get("agi_network_script")
    }

    /// The first argument of the dialplan's `AGI()` as it was written (`agi_request`): a URL, a
    /// script's name, or `async`.
    pub fn request(&self) -> Option<&BStr> {
        self.get("agi_request")
    }

    /// The channel's name (`agi_channel`), such as `PJSIP/100-0000000a`.
    pub fn channel(&self) -> Option<&BStr> {
        self.get("agi_channel")
    }

    /// The channel's language (`agi_language`), such as `en`.
    pub fn language(&self) -> Option<&BStr> {
        self.get("agi_language")
    }

    /// The channel's technology (`agi_type`), such as `PJSIP` or `Local`.
    pub fn channel_type(&self) -> Option<&BStr> {
        self.get("agi_type")
    }

    /// The call's unique id (`agi_uniqueid`), at most 149 bytes.
    pub fn unique_id(&self) -> Option<&BStr> {
        self.get("agi_uniqueid")
    }

    /// Asterisk's version (`agi_version`, since 1.6.0).
    pub fn version(&self) -> AsteriskVersion<'_> {
        AsteriskVersion::new(self.get("agi_version").unwrap_or(BStr::new("")))
    }

    /// The caller's number (`agi_callerid`). `None` where Asterisk writes `unknown`, which it does for
    /// an empty or withheld number; a caller who is really called that cannot be told apart.
    pub fn caller_id(&self) -> Option<&BStr> {
        self.known("agi_callerid")
    }

    /// The caller's name (`agi_calleridname`); `None` as for [`caller_id`](Self::caller_id).
    pub fn caller_id_name(&self) -> Option<&BStr> {
        self.known("agi_calleridname")
    }

    /// Whether the caller's number may be shown and who vouches for it (`agi_callingpres`).
    pub fn calling_presentation(&self) -> Option<CallingPresentation> {
        self.number("agi_callingpres").map(CallingPresentation)
    }

    /// The ANI 2 digits, the kind of the calling line (`agi_callingani2`).
    pub fn calling_ani2(&self) -> Option<i32> {
        self.number("agi_callingani2")
    }

    /// Type of number and numbering plan of the caller's number (`agi_callington`).
    pub fn calling_ton(&self) -> Option<i32> {
        self.number("agi_callington")
    }

    /// Transit network select (`agi_callingtns`).
    pub fn calling_tns(&self) -> Option<i32> {
        self.number("agi_callingtns")
    }

    /// The number that was dialled (`agi_dnid`); `None` as for [`caller_id`](Self::caller_id).
    pub fn dnid(&self) -> Option<&BStr> {
        self.known("agi_dnid")
    }

    /// The number that redirected the call (`agi_rdnis`); `None` as for
    /// [`caller_id`](Self::caller_id).
    pub fn rdnis(&self) -> Option<&BStr> {
        self.known("agi_rdnis")
    }

    /// The dialplan's context (`agi_context`), at most 79 bytes.
    pub fn context(&self) -> Option<&BStr> {
        self.get("agi_context")
    }

    /// The dialplan's extension (`agi_extension`), at most 79 bytes.
    pub fn extension(&self) -> Option<&BStr> {
        self.get("agi_extension")
    }

    /// The dialplan's priority (`agi_priority`).
    pub fn priority(&self) -> Option<i32> {
        self.number("agi_priority")
    }

    /// Whether this is EAGI, with the caller's audio on file descriptor 3 (`agi_enhanced: 1.0`).
    pub fn is_enhanced(&self) -> bool {
        self.get("agi_enhanced").is_some_and(|value| value == "1.0")
    }

    /// The account code (`agi_accountcode`), often empty.
    pub fn account_code(&self) -> Option<&BStr> {
        self.get("agi_accountcode")
    }

    /// Asterisk's thread for this call (`agi_threadid`, since 1.6.0), as it stands in its log.
    pub fn thread_id(&self) -> Option<i64> {
        self.number("agi_threadid")
    }

    /// The `n`th argument of the dialplan's `AGI()` behind the script: `agi_arg_1` is the first. As with
    /// [`get`](Self::get) it is the first of that name, wherever a leniency let it stand.
    pub fn arg(&self, n: usize) -> Option<&BStr> {
        let number = |at: &usize| self.name(*at).strip_prefix(b"agi_arg_").and_then(parse::argument_number);
        let n = u32::try_from(n).ok()?;
        (0..self.lines.len()).find(|at| number(at) == Some(n)).map(|at| self.value(at))
    }

    /// The arguments in their order: those of the dialplan's `AGI()` behind the script. At most 127;
    /// the 127th holds the rest, commas and all, where there are more. What a leniency let pass is among them, in the
    /// order in which it came.
    pub fn args(&self) -> impl Iterator<Item = &BStr> {
        self.iter().filter(|(name, _)| name.starts_with("agi_arg_")).map(|(_, value)| value)
    }

    fn known(&self, name: &str) -> Option<&BStr> {
        self.get(name).filter(|value| *value != "unknown")
    }

    fn number<T: core::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.to_str().ok()?.parse().ok()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The same variables with the same values in the same order.
impl PartialEq for Environment {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Environment {}

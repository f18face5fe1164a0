//! Variables whose value may be any bytes but NUL: line ends, forged replies and all.
//!
//! A command line carries no LF, and a value is answered raw, so that what it says can look like protocol.
//! Here both ways go through base64. The adapters' `get_variable_exact` and `set_variable_exact` are these
//! commands in order.

use alloc::format;
use alloc::vec::Vec;
use core::fmt::Write;

use base64::Engine;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use bstr::{BStr, BString, ByteSlice};

use super::raw::{RawReply, WithResponse};
use super::{Exec, GetVariable, SetVariable};
use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::response::Response;
use crate::values::error::{EncodeError, ReplyError, ReplyErrorKind};
use crate::values::info::{CommandInfo, Secrecy};

/// The value of a variable or function, byte for byte; empty where it is not set. It runs on a dead channel
/// too.
///
/// It is one `GET FULL VARIABLE` of the value in base64. Asterisk would cut `${BASE64_ENCODE(${NAME})}` at a `:`
/// that stands behind an unpaired `)` of the value. So the value is read twice in one expression, once
/// without `:` and once without `)`, and put together again.
///
/// A function is evaluated twice, so one that changes something (`POP`, `SHIFT`) is none to read so. A value
/// of more than some 24,500 bytes needs another [`Limits::response_bytes`](crate::Limits::response_bytes) than
/// the default.
///
/// Failure: this Asterisk lacks the function `BASE64_ENCODE` or `REPLACE`.
#[derive(Clone, Copy, Debug)]
pub struct GetVariableExact<'a> {
    name: &'a BStr,
    /// It reads what was set just now.
    reads_back: bool,
}

impl<'a> GetVariableExact<'a> {
    /// A variable by its name, or a function with its arguments in parentheses. A comma elsewhere is refused, and
    /// so are parentheses and brackets that do not pair up: the expression would be another one.
    pub fn new<T: AsRef<[u8]> + ?Sized>(name: &'a T) -> Self {
        Self { name: BStr::new(name), reads_back: false }
    }
}

impl Command for GetVariableExact<'_> {
    type Reply = BString;
    const INFO: CommandInfo =
        CommandInfo::new("GET FULL VARIABLE of BASE64_ENCODE and REPLACE").on_dead_channel();

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        if let Some(reason) = unfit(self.name) {
            line.refuse_argument("name", reason);
        }
        line.words("GET FULL VARIABLE").argument_of("name", |expression| {
            // `+` keeps blanks from the edge, EPOCH shows whether there is a REPLACE, and see `unwrap`
            for (before, after) in [
                ("${BASE64_ENCODE(+${REPLACE(", ",:,;)}012)} "),
                ("${BASE64_ENCODE(+${REPLACE(", ",),()}012)} "),
            ] {
                expression.push(before);
                expression.push(self.name);
                expression.push(after);
            }
            expression.push("${REPLACE(EPOCH,:,;)}");
        });
    }

    fn decode(response: &Response<'_>) -> Result<BString, ReplyError> {
        let value = response.value().ok_or_else(|| response.unexpected())?;
        let mut words = value.split_str(" ");
        let mut read = || unwrap(STANDARD.decode(words.next()?).ok()?);
        let (without_colons, without_parentheses) = (read(), read());
        let replaced = words.next().is_some_and(|epoch| !epoch.is_empty());
        match (without_colons, without_parentheses) {
            (Some(mut bytes), Some(colons)) if replaced && bytes.len() == colons.len() => {
                for (byte, _) in bytes.iter_mut().zip(colons).filter(|(_, other)| *other == b':') {
                    *byte = b':';
                }
                Ok(bytes.into())
            }
            _ => Err(response.failed()),
        }
    }

    fn info(&self) -> CommandInfo {
        // a value that was set may be a PIN
        Self::INFO.secrecy(if self.reads_back { Secrecy::Reply } else { Secrecy::Open })
    }
}

/// How a variable is set to any bytes but NUL: a few commands in order.
///
/// 1. [`setting`](Self::setting) reads the channel variable `AGIEXECFULL`;
/// 2. [`allow`](Self::allow) sets it, so that `EXEC` evaluates its arguments (Asterisk 16.27, 18.13, 19.5, 20
///    and later);
/// 3. [`pieces`](Self::pieces) are the value, each an `EXEC Set` with as much as a line of 2,047 bytes holds;
/// 4. [`restore`](Self::restore) puts `AGIEXECFULL` back (empty where it was not set), also if a piece failed;
/// 5. [`read_back`](Self::read_back) reads the value, and [`verify`](Self::verify) compares it: an Asterisk
///    that lacks `AGIEXECFULL` or `BASE64_DECODE` says nothing by itself.
#[derive(Clone, Copy, Debug)]
pub struct SetVariableExact<'a> {
    name: &'a BStr,
    value: &'a BStr,
}

/// One piece of a value that [`SetVariableExact`] writes.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    name: &'a BStr,
    bytes: &'a BStr,
    is_first: bool,
}

const SWITCH: &str = "AGIEXECFULL";
/// Bytes of a value that can be read back.
const LONGEST: usize = 24_000;
/// What every Asterisk reads at once.
const LINE: usize = 2047;

impl<'a> SetVariableExact<'a> {
    /// Sets the variable or function `name` to `value`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::ForbiddenByte`] for a NUL in the value, [`EncodeError::InvalidArgument`] for a name that
    /// is empty, very long, or no name, and for a value of more than 24,000 bytes: it is read back as two copies
    /// in base64, which the default [`Limits::response_bytes`](crate::Limits::response_bytes) must hold.
    pub fn new<N, V>(name: &'a N, value: &'a V) -> Result<Self, EncodeError>
    where
        N: AsRef<[u8]> + ?Sized,
        V: AsRef<[u8]> + ?Sized,
    {
        let (command, name, value) = ("set_variable_exact", BStr::new(name), BStr::new(value));
        if let Some(at) = value.find_byte(0) {
            return Err(EncodeError::ForbiddenByte { command, argument: "value", byte: 0, at });
        }
        let refuse = |argument, reason| Err(EncodeError::InvalidArgument { command, argument, reason });
        if value.len() > LONGEST {
            return refuse("value", "is longer than 24,000 bytes");
        }
        match unfit(name) {
            Some(reason) => refuse("name", reason),
            None => Ok(Self { name, value }),
        }
    }

    /// The command that reads how `AGIEXECFULL` is set.
    pub fn setting(&self) -> GetVariable<'static> {
        GetVariable::new(SWITCH)
    }

    /// The command that sets `AGIEXECFULL`.
    pub fn allow(&self) -> SetVariable<'static> {
        SetVariable::new(SWITCH, "yes")
    }

    /// The commands that set the value, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let Self { name, value } = *self;
        let around = "EXEC \"Set\" \"=${}${BASE64_DECODE()}\"\n".len() + 2 * name.len();
        let empty = value.is_empty().then_some(BStr::new(b""));
        let bytes = value.chunks((LINE - around) / 4 * 3).map(BStr::new);
        empty.into_iter().chain(bytes).enumerate().map(move |(at, bytes)| Piece {
            name,
            bytes,
            is_first: at == 0,
        })
    }

    /// The command that puts `AGIEXECFULL` back as [`setting`](Self::setting) found it.
    pub fn restore<'b>(&self, before: &'b Option<BString>) -> SetVariable<'b> {
        let value = before.as_ref().map_or(&[][..], |before| before);
        SetVariable::new(SWITCH, value)
    }

    /// The command that reads the value.
    pub fn read_back(&self) -> WithResponse<GetVariableExact<'a>> {
        WithResponse(GetVariableExact { name: plain(self.name), reads_back: true })
    }

    /// Compares what was read with what was written.
    ///
    /// # Errors
    ///
    /// A [`ReplyError`] that says [`Failed`](ReplyErrorKind::Failed) where it is not the same, and how long what was
    /// read is instead of what it is.
    pub fn verify(&self, (found, raw): &(BString, RawReply)) -> Result<(), ReplyError> {
        if found == self.value {
            return Ok(());
        }
        let command = "set_variable_exact, which needs AGIEXECFULL and BASE64_DECODE,";
        let hung_up = raw.response().is_hung_up();
        // both values may be a PIN, and an error ends in a log
        let response = format!("200 result=1 ({} bytes)", found.len()).into();
        Err(ReplyError { command, kind: ReplyErrorKind::Failed, response, hung_up })
    }
}

impl Command for Piece<'_> {
    type Reply = <Exec<'static> as Command>::Reply;
    const INFO: CommandInfo = Exec::INFO.secrecy(Secrecy::Arguments(2));

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("EXEC").argument("application", "Set").argument_of("value", |set| {
            set.push(self.name);
            set.push("=");
            if !self.is_first {
                set.push("${");
                set.push(plain(self.name));
                set.push("}");
            }
            if !self.bytes.is_empty() {
                let base64 = Base64Display::new(self.bytes, &STANDARD);
                write!(set, "${{BASE64_DECODE({base64})}}").expect("an argument takes all text");
            }
        });
    }

    fn decode(response: &Response<'_>) -> Result<Self::Reply, ReplyError> {
        Exec::decode(response)
    }
}

/// Takes off what stands around a value. Asterisk 16 loses the last byte or two where their number is no
/// multiple of three, so the value is followed by `012`, and the last that is left says how many are.
fn unwrap(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let left = match bytes.last()? {
        b'0' => 1,
        b'1' => 2,
        b'2' => 3,
        _ => return None,
    };
    let value = bytes.strip_suffix(&b"012"[..left])?.strip_prefix(b"+")?.len();
    bytes.remove(0);
    bytes.truncate(value);
    Some(bytes)
}

/// Why a name does not fit into an expression, if so.
fn unfit(name: &BStr) -> Option<&'static str> {
    let (most, forbidden) = (500, b"\"\\${}=\n\r\0");
    match name.len() {
        0 => Some("is empty"),
        length if length > most => Some("is longer than 500 bytes"),
        _ if splits(name) => Some("holds a comma of its own, or parentheses or brackets that do not pair up"),
        _ => name.find_byteset(forbidden).map(|_| "holds a byte that an expression takes apart"),
    }
}

/// Whether Asterisk would take a name apart as an argument of `REPLACE`.
fn splits(name: &[u8]) -> bool {
    let mut depth = 0_usize;
    let pairs_up = name.iter().all(|byte| match byte {
        b'(' | b'[' => {
            depth += 1;
            true
        }
        b')' | b']' if depth == 0 => false,
        b')' | b']' => {
            depth -= 1;
            true
        }
        byte => *byte != b',' || depth > 0,
    });
    !pairs_up || depth > 0
}

/// The name to read a variable by that was set to be inherited: `__X` is read as `X`.
fn plain(name: &BStr) -> &BStr {
    name.trim_start_with(|c| c == '_').as_bstr()
}

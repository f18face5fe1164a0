//! The channel: what a call is at any time, and at its end.

use std::collections::BTreeMap;

use agi_proto::{BStr, BString};
use bstr::ByteSlice;

use super::setup::Setup;

/// The state Up.
pub(crate) const UP: u8 = 6;
/// The state of a call that was not answered yet.
const RING: u8 = 4;

/// What a call is: its variables, its caller, where the dialplan goes on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Channel {
    /// The state as CHANNEL STATUS tells it: 4 while it rings, 6 when it is answered.
    pub state: u8,
    /// Its name.
    pub name: BString,
    /// Its unique id.
    pub unique_id: BString,
    /// The caller's name; empty where there is none.
    pub caller_name: BString,
    /// The caller's number; empty where there is none.
    pub caller_number: BString,
    /// Where the dialplan goes on.
    pub context: BString,
    /// The extension that it goes on with.
    pub extension: BString,
    /// The priority, or a label, that it goes on with.
    pub priority: BString,
    /// Its language.
    pub language: BString,
    pub(crate) variables: BTreeMap<BString, BString>,
    pub(crate) database: BTreeMap<BString, BString>,
    pub(crate) epoch: u64,
    /// Whether it is hung up, as it was when the command began that runs.
    pub(crate) hung_up: bool,
    /// BASE64_ENCODE leaves out what is no whole group of three bytes, as Asterisk 16 does and 22 does not.
    pub(crate) cuts_base64: bool,
    /// Whether `priority` is where the dialplan was sent: it stands at the one before, as it is going to add 1.
    pub(crate) sent: bool,
}

impl Channel {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            state: if setup.answered { UP } else { RING },
            name: setup.channel.clone(),
            unique_id: setup.unique_id.clone(),
            caller_name: setup.caller_name.clone().unwrap_or_default(),
            caller_number: setup.caller_number.clone().unwrap_or_default(),
            context: setup.context.clone(),
            extension: setup.extension.clone(),
            priority: setup.priority.to_string().into(),
            language: setup.language.clone(),
            variables: setup.variables.clone(),
            database: setup.database.clone(),
            epoch: setup.epoch,
            hung_up: setup.dead,
            cuts_base64: !setup.has(&[(17, 0)]),
            sent: false,
        }
    }

    /// A variable: one that was set, or one that every channel has.
    pub fn variable(&self, name: impl AsRef<[u8]>) -> Option<BString> {
        let name = name.as_ref();
        if let Some(value) = self.variables.get(name.as_bstr()) {
            return Some(value.clone());
        }
        Some(match name {
            b"CHANNEL" => self.name.clone(),
            b"UNIQUEID" => self.unique_id.clone(),
            b"CONTEXT" => self.context.clone(),
            b"EXTEN" => self.extension.clone(),
            b"PRIORITY" => match self.priority.to_str().ok().and_then(|text| text.parse::<i64>().ok()) {
                Some(priority) if self.sent => (priority - 1).to_string().into(),
                _ => self.priority.clone(),
            },
            b"EPOCH" => self.epoch.to_string().into(),
            _ => return None,
        })
    }

    /// All variables that were set.
    pub fn variables(&self) -> impl Iterator<Item = (&BStr, &BStr)> {
        self.variables.iter().map(|(name, value)| (name.as_bstr(), value.as_bstr()))
    }

    /// A value of the database.
    pub fn database(&self, family: &str, key: &str) -> Option<&BStr> {
        self.database.get(BStr::new(&format!("{family}/{key}"))).map(|value| value.as_bstr())
    }

    /// `"name" <number>`
    pub fn caller_id(&self) -> BString {
        bstr::join("", [&b"\""[..], &self.caller_name, b"\" <", &self.caller_number, b">"]).into()
    }

    /// Sets a variable as the dialplan does: leading `_` only say who inherits it.
    pub(crate) fn set(&mut self, name: impl AsRef<[u8]>, value: impl Into<BString>) {
        let name = name.as_ref();
        let name = name.strip_prefix(b"_").unwrap_or(name);
        let name = name.strip_prefix(b"_").unwrap_or(name);
        self.variables.insert(name.into(), value.into());
    }

    /// `"name" <number>`, or one of them alone: what looks like no number is a name.
    pub(crate) fn set_caller_id(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(255)];
        let bracketed = text.rfind_byte(b'<').and_then(|at| {
            let end = text[at..].rfind_byte(b'>')?;
            Some((&text[..at], &text[at + 1..at + end]))
        });
        (self.caller_name, self.caller_number) = match (bracketed, number(text)) {
            (Some((before, inside)), _) => (name(before), number(inside)),
            (None, number) if number.iter().all(|byte| b"0123456789*#+".contains(byte)) => {
                (BString::default(), number)
            }
            (None, _) => (name(text), BString::default()),
        };
    }
}

/// The name without blanks around it; if it is quoted, without its quotes and what escapes in them.
fn name(text: &[u8]) -> BString {
    let text = text.trim();
    let quoted = text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let Some(quoted) = quoted else { return text.into() };
    let mut escaped = false;
    let kept = quoted.iter().filter(|&&byte| {
        escaped = byte == b'\\' && !escaped;
        !escaped
    });
    kept.copied().collect::<Vec<u8>>().into()
}

/// The number without what people write into it to make it readable.
fn number(text: &[u8]) -> BString {
    let (mut in_brackets, last) = (0, text.len().saturating_sub(1));
    let kept = text.iter().enumerate().filter(|&(at, &byte)| {
        in_brackets += i32::from(byte == b'[') - i32::from(byte == b']');
        match byte {
            b'-' => in_brackets != 0,
            b'.' => at == last,
            _ => !b"( )".contains(&byte),
        }
    });
    kept.map(|(_, &byte)| byte).collect::<Vec<u8>>().into()
}

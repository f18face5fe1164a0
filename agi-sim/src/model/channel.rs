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

    pub(crate) fn set_caller_id(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(255)];
        match text.find_byte(b'<') {
            Some(at) => {
                self.caller_name = text[..at].trim().trim_with(|c| c == '"').into();
                self.caller_number = text[at + 1..].split(|&byte| byte == b'>').next().unwrap_or(b"").into();
            }
            None => {
                self.caller_name = BString::default();
                self.caller_number = text.trim().into();
            }
        }
    }
}

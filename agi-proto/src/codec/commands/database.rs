//! Commands about Asterisk's own database, which lasts across restarts. They run on a dead channel too.

use bstr::{BStr, BString};

use super::define::text_commands;
use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply;
use crate::codec::response::Response;
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, ReplyFormat, Secrecy};

text_commands! {
    /// `DATABASE DEL`: deletes a key of a family. It runs on a dead channel too.
    ///
    /// It does not tell whether there was such a key.
    ///
    /// Failure (0): the database failed.
    DatabaseDel(family, key) -> (): reply::one, CommandInfo::new("DATABASE DEL").on_dead_channel();

    /// `DATABASE GET`: the value of a key of a family. It runs on a dead channel too.
    ///
    /// Gives `None` where there is no such key. The value has no length limit but
    /// [`Limits::response_bytes`](crate::Limits::response_bytes); a long one costs a second round trip, as
    /// [`GetVariable`](super::GetVariable)'s does.
    ///
    /// Failure (-1): Asterisk is out of memory.
    DatabaseGet(family, key) -> Option<BString>: reply::value,
        CommandInfo::new("DATABASE GET").on_dead_channel().format(ReplyFormat::Value);

    /// `DATABASE PUT`: sets the value of a key of a family. It runs on a dead channel too.
    ///
    /// Failure (0): the database failed.
    DatabasePut(family, key, value) -> (): reply::one,
        CommandInfo::new("DATABASE PUT").on_dead_channel().secrecy(Secrecy::Arguments(4));
}

/// `DATABASE DELTREE`: deletes a family, or those of its keys that begin with one. It runs on a dead
/// channel too.
///
/// Gives whether anything was deleted. (Asterisk answers 0 for "yes" and 1 for "no", against its own
/// documentation; this is the right way round.) A failure is a "no" too.
///
/// An empty family would delete the whole database, and an empty key tree the whole family: both are refused. So is
/// a `%`, which stands for any text at all. Asterisk 10 and later takes `_` for any one character, and small letters
/// for capitals: `call_log` deletes `call-log` and `Call_Log` as well.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseDelTree<'a> {
    family: &'a BStr,
    key_tree: Option<&'a BStr>,
}

impl<'a> DatabaseDelTree<'a> {
    /// Deletes all keys of a family.
    pub fn new<T: AsRef<[u8]> + ?Sized>(family: &'a T) -> Self {
        Self { family: BStr::new(family), key_tree: None }
    }

    /// Deletes only this key and those below it (`key/...`).
    pub fn key_tree<T: AsRef<[u8]> + ?Sized>(mut self, key_tree: &'a T) -> Self {
        self.key_tree = Some(BStr::new(key_tree));
        self
    }
}

impl Command for DatabaseDelTree<'_> {
    type Reply = bool;
    const INFO: CommandInfo = CommandInfo::new("DATABASE DELTREE").on_dead_channel();

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        if self.family.is_empty() {
            line.refuse_argument("family", "is empty, which would delete the whole database");
        }
        if self.key_tree.is_some_and(|key_tree| key_tree.is_empty()) {
            line.refuse_argument("key tree", "is empty, which would delete the whole family");
        }
        // Asterisk looks for both by SQL's `LIKE`, and nothing escapes there
        for (name, text) in [("family", Some(self.family)), ("key tree", self.key_tree)] {
            if text.is_some_and(|text| text.contains(&b'%')) {
                line.refuse_argument(name, "holds `%`, which stands for any text and would delete all of it");
            }
        }
        line.words("DATABASE DELTREE")
            .argument("family", self.family)
            .optional_argument("key tree", self.key_tree);
    }

    fn decode(response: &Response<'_>) -> Result<bool, ReplyError> {
        reply::yes_or_no(response).map(|inverted| !inverted)
    }
}

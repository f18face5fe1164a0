//! Variables and the database.

use agi_proto::BString;
use bstr::ByteSlice;

use super::{Begun, result};
use crate::model::expand::expand;
use crate::model::functions;
use crate::model::job::Answer;
use crate::model::setup::Unknown;
use crate::model::state::CallState;

/// What a function's value is cut at.
const WORK: usize = 1023;

fn value(value: &[u8]) -> Begun {
    Begun::Answer(Answer::new([b"200 result=1 (", value, b")"].concat()))
}

pub(super) fn get_variable(call: &mut CallState, words: &[BString]) -> Begun {
    match functions::lookup(&mut call.channel, &words[0]) {
        Some(found) => value(&found[..found.len().min(WORK)]),
        None => result(0),
    }
}

pub(super) fn get_full_variable(call: &mut CallState, words: &[BString]) -> Begun {
    if let Some(channel) = words.get(1).filter(|name| **name != call.channel.name) {
        // another channel has no variables here, but it may exist
        return if call.setup.channels.contains_key(channel) { value(b"") } else { result(0) };
    }
    let text = expand(&mut call.channel, &words[0]);
    value(&text)
}

pub(super) fn set_variable(call: &mut CallState, words: &[BString]) -> Begun {
    set(call, &words[0], &words[1]);
    result(1)
}

pub(super) fn set(call: &mut CallState, name: &[u8], value: &[u8]) {
    match functions::split(name) {
        Some((function, arguments)) => {
            let known = functions::write(&mut call.channel, function, arguments, value);
            if !known && call.setup.unknown_functions == Unknown::Accept {
                call.channel.set(name, value);
            }
        }
        None => call.channel.set(name, value),
    }
}

fn key(words: &[BString]) -> BString {
    bstr::join("/", words).into()
}

pub(super) fn database_get(call: &mut CallState, words: &[BString]) -> Begun {
    match call.channel.database.get(&key(words)) {
        Some(found) => value(found),
        None => result(0),
    }
}

pub(super) fn database_put(call: &mut CallState, words: &[BString]) -> Begun {
    call.channel.database.insert(key(&words[..2]), words[2].clone());
    result(1)
}

/// 1 for a key that was missing, too.
pub(super) fn database_del(call: &mut CallState, words: &[BString]) -> Begun {
    call.channel.database.remove(&key(words));
    result(1)
}

/// 0 when something was deleted and 1 when nothing was: the wrong way round, as in every Asterisk.
pub(super) fn database_del_tree(call: &mut CallState, words: &[BString]) -> Begun {
    // an empty key tree is none
    let given = if words.get(1).is_some_and(|tree| tree.is_empty()) { &words[..1] } else { words };
    let tree = key(given);
    let before = call.channel.database.len();
    if words[0].is_empty() {
        call.channel.database.clear();
    } else {
        let below = [&tree[..], b"/"].concat();
        call.channel.database.retain(|key, _| *key != tree && !key.as_bstr().starts_with(&below));
    }
    result(i64::from(call.channel.database.len() == before))
}

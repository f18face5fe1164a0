//! Commands of the speech recognition, for which Asterisk needs an engine: a module of its own.
//!
//! A session has one speech object. [`SpeechCreate`] makes it, [`SpeechDestroy`] or the end of the session
//! ends it; without it every other command of these is answered "no". They are in Asterisk's module
//! `res_speech`.

use alloc::vec::Vec;
use core::time::Duration;

use bstr::{BStr, BString, ByteSlice};

use super::define::text_commands;
use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply;
use crate::codec::response::Response;
use crate::values::digit::Digit;
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, ReplyFormat};

text_commands! {
    /// `SPEECH ACTIVATE GRAMMAR`: listens for a loaded grammar from now on. Gives whether it does.
    SpeechActivateGrammar(grammar) -> bool: reply::yes_or_no, CommandInfo::new("SPEECH ACTIVATE GRAMMAR");

    /// `SPEECH DEACTIVATE GRAMMAR`: listens no longer for a grammar. Gives whether it was done.
    SpeechDeactivateGrammar(grammar) -> bool: reply::yes_or_no,
        CommandInfo::new("SPEECH DEACTIVATE GRAMMAR");

    /// `SPEECH DESTROY`: ends the speech object. It runs on a dead channel too. Gives whether there was
    /// one.
    SpeechDestroy() -> bool: reply::yes_or_no, CommandInfo::new("SPEECH DESTROY").on_dead_channel();

    /// `SPEECH LOAD GRAMMAR`: loads a grammar from a file under a name. Gives whether it was loaded.
    SpeechLoadGrammar(grammar, path) -> bool: reply::yes_or_no, CommandInfo::new("SPEECH LOAD GRAMMAR");

    /// `SPEECH SET`: sets a setting of the engine. Gives whether there is a speech object; whether the
    /// engine has such a setting is not told.
    SpeechSet(name, value) -> bool: reply::yes_or_no, CommandInfo::new("SPEECH SET");

    /// `SPEECH UNLOAD GRAMMAR`: forgets a grammar. It runs on a dead channel too. Gives whether it was
    /// done.
    SpeechUnloadGrammar(grammar) -> bool: reply::yes_or_no,
        CommandInfo::new("SPEECH UNLOAD GRAMMAR").on_dead_channel();
}

/// `SPEECH CREATE`: makes the speech object of this session.
///
/// Gives whether it was made: `false` where there is no such engine, or there is a speech object already.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpeechCreate<'a> {
    engine: Option<&'a BStr>,
}

impl<'a> SpeechCreate<'a> {
    /// With Asterisk's default engine.
    pub const fn new() -> Self {
        Self { engine: None }
    }

    /// With the engine of this name instead.
    pub fn engine<T: AsRef<[u8]> + ?Sized>(mut self, engine: &'a T) -> Self {
        self.engine = Some(BStr::new(engine));
        self
    }
}

impl Command for SpeechCreate<'_> {
    type Reply = bool;
    const INFO: CommandInfo = CommandInfo::new("SPEECH CREATE");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("SPEECH CREATE").optional_argument("engine", self.engine);
    }

    fn decode(response: &Response<'_>) -> Result<bool, ReplyError> {
        reply::yes_or_no(response)
    }
}

/// `SPEECH RECOGNIZE`: plays a prompt and listens to what is said.
///
/// A hangup is one of the values of [`Recognition`], as Asterisk answers 1 for it; there is no failure. It
/// runs on when another command comes. A prompt that does not exist is passed over. What was said may hold line
/// ends, so speech costs one round trip more, by which the session finds out where it ends.
#[derive(Clone, Copy, Debug)]
pub struct SpeechRecognize<'a> {
    prompt: &'a BStr,
    timeout: Option<Duration>,
    offset: Option<u32>,
}

/// What [`SpeechRecognize`] heard. `samples` is how far the prompt came: 8,000 a second unless its format
/// has another rate. It is `None` where Asterisk does not know, as with files of G.723 and of Ogg Speex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// Speech: what the engine takes it for, in its order; maybe nothing. Asterisk cuts the list at 4,095
    /// bytes.
    Speech {
        /// What may have been said.
        results: Vec<SpeechResult>,
        /// How far the prompt came.
        samples: Option<u64>,
    },
    /// The caller pressed this.
    Digit {
        /// What was pressed.
        digit: Digit,
        /// How far the prompt came.
        samples: Option<u64>,
    },
    /// The caller hung up.
    HungUp {
        /// How far the prompt came.
        samples: Option<u64>,
    },
    /// Time ran out.
    TimedOut {
        /// How far the prompt came.
        samples: Option<u64>,
    },
    /// Nothing was recognized: there is no speech object, the channel cannot be listened to, or the engine
    /// gave nothing.
    Nothing,
}

/// One of the things that may have been said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpeechResult {
    /// How sure the engine is; mostly 0 to 1,000.
    pub score: i64,
    /// What was said.
    pub text: BString,
    /// The grammar that has it.
    pub grammar: BString,
}

impl<'a> SpeechRecognize<'a> {
    /// A prompt by its name, without extension, and how long to listen after it: whole seconds, rounded up;
    /// `None` for ever. Asterisk takes zero for that too, so zero is refused.
    pub fn new<T: AsRef<[u8]> + ?Sized>(prompt: &'a T, timeout: impl Into<Option<Duration>>) -> Self {
        Self { prompt: BStr::new(prompt), timeout: timeout.into(), offset: None }
    }

    /// Begins so many samples into the prompt: 8,000 a second unless its format has another rate.
    pub fn offset(mut self, samples: u32) -> Self {
        self.offset = Some(samples);
        self
    }
}

impl Command for SpeechRecognize<'_> {
    type Reply = Recognition;
    const INFO: CommandInfo = CommandInfo::new("SPEECH RECOGNIZE").format(ReplyFormat::Speech);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("SPEECH RECOGNIZE").argument("prompt", self.prompt);
        let seconds = match self.timeout {
            None => 0,
            Some(Duration::ZERO) => {
                line.refuse_argument("timeout", "is zero, which Asterisk takes for ever");
                0
            }
            Some(timeout) => line.seconds("timeout", timeout),
        };
        line.number(seconds.into()).optional_number(self.offset);
    }

    fn decode(response: &Response<'_>) -> Result<Recognition, ReplyError> {
        let unexpected = || response.unexpected();
        let samples = || reply::samples(response);
        match (response.code(), response.tag().map(|tag| tag.as_bytes())) {
            (Some(0), None) => Ok(Recognition::Nothing),
            (Some(1), Some(b"speech")) => {
                Ok(Recognition::Speech { results: results(response), samples: samples()? })
            }
            (Some(1), Some(b"digit")) => {
                let digit = response.field("digit").and_then(|digit| match digit.as_bytes() {
                    &[digit] => Digit::from_code(digit.into()),
                    _ => None,
                });
                Ok(Recognition::Digit { digit: digit.ok_or_else(unexpected)?, samples: samples()? })
            }
            (Some(1), Some(b"hangup")) => Ok(Recognition::HungUp { samples: samples()? }),
            (Some(1), Some(b"timeout")) => Ok(Recognition::TimedOut { samples: samples()? }),
            _ => Err(unexpected()),
        }
    }
}

/// `score0=900 text0="yes" grammar0=answers score1=...`: a score begins each; what Asterisk cut off is
/// left out.
fn results(response: &Response<'_>) -> Vec<SpeechResult> {
    let mut results: Vec<SpeechResult> = Vec::new();
    for (name, value) in response.fields() {
        let kind = name.trim_end_with(|c| c.is_ascii_digit());
        match (kind, results.last_mut()) {
            (b"score", _) => {
                let score = value.to_str().ok().and_then(|score| score.parse().ok()).unwrap_or_default();
                results.push(SpeechResult { score, text: BString::default(), grammar: BString::default() });
            }
            (b"text", Some(result)) => result.text = value.into(),
            (b"grammar", Some(result)) => result.grammar = value.into(),
            _ => {}
        }
    }
    results
}

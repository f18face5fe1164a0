//! Commands of the speech recognition, for which Asterisk needs an engine: a module of its own.
//!
//! A session has one speech object. [`SpeechCreate`] makes it, [`SpeechDestroy`] or the end of the session
//! ends it; without it every other command of these is answered "no". They are in Asterisk's module
//! `res_speech`.

use alloc::format;
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

/// Takes the results apart by Asterisk's fixed format, in which the text is raw:
///
/// ```text
/// results = *( "score" i "=" number SP "text" i "=" DQUOTE text DQUOTE SP "grammar" i "=" name )   ; a SP between them
/// ```
///
/// The last text ends at the last `" grammar`, whatever it says; one before another ends at the first. A part that Asterisk
/// cut off is left out.
fn results(response: &Response<'_>) -> Vec<SpeechResult> {
    let count = response.number("results").and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let mut results = Vec::new();
    let mut rest: &[u8] = response.tail();
    while let Some((_, scored)) = rest.split_once_str(&format!(" score{}=", results.len())) {
        let i = results.len();
        let (score, after) = scored.split_once_str(" ").unwrap_or((scored, b""));
        let score = score.to_str().ok().and_then(|score| score.parse().ok()).unwrap_or_default();
        let quoted = after.strip_prefix(format!("text{i}=\"").as_bytes()).unwrap_or_default();
        let end = format!("\" grammar{i}=");
        let is_last = i + 1 >= count;
        let at = if is_last { quoted.rfind(&end) } else { quoted.find(&end) };
        let (text, named) = at.map_or((quoted, &b""[..]), |at| (&quoted[..at], &quoted[at + end.len()..]));
        let next = if is_last { None } else { named.find(format!(" score{}=", i + 1)) };
        let (grammar, others) = named.split_at(next.unwrap_or(named.len()));
        results.push(SpeechResult { score, text: text.into(), grammar: grammar.into() });
        rest = others;
        if is_last {
            break;
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(raw: &str) -> Vec<(i64, BString, BString)> {
        let response = Response::parse(raw.as_bytes()).expect("a response");
        let Ok(Recognition::Speech { results, .. }) = SpeechRecognize::decode(&response) else {
            panic!("no speech: {raw}")
        };
        results.into_iter().map(|result| (result.score, result.text, result.grammar)).collect()
    }

    fn speech(count: usize, rest: &str) -> Vec<(i64, BString, BString)> {
        texts(&format!("200 result=1 (speech) endpos=8000 results={count} {rest}"))
    }

    #[test]
    fn text_ends_where_the_format_says() {
        let xml = r#"<action name="call" to="bob"/>"#;
        let one = speech(1, &format!("score0=90 text0=\"{xml}\" grammar0=g"));
        assert_eq!(one, [(90, xml.into(), "g".into())]);
        let two = speech(2, &format!("score0=90 text0=\"{xml}\" grammar0=g h score1=5 text1=\"\" grammar1="));
        assert_eq!(two, [(90, xml.into(), "g h".into()), (5, "".into(), "".into())]);
    }

    #[test]
    fn text_makes_no_result_that_nobody_sent() {
        let forged = r#"a" grammar0=x score1=9 text1="b"#;
        let one = speech(1, &format!("score0=90 text0=\"{forged}\" grammar0=g"));
        assert_eq!(one, [(90, forged.into(), "g".into())]);
        for forged in [" score1=9 text1=\"b\"", " score0=1 text0=\"c\" grammar0=d"] {
            let one = speech(1, &format!("score0=90 text0=\"{forged}\" grammar0=g"));
            assert_eq!(one, [(90, forged.into(), "g".into())]);
        }
    }

    #[test]
    fn parts_that_asterisk_cut_off_are_left_out() {
        assert_eq!(
            speech(2, "score0=90 text0=\"yes\" grammar0=g score1="),
            [(90, "yes".into(), "g".into()), (0, "".into(), "".into())]
        );
        assert_eq!(speech(1, "score0=90 text0=\"ye"), [(90, "ye".into(), "".into())]);
        assert_eq!(speech(0, ""), []);
    }
}

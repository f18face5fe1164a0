//! The commands: their words, whether a dead channel runs them, and what they do.

mod dialplan;
mod exec;
mod line;
mod media;
mod say;
mod speech;
mod text;
pub(crate) mod usage;
mod values;

use std::ops::RangeInclusive;

use agi_proto::BString;

use super::job::{Answer, Work};
use super::state::CallState;

/// What a command does at first.
pub(crate) enum Begun {
    Answer(Answer),
    Usage,
    Runs(Work),
    /// It runs, and says so.
    Trying(Work),
}

pub(crate) type Run = fn(&mut CallState, &[BString]) -> Begun;

pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// How many words a line may have, those of the command among them.
    pub(crate) words: RangeInclusive<usize>,
    pub(crate) on_dead_channel: bool,
    pub(crate) run: Run,
}

const ANY: usize = usize::MAX;

/// The command that a line names, and the words behind its name.
pub(crate) fn find(words: &[BString]) -> Option<(&'static Spec, &[BString])> {
    TABLE.iter().find_map(|spec| {
        let count = spec.name.split(' ').count();
        let named = words.len() >= count
            && words
                .iter()
                .zip(spec.name.split(' '))
                .all(|(word, name)| word.eq_ignore_ascii_case(name.as_bytes()));
        named.then(|| (spec, &words[count..]))
    })
}

pub(crate) fn result(n: i64) -> Begun {
    Begun::Answer(Answer::result(n))
}

const fn live(name: &'static str, words: RangeInclusive<usize>, run: Run) -> Spec {
    Spec { name, words, on_dead_channel: false, run }
}

const fn dead(name: &'static str, words: RangeInclusive<usize>, run: Run) -> Spec {
    Spec { name, words, on_dead_channel: true, run }
}

const TABLE: &[Spec] = &[
    live("ANSWER", 1..=ANY, line::answer),
    dead("ASYNCAGI BREAK", 2..=ANY, |_, _| result(0)),
    live("CHANNEL STATUS", 2..=3, line::status),
    live("CONTROL STREAM FILE", 5..=10, media::control_stream_file),
    dead("DATABASE DEL", 4..=4, values::database_del),
    dead("DATABASE DELTREE", 3..=4, values::database_del_tree),
    dead("DATABASE GET", 4..=4, values::database_get),
    dead("DATABASE PUT", 5..=5, values::database_put),
    dead("EXEC", 2..=ANY, exec::exec),
    live("GET DATA", 3..=ANY, media::get_data),
    dead("GET FULL VARIABLE", 4..=5, values::get_full_variable),
    live("GET OPTION", 4..=5, media::get_option),
    dead("GET VARIABLE", 3..=3, values::get_variable),
    live("GOSUB", 4..=5, dialplan::gosub),
    live("HANGUP", 1..=2, line::hangup),
    dead("NOOP", 1..=ANY, |_, _| result(0)),
    live("RECEIVE CHAR", 3..=3, text::receive_char),
    live("RECEIVE TEXT", 3..=3, text::receive_text),
    live("RECORD FILE", 6..=ANY, media::record_file),
    live("SAY ALPHA", 4..=5, say::alpha),
    live("SAY DATE", 4..=4, say::date),
    live("SAY DATETIME", 4..=ANY, say::datetime),
    live("SAY DIGITS", 4..=4, say::digits),
    live("SAY NUMBER", 4..=5, say::number),
    live("SAY PHONETIC", 4..=4, say::phonetic),
    live("SAY TIME", 4..=4, say::date),
    live("SEND IMAGE", 3..=3, |_, _| result(0)),
    live("SEND TEXT", 3..=3, text::send_text),
    live("SET AUTOHANGUP", 3..=3, line::autohangup),
    live("SET CALLERID", 2..=ANY, line::caller_id),
    live("SET CONTEXT", 3..=3, dialplan::context),
    live("SET EXTENSION", 3..=3, dialplan::extension),
    live("SET MUSIC", 3..=ANY, |_, _| result(0)),
    live("SET PRIORITY", 3..=3, dialplan::priority),
    dead("SET VARIABLE", 4..=4, values::set_variable),
    live("SPEECH ACTIVATE GRAMMAR", 4..=4, speech::activate),
    live("SPEECH CREATE", 2..=ANY, speech::create),
    live("SPEECH DEACTIVATE GRAMMAR", 4..=4, speech::deactivate),
    dead("SPEECH DESTROY", 2..=ANY, speech::destroy),
    live("SPEECH LOAD GRAMMAR", 5..=5, speech::load),
    live("SPEECH RECOGNIZE", 4..=ANY, speech::recognize),
    live("SPEECH SET", 4..=4, speech::set),
    dead("SPEECH UNLOAD GRAMMAR", 4..=4, speech::deactivate),
    live("STREAM FILE", 4..=5, media::stream_file),
    live("TDD MODE", 3..=3, |_, _| result(0)),
    dead("VERBOSE", 2..=ANY, text::verbose),
    live("WAIT FOR DIGIT", 4..=4, media::wait_for_digit),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_47_commands_and_13_run_on_a_dead_channel() {
        assert_eq!(TABLE.len(), 47);
        assert_eq!(TABLE.iter().filter(|spec| spec.on_dead_channel).count(), 13);
    }
}

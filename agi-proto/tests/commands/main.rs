//! Every command: how it is written, how Asterisk takes it apart, and what each of its answers means.
#![allow(clippy::unwrap_used, missing_docs)]

mod expect;
mod refused;
mod table;

use std::collections::BTreeMap;
use std::fmt::Debug;

use agi_proto::commands::{ALL, GetData};
use agi_proto::reply::Digits;
use agi_proto::{
    Command, CommandEncoder, CommandInfo, ReplyErrorKind, ReplyFormat, Response, WhenInterrupted, arguments,
};

/// What an answer is expected to be.
#[derive(Debug, PartialEq)]
pub enum Is<T> {
    Value(T),
    Failed,
    Unexpected,
}

/// The rows of the table, checked as they come.
#[derive(Default)]
pub struct Table {
    seen: BTreeMap<&'static str, CommandInfo>,
}

impl Table {
    /// A command: values with their line and its arguments (`|` between them), then answers with their meaning.
    fn row<C, const L: usize, const R: usize>(
        &mut self,
        lines: [(C, &str, &str); L],
        replies: [(&str, Is<C::Reply>); R],
    ) where
        C: Command,
        C::Reply: Debug + PartialEq,
    {
        let name = C::INFO.name;
        for (command, line, arguments) in lines {
            assert_eq!(written(&command, 2047).unwrap(), line, "{name}");
            let arguments = arguments.split('|').take(if arguments.is_empty() { 0 } else { usize::MAX });
            let words: Vec<&str> = name.split(' ').chain(arguments).collect();
            assert_eq!(arguments::split(line.as_bytes()), words, "{name}: {line}");
            // these may depend on the arguments
            assert_eq!(command.info().secrecy(C::INFO.secrecy).music(C::INFO.music), C::INFO);
        }
        for (raw, is) in replies {
            assert_eq!(meaning::<C>(raw), is, "{name}: {raw}");
        }
        let strange: &[&str] = &["200 ", "200 result=banana (x", "200 odd"];
        for raw in strange {
            assert!(!matches!(meaning::<C>(raw), Is::Failed), "{name}: {raw}");
        }
        assert!(self.seen.insert(name, C::INFO).is_none(), "{name} is in the table twice");
    }
}

/// A command's line, without its end.
pub fn written(command: &impl Command, limit: usize) -> Result<String, agi_proto::EncodeError> {
    let mut bytes = Vec::new();
    let mut line = CommandEncoder::new(&mut bytes, command.info().name, limit);
    command.encode(&mut line);
    line.finish()?;
    assert_eq!(bytes.pop(), Some(b'\n'));
    Ok(String::from_utf8(bytes).unwrap())
}

/// What an answer means on a live channel.
pub fn meaning<C: Command>(raw: &str) -> Is<C::Reply> {
    match C::decode(&Response::parse(raw.as_bytes()).unwrap()) {
        Ok(value) => Is::Value(value),
        Err(error) => {
            assert_eq!(error.response, raw);
            match error.kind {
                ReplyErrorKind::Failed => Is::Failed,
                _ => Is::Unexpected,
            }
        }
    }
}

#[test]
fn every_command_is_in_the_table() {
    let mut table = Table::default();
    table::fill(&mut table);
    let known: BTreeMap<_, _> = ALL.iter().map(|info| (info.name, *info)).collect();
    assert_eq!(table.seen, known, "a command has its row here and its row in the method table");
    assert_eq!(known.len(), 47);
    assert!(ALL.is_sorted_by_key(|info| info.name));
}

/// Small letters are digits, too, and what the manager steers (1000 to 1004, cut to a byte) is none.
#[test]
fn what_asterisk_takes_for_digits() {
    let data = |raw: &[u8]| GetData::decode(&Response::parse(raw).unwrap()).ok();
    assert_eq!(
        data(b"200 result=\xe812\xec3 (timeout)"),
        Some(Digits { digits: "123".into(), timed_out: true })
    );
    assert_eq!(data(b"200 result=1a"), Some(Digits { digits: "1A".into(), timed_out: false }));
    assert_eq!(data(b"200 result=1\xe7"), None);
    assert_eq!(data(b"200 result=1\xed"), None);
}

#[test]
fn what_the_conversation_knows_of_commands() {
    let those = |is: fn(&CommandInfo) -> bool| {
        ALL.iter().filter(|info| is(info)).map(|info| info.name).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        those(|info| info.on_dead_channel),
        "ASYNCAGI BREAK, DATABASE DEL, DATABASE DELTREE, DATABASE GET, DATABASE PUT, EXEC, GET FULL VARIABLE, \
         GET VARIABLE, NOOP, SET VARIABLE, SPEECH DESTROY, SPEECH UNLOAD GRAMMAR, VERBOSE"
    );
    assert_eq!(
        those(|info| info.when_interrupted == WhenInterrupted::Stops),
        "GET DATA, GET OPTION, STREAM FILE, WAIT FOR DIGIT"
    );
    assert_eq!(
        those(|info| info.when_interrupted == WhenInterrupted::StopsInEagi),
        "SAY ALPHA, SAY DIGITS, SAY NUMBER, SAY PHONETIC"
    );
    assert_eq!(
        those(|info| info.format == ReplyFormat::Value),
        "DATABASE GET, GET FULL VARIABLE, GET VARIABLE, RECEIVE TEXT"
    );
    assert_eq!(those(|info| info.format == ReplyFormat::Speech), "SPEECH RECOGNIZE");
    assert_eq!(those(|info| info.format == ReplyFormat::Exec), "EXEC");
    assert_eq!(
        those(|info| info.failure_may_be_hangup),
        "ANSWER, CONTROL STREAM FILE, GET DATA, GET OPTION, RECEIVE CHAR, RECEIVE TEXT, RECORD FILE, SAY ALPHA, \
         SAY DATE, SAY DATETIME, SAY DIGITS, SAY NUMBER, SAY PHONETIC, SAY TIME, SEND IMAGE, SEND TEXT, STREAM FILE, \
         WAIT FOR DIGIT"
    );
}

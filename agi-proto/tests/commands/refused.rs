//! Values that Asterisk would misread: none is sent.

use std::time::Duration;

use agi_proto::commands::playback::ControlStreamFile;
use agi_proto::commands::*;
use agi_proto::{Command, EncodeError, EscapeDigits};

use crate::written;

const NONE: EscapeDigits = EscapeDigits::NONE;

fn refused(command: impl Command) -> &'static str {
    match written(&command, 8191) {
        Err(EncodeError::InvalidArgument { command: name, argument, .. }) => {
            assert_eq!(name, command.info().name);
            argument
        }
        Err(EncodeError::ForbiddenByte { argument, .. }) => argument,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_asterisk_would_misread_is_refused_by_name() {
    let long = Duration::from_secs(1 << 40);
    let file = ControlStreamFile::new("f", NONE);
    assert_eq!(refused(file.forward(NONE)), "forward or rewind");
    assert_eq!(refused(file.rewind(NONE)), "forward or rewind");
    assert_eq!(refused(file.offset(long)), "offset");
    assert_eq!(refused(file.offset_from_end(long)), "offset");
    assert_eq!(refused(file.skip(long)), "skip");
    assert_eq!(refused(DatabaseDelTree::new("")), "family");
    assert_eq!(refused(DatabaseDelTree::new("a%")), "family");
    assert_eq!(refused(DatabaseDelTree::new("f").key_tree("%")), "key tree");
    assert_eq!(refused(GetData::new("f").timeout(Duration::ZERO)), "timeout");
    assert_eq!(refused(GetData::new("f").max_digits(0)), "max digits");
    assert_eq!(refused(GetData::new("f").max_digits(1024)), "max digits");
    assert_eq!(refused(GetVariable::new("a\nb")), "name");
    assert_eq!(refused(Exec::new("X").args(&["a", "b\r"])), "arguments");
    assert_eq!(refused(RecordFile::new("f", "g", NONE, long)), "timeout");
    for silence in
        [Duration::ZERO, Duration::from_millis(2_147_483_001), Duration::from_secs(2_147_484), long]
    {
        assert_eq!(refused(RecordFile::new("f", "g", NONE, None).silence(silence)), "silence");
    }
    let longest = RecordFile::new("f", "g", NONE, None).silence(Duration::from_secs(2_147_483));
    assert_eq!(written(&longest, 2047).unwrap(), r#"RECORD FILE "f" "g" "" -1 "s=2147483""#);
    assert_eq!(refused(SayDate::new(1 << 31, NONE)), "time");
    assert_eq!(refused(SayTime::new(-(1 << 31) - 1, NONE)), "time");
    for digits in ["", "x1", "+", "--1", " 1"] {
        assert_eq!(refused(SayDigits::new(digits, NONE)), "digits");
    }
    assert_eq!(refused(SetAutohangup::new(Duration::ZERO)), "time");
    assert_eq!(refused(SetAutohangup::new(Duration::MAX)), "time");
    for number in ["<1", "1>", "\""] {
        assert_eq!(refused(SetCallerId::new(number)), "number");
    }
    assert_eq!(refused(SetCallerId::new("1").name("\n")), "caller id");
    for label in ["2nd-try", " 2", "\x0b2x", "+2", "-1", "\t-2x", "1 ", "2147483648", "99999999999999999999"]
    {
        assert_eq!(refused(SetPriority::new(label)), "priority", "{label:?}");
        assert_eq!(refused(Gosub::new("c", "e", label)), "priority", "{label:?}");
    }
    for label in
        ["", "2", "007", "2147483647", "000000000002147483647", "-", "--2", "try-2", "n+1", "+ 2", "é2"]
    {
        assert!(written(&SetPriority::new(label), 2047).is_ok(), "{label:?}");
        assert!(written(&Gosub::new("c", "e", label), 2047).is_ok(), "{label:?}");
    }
    let (most, more) = ("x".repeat(79), "x".repeat(80));
    assert_eq!(refused(SetContext::new(&more)), "context");
    assert_eq!(refused(SetExtension::new(&more)), "extension");
    assert!(
        written(&SetContext::new(&most), 2047).is_ok() && written(&SetExtension::new(&most), 2047).is_ok()
    );
    assert_eq!(refused(SetVariable::new("", "x")), "name");
    for timeout in [long, Duration::ZERO] {
        assert_eq!(refused(SpeechRecognize::new("f", timeout)), "timeout");
    }
    assert_eq!(refused(DatabaseDelTree::new("f").key_tree("")), "key tree");
    assert_eq!(refused(WaitForDigit::new(long)), "timeout");
}

/// Asterisk takes the expression apart at commas, and counts parentheses and brackets.
#[test]
fn an_exact_variable_has_a_name_that_an_expression_holds() {
    for name in ["", "A,B", "X)", "(X", "F(a)(", "F(a),b", "A[", "]A[", "a=b", "a b}", &"x".repeat(501)] {
        let exact = GetVariableExact::new(name);
        assert!(matches!(written(&exact, 8191), Err(EncodeError::InvalidArgument { .. })), "{name}");
        assert!(SetVariableExact::new(name, "x").is_err(), "{name}");
    }
    for name in
        ["A", "__A", "CALLERID(num)", "DB(a/b)", "F(a,b)", "F((a,b),[c,d])", "X:1:2", &"x".repeat(500)]
    {
        assert!(written(&GetVariableExact::new(name), 8191).is_ok(), "{name}");
        assert!(SetVariableExact::new(name, "x").is_ok(), "{name}");
    }
}

#[test]
fn a_caller_id_has_255_bytes() {
    for (length, fits) in [(249, true), (250, false)] {
        let name = "n".repeat(length);
        assert_eq!(written(&SetCallerId::new("1").name(&name), 8191).is_ok(), fits);
    }
    // each counts twice, as Asterisk must find it escaped
    let name = "\"".repeat(125);
    assert!(written(&SetCallerId::new("1").name(&name), 8191).is_err());
}

#[test]
fn an_escaped_argument_comes_back_unchanged() {
    for argument in ["", "a", "a,b", "\"", "\\", "(", ")(", "[,]", "([)]", ",,", "\\,\"(", "((a)", "é, ü"] {
        let list = format!("{},next", escape_argument(argument));
        assert_eq!(separated(&list), [argument, "next"], "{list}");
    }
    assert!(matches!(escape_argument("plain (text) [1]"), std::borrow::Cow::Borrowed(_)));
}

/// How an application takes its arguments apart (its standard way, in Asterisk's `main/app.c`).
fn separated(list: &str) -> Vec<String> {
    let (mut arguments, mut parentheses, mut brackets, mut quoted) = (vec![String::new()], 0, 0, false);
    let mut characters = list.chars();
    while let Some(c) = characters.next() {
        match c {
            '(' => parentheses += 1,
            ')' if parentheses > 0 => parentheses -= 1,
            '[' => brackets += 1,
            ']' if brackets > 0 => brackets -= 1,
            '"' => {
                quoted = !quoted;
                continue;
            }
            '\\' => {
                arguments.last_mut().unwrap().extend(characters.next());
                continue;
            }
            ',' if parentheses == 0 && brackets == 0 && !quoted => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        arguments.last_mut().unwrap().push(c);
    }
    arguments
}

//! The exact read and write.

use agi_proto::commands::GetVariable;
use agi_proto::{BString, EncodeError};
use agi_tests::service::block_on;

use super::{Error, Line};

#[test]
fn every_byte_comes_back() {
    let bytes: Vec<u8> = (1..=255).collect();
    let mut reversed = bytes.clone();
    reversed.reverse();
    let forged = b")\n200 result=1 (x)\nHANGUP\n".to_vec();
    let mut all = vec![bytes, reversed, forged.clone(), [&b"x)\n"[..], &forged, b"\n\n):;)"].concat()];
    for text in
        ["", " ", "\n", "a:b):c", "):", "$", "${X}", "\\", "\"", ")", "(", "=", "200 result=-1\n", "a,b;c|d"]
    {
        all.push(text.into());
    }
    all.insert(0, (0..24_000_u32).map(|at| (at * 7 % 255 + 1) as u8).collect());
    let mut line = Line::with(|call| call.report("NAME"));
    for value in &all {
        block_on(line.channel.set_variable_exact("NAME", value)).unwrap();
        let found = block_on(line.channel.get_variable_exact("NAME")).unwrap();
        assert_eq!(found, *value);
        assert!(!line.channel.is_hung_up());
    }
    let last = all.pop().unwrap();
    block_on(line.channel.resync()).unwrap();
    // errors that are logged are of the manager's events, which are UTF-8
    assert_eq!(line.finish().variables["NAME"], last);
}

#[test]
fn every_byte_of_a_preset_value_is_read() {
    let forged = b")\n200 result=1 (x)\nHANGUP\n".to_vec();
    let bytes: Vec<u8> = (1..=255).chain(1..=255).collect();
    let mut line = Line::with(|call| call.preset("FORGED", forged.clone()).preset("BYTES", bytes.clone()));
    for (name, value) in [("FORGED", forged), ("BYTES", bytes), ("UNSET", Vec::new())] {
        assert_eq!(block_on(line.channel.get_variable_exact(name)).unwrap(), value);
    }
    line.finish();
}

#[test]
fn what_was_set_before_is_restored() {
    for before in [None, Some("no"), Some("yes"), Some("")] {
        let mut line = Line::with(|call| match before {
            Some(before) => call.preset("AGIEXECFULL", before),
            None => call,
        });
        block_on(line.channel.set_variable_exact("NAME", "a\nb")).unwrap();
        let after = line.send(GetVariable::new("AGIEXECFULL")).unwrap();
        // nothing unsets a variable: empty is as good
        assert_eq!(after, Some(BString::from(before.unwrap_or_default())), "{before:?}");
        line.end();
    }
}

#[test]
fn functions_and_inherited_names_are_set() {
    let mut line = Line::with(|call| call.report("CALLERID(name)"));
    let value = b"a \"b\"\\c\n(d)";
    block_on(line.channel.set_variable_exact("CALLERID(name)", value)).unwrap();
    block_on(line.channel.set_variable_exact("__KIN", value)).unwrap();
    for name in ["CALLERID(name)", "KIN"] {
        assert_eq!(block_on(line.channel.get_variable_exact(name)).unwrap(), &value[..]);
    }
    assert_eq!(line.end().variables["CALLERID(name)"], value);
}

#[test]
fn what_cannot_be_carried_is_an_error() {
    let mut line = Line::new();
    let nul = block_on(line.channel.set_variable_exact("NAME", b"a\0b")).unwrap_err();
    assert!(
        matches!(nul, Error::Encode(EncodeError::ForbiddenByte { argument: "value", byte: 0, at: 1, .. })),
        "{nul:?}"
    );
    for name in ["", "A}", "${A}", "A=B", "A\nB"] {
        assert!(
            matches!(block_on(line.channel.set_variable_exact(name, "x")), Err(Error::Encode(_))),
            "{name}"
        );
        assert!(matches!(block_on(line.channel.get_variable_exact(name)), Err(Error::Encode(_))), "{name}");
    }
    // it cannot be written, and the check afterwards tells
    let read_only = block_on(line.channel.set_variable_exact("UNIQUEID", "x")).unwrap_err();
    assert!(matches!(read_only, Error::Reply(_)), "{read_only:?}");
    assert_eq!(line.send(GetVariable::new("AGIEXECFULL")).unwrap(), Some("".into()));
    line.finish();
}

#[test]
fn a_dead_channel_keeps_its_variables() {
    let mut line = Line::new();
    block_on(line.channel.hangup()).unwrap();
    assert!(block_on(line.channel.answer()).unwrap_err().is_hangup());
    block_on(line.channel.set_variable_exact("NAME", "a\nb")).unwrap();
    assert_eq!(block_on(line.channel.get_variable_exact("NAME")).unwrap(), "a\nb");
    line.end();
}

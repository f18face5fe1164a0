//! A second opinion on the encoder: what is sent at random is what Asterisk has.

use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::{Exec, SetVariable};
use agi_tests::asterisk::Event;
use agi_tests::service::block_on;
use fastrand::Rng;

use super::{Line, TIME};

const CALLS: u64 = 75;
const VALUES: usize = 40;

/// Pieces of which values are made.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\\"",
    "\\\\",
    " ",
    "  ",
    "\t",
    "'",
    "''",
    "${X}",
    "${",
    "}",
    "$[1+1]",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ":",
    "=",
    "|",
    "&",
    "#",
    "*",
    "-1",
    "200 result=1 (x)",
    "HANGUP",
    "NOOP",
    "ü",
    "日本",
    "a",
    "B",
    "0042",
    "%0a",
    "\\n",
    "\x01",
    "\x1b",
    "\x7f",
];

fn value(rng: &mut Rng, pieces: &[&str]) -> String {
    (0..rng.usize(0..12)).map(|_| *rng.choice(pieces).unwrap()).collect()
}

/// Random from run to run; a failure prints the seed, which this variable repeats.
fn seed() -> u64 {
    match std::env::var("AGI_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => fastrand::u64(..),
    }
}

fn executed(events: &[Event], name: &str) -> usize {
    events.iter().filter(|event| event.is("AGIExecStart") && event.get("Command").starts_with(name)).count()
}

#[test]
fn values_at_random_arrive() {
    let seed = seed();
    for call in 0..CALLS {
        let mut rng = Rng::with_seed(seed.wrapping_add(call));
        let context = format!("AGI_TEST_SEED={seed}, call {call}");
        let names: Vec<_> = (0..VALUES).map(|at| format!("V{at}")).collect();
        let values: Vec<_> = names.iter().map(|_| value(&mut rng, PIECES)).collect();
        let mut line = Line::with(|call| call.report("V0").report("V1").report("V2").report("V3"));
        for (name, value) in names.iter().zip(&values) {
            line.send(SetVariable::new(name, value)).unwrap();
        }
        for (name, value) in names.iter().zip(&values) {
            let found = block_on(line.channel.get_variable_exact(name)).unwrap();
            assert_eq!(found, **value, "{context}, {name}");
        }
        let outcome = line.end();
        for (name, value) in names.iter().zip(&values).take(4) {
            // the dialplan's report cuts at a colon behind a parenthesis that closes nothing
            if !value.contains(')') {
                assert_eq!(outcome.variables[name], value.as_bytes(), "{context}, {name}");
            }
        }
        assert_eq!(executed(&outcome.events, "SET VARIABLE"), VALUES, "{context}");
        assert_eq!(executed(&outcome.events, ""), 2 * VALUES, "{context}: no second command ran");
    }
}

/// All bytes that a line can carry. The manager does not tell of commands that are not UTF-8; that nothing
/// unasked was answered is a proof too.
#[test]
fn bytes_at_random_arrive() {
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    let mut line = Line::new();
    for at in 0..2000 {
        let length = rng.usize(0..40);
        let bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(1..)).take(length).collect();
        let result = line.send(SetVariable::new("BYTES", &bytes));
        if bytes.iter().any(|byte| b"\r\n".contains(byte)) {
            assert!(matches!(result, Err(super::Error::Encode(_))), "AGI_TEST_SEED={seed}, {at}: {bytes:?}");
            continue;
        }
        result.unwrap();
        let found = block_on(line.channel.get_variable_exact("BYTES")).unwrap();
        assert_eq!(found, bytes, "AGI_TEST_SEED={seed}, {at}");
    }
    block_on(line.channel.resync()).unwrap();
    line.finish();
}

/// Each argument of an application's list arrives as one. UserEvent shows its arguments.
#[test]
fn lists_at_random_arrive() {
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    let mut line = Line::new();
    let printable: Vec<_> =
        PIECES.iter().copied().filter(|piece| !piece.contains(|c| c < ' ' || c == '\x7f')).collect();
    for at in 0..150 {
        let values: Vec<_> = (0..rng.usize(1..6)).map(|_| value(&mut rng, &printable)).collect();
        // marks at both ends, as UserEvent strips blanks
        let headers: Vec<_> =
            values.iter().enumerate().map(|(index, value)| format!("Arg{index}: <{value}>")).collect();
        let name = format!("list-{at}");
        let arguments: Vec<_> =
            std::iter::once(&*name).chain(headers.iter().map(|header| &**header)).collect();
        let ran = line.send(Exec::new("UserEvent").args(&arguments)).unwrap();
        assert_eq!(ran, ExecOutcome::Returned(0));
        let event = line.call.wait_for(|event| event.get("UserEvent") == name, TIME);
        for (index, value) in values.iter().enumerate() {
            let found = event.get(&format!("Arg{index}"));
            assert_eq!(found, format!("<{value}>"), "AGI_TEST_SEED={seed}, {at}: {values:?}");
        }
        assert_eq!(event.get(&format!("Arg{}", values.len())), "");
    }
    let outcome = line.end();
    assert_eq!(executed(&outcome.events, ""), 150);
}

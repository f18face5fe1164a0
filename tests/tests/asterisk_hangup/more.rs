//! What the guide says beside the matrix.

use super::guide::Guide;
use agi_proto::Rejection;
use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::{Answer, Exec, Noop, SetVariable};
use agi_tests::asterisk::{Asterisk, Call, Outcome, Version, Where};
use agi_tests::script::{Error, HANG, Port, Script, Tape, Tokio};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// How long nothing must arrive for it to count as nothing.
const QUIET: Duration = Duration::from_millis(250);

fn in_h(version: Version) {
    let (first, second) = (Port::open(), Port::open());
    let call = Asterisk::shared(version).call(&Call::to(first.url()).agi_in_h(second.url()));
    first.accept::<Tokio>(&Tape::default()).close().unwrap();
    let tape = Tape::default();
    let mut script = second.accept::<Tokio>(&tape);
    let mark = tape.mark();
    assert!(!script.wait_for_hangup(QUIET), "the channel is dead, and nothing says so");
    let answer = script.call(Answer::new());
    assert!(
        matches!(answer, Err(Error::Rejected(Rejection::DeadChannel { hung_up: true, .. }))),
        "{answer:?}"
    );
    assert!(script.is_hung_up());
    let began = Instant::now();
    let wait = script.call(Exec::new("Wait").arguments("60")).unwrap();
    assert_eq!(wait, ExecOutcome::Returned(-1));
    assert!(began.elapsed() < HANG, "it returns at once");
    script.call(Noop::new()).unwrap();
    script.close().unwrap();
    assert_eq!(tape.words(mark..).join(" "), "511 200 200 200 > H EOF");
    let outcome = call.finish(HANG);
    assert_eq!(outcome.agi_in_h_status.as_deref(), Some("SUCCESS"));
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
}

#[test]
fn a_script_in_the_h_extension() {
    in_h(Version::V22);
    in_h(Version::V16);
}

/// The two variables count as they are when the dialplan runs AGI.
fn set_from_the_script(version: Version) {
    let (port, tape) = (Port::open(), Tape::default());
    let call = Asterisk::shared(version).call(&Call::to(port.url()));
    let mut script = port.accept::<Tokio>(&tape);
    script.call(SetVariable::new("AGISIGHUP", "no")).unwrap();
    script.call(SetVariable::new("AGIEXITONHANGUP", "yes")).unwrap();
    let mark = tape.mark();
    call.hang_up();
    assert!(script.wait_for_hangup(HANG));
    script.call(Noop::new()).expect("it has not closed");
    script.close().unwrap();
    assert_eq!(tape.words(mark..).join(" "), "H 200 > H EOF");
    assert_eq!(call.finish(HANG).where_, Where::H);
}

#[test]
fn the_script_sets_them_too_late() {
    set_from_the_script(Version::V22);
    set_from_the_script(Version::V16);
}

/// Runs a script that drops its socket while a command runs, maybe with a reply unread.
fn rude(version: Version, unread: bool) -> Outcome {
    let port = Port::open();
    let call = Asterisk::shared(version).call(&Call::to(port.url()));
    let mut stream = port.accept_raw();
    let mut environment = Vec::new();
    while !environment.ends_with(b"\n\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        environment.push(byte[0]);
    }
    if unread {
        stream.write_all(b"NOOP\n").unwrap();
        stream.peek(&mut [0]).unwrap();
    }
    // long enough to be seen, and short enough to be waited for
    stream.write_all(b"EXEC Wait 3\n").unwrap();
    call.wait_command("EXEC");
    drop(stream);
    call.finish(HANG)
}

/// The guide's lines are those that Asterisk writes when a socket is closed too early.
#[test]
fn the_log_lines_of_the_guide() {
    let guide = Guide::read();
    let [reset, broken_pipe] = guide.log_lines()[..] else { panic!("the guide has two lines") };
    let has = |outcome: &Outcome, line: &str| {
        let (level, text) = line.split_once(" … ").unwrap();
        outcome.complaints().iter().any(|entry| entry.contains(&format!(" {level}[")) && entry.contains(text))
    };
    for version in [Version::V22, Version::V16] {
        for (unread, line, other) in [(true, reset, None), (false, broken_pipe, Some(reset))] {
            let outcome = rude(version, unread);
            assert!(has(&outcome, line), "{:#?}", outcome.log);
            assert!(other.is_none_or(|other| !has(&outcome, other)), "{:#?}", outcome.log);
        }
    }
}

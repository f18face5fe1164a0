//! Programs that a real Asterisk runs by itself: AGI and EAGI.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::thread::sleep;
use std::time::{Duration, Instant};

use agi_tests::asterisk::{Asterisk, Call, FarLeg, LiveCall, Outcome, Version, Where};

const TIME: Duration = Duration::from_secs(60);

const PROGRAMS: [(&str, &str); 5] = [
    ("process_agi", env!("CARGO_BIN_EXE_process_agi")),
    ("process_agi_tokio", env!("CARGO_BIN_EXE_process_agi_tokio")),
    ("eagi_level", env!("CARGO_BIN_EXE_eagi_level")),
    ("eagi_level_tokio", env!("CARGO_BIN_EXE_eagi_level_tokio")),
    ("probe", env!("CARGO_BIN_EXE_probe")),
];
const SURVEYS: [&str; 2] = ["process_agi", "process_agi_tokio"];
const ADAPTERS: [&str; 2] = ["blocking", "tokio"];

/// Asterisk, with the programs where it looks for them.
fn asterisk(version: Version) -> &'static Asterisk {
    let asterisk = Asterisk::shared(version);
    for (name, path) in PROGRAMS {
        // another test may have done it
        let _ = symlink(path, asterisk.agi_dir().join(name));
    }
    asterisk
}

/// The note that a survey left.
fn note(asterisk: &Asterisk, call: &str) -> String {
    asterisk.cli(&format!("database get survey {call}"))
}

fn assert_well(outcome: &Outcome, where_: Where, status: &str) {
    assert_eq!((outcome.where_, &*outcome.agi_status), (where_, status), "{:#?}", outcome.log);
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
}

fn survey(version: Version, program: &str) {
    let asterisk = asterisk(version);
    // a far leg that sends audio: without any, Asterisk does not count the time of a key
    let call = asterisk.call(&Call::to(program).far_leg(FarLeg::Tone));
    let id = call.unique_id().to_owned();
    call.wait_command("STREAM FILE");
    call.press("#");
    call.wait_command("WAIT FOR DIGIT");
    call.press("1");
    let begun = Instant::now();
    assert_well(&call.finish(TIME), Where::Next, "SUCCESS");
    assert!(begun.elapsed() < Duration::from_secs(4), "the end waits for nothing");
    assert!(note(asterisk, &id).contains("answered"), "{}", note(asterisk, &id));
}

fn survey_that_is_left(version: Version, program: &str) {
    let asterisk = asterisk(version);
    for far in [false, true] {
        let call = asterisk.call(&Call::to(program).far_leg(FarLeg::Tone));
        let id = call.unique_id().to_owned();
        call.wait_command("STREAM FILE");
        if far {
            call.hang_up_far();
        } else {
            call.hang_up();
        }
        let outcome = call.finish(TIME);
        assert_well(&outcome, Where::H, "HANGUP");
        let said = format!("{id}: the caller left early");
        assert!(outcome.log.iter().any(|entry| entry.contains(&said)), "{:#?}", outcome.log);
        assert!(note(asterisk, &id).contains("left early"), "{}", note(asterisk, &id));
    }
}

#[test]
fn a_program_serves_a_caller() {
    SURVEYS.iter().for_each(|program| survey(Version::V22, program));
}

#[test]
fn a_program_cleans_up_after_the_caller_has_left() {
    SURVEYS.iter().for_each(|program| survey_that_is_left(Version::V22, program));
}

#[test]
fn an_old_asterisk_runs_them_too() {
    survey(Version::V16, "process_agi");
    survey_that_is_left(Version::V16, "process_agi_tokio");
}

#[test]
fn a_hangup_wakes_who_waits_for_it() {
    for adapter in ADAPTERS {
        let call = asterisk(Version::V22).call(&Call::to("probe").arg(adapter).arg("hangup"));
        call.wait_command("VERBOSE");
        sleep(Duration::from_millis(300));
        call.hang_up_far();
        let outcome = call.finish(TIME);
        assert_well(&outcome, Where::H, "HANGUP");
        assert!(outcome.log.iter().any(|entry| entry.contains("it is over")), "{:#?}", outcome.log);
    }
}

#[test]
fn a_conversation_that_ends_with_the_call_ends_in_peace() {
    for program in SURVEYS {
        let call = asterisk(Version::V22).call(&Call::to(program).exit_on_hangup("yes"));
        call.wait_command("STREAM FILE");
        call.hang_up();
        assert_well(&call.finish(TIME), Where::H, "HANGUP");
    }
}

#[test]
fn a_failure_is_told_to_the_dialplan() {
    for adapter in ADAPTERS {
        let call = asterisk(Version::V22).call(&Call::to("probe").arg(adapter).arg("unknown"));
        let outcome = call.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "FAILURE"));
    }
}

/// Why the end of a conversation waits for nothing: nothing would come.
#[test]
fn asterisk_closes_nothing_before_the_program_has_ended() {
    let asterisk = asterisk(Version::V22);
    let program = asterisk.agi_dir().join("closes");
    let script = "#!/bin/sh\n\
                  while read -r line && [ -n \"$line\" ]; do :; done\n\
                  exec >&-\n\
                  timeout 1 cat > \"$0.rest\"\n\
                  exit $(($? == 124 ? 7 : 0))\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let outcome = asterisk.call(&Call::to(program.to_str().unwrap())).finish(TIME);
    // what the script says when it has waited in vain
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "FAILURE"), "{:#?}", outcome.log);
    assert!(std::fs::read(asterisk.agi_dir().join("closes.rest")).unwrap().is_empty());
}

fn hears(call: &Call) -> LiveCall {
    asterisk(Version::V22).call(&call.clone().eagi(true))
}

fn assert_tone(outcome: &Outcome) {
    let frequency = String::from_utf8_lossy(&outcome.variables["FREQUENCY"]).into_owned();
    let hertz: f64 = frequency.parse().unwrap_or_else(|_| panic!("{frequency}: {:#?}", outcome.log));
    println!("{hertz} Hz");
    assert!((hertz / 440.0 - 1.0).abs() < 0.02, "{hertz} Hz");
}

#[test]
fn the_far_leg_is_heard() {
    let level = Call::to("eagi_level").report("LEVEL");
    let probe = |adapter| Call::to("probe").arg(adapter).arg("tone");
    for call in [level, probe("blocking"), probe("tokio")] {
        let outcome = hears(&call.far_leg(FarLeg::Tone).report("FREQUENCY")).finish(TIME);
        assert_well(&outcome, Where::Next, "SUCCESS");
        assert_tone(&outcome);
        let level = outcome.variables.get("LEVEL").map(|level| String::from_utf8_lossy(level).into_owned());
        let decibels: Option<f64> = level.map(|level| level.parse().unwrap());
        assert!(decibels.is_none_or(|decibels| (0.0..40.0).contains(&decibels)), "{decibels:?} dB");
    }
}

#[test]
fn a_hangup_ends_the_audio() {
    let call = hears(&Call::to("eagi_level").arg("600").far_leg(FarLeg::Tone).report("FREQUENCY"));
    call.wait_command("ANSWER");
    sleep(Duration::from_secs(1));
    call.hang_up();
    let outcome = call.finish(TIME);
    assert_well(&outcome, Where::H, "HANGUP");
    assert_tone(&outcome);

    let call = hears(&Call::to("eagi_level_tokio").far_leg(FarLeg::Tone));
    call.wait_command("STREAM FILE");
    sleep(Duration::from_secs(1));
    call.hang_up_far();
    let outcome = call.finish(TIME);
    assert_well(&outcome, Where::H, "HANGUP");
    assert!(outcome.log.iter().any(|entry| entry.contains("heard it all")), "{:#?}", outcome.log);
}

#[test]
fn of_silence_nothing_is_heard() {
    for (adapter, heard) in [("blocking", "Err(TimedOut) false"), ("tokio", "false false")] {
        let call = hears(&Call::to("probe").arg(adapter).arg("silence").report("HEARD"));
        call.wait_command("VERBOSE");
        sleep(Duration::from_millis(300));
        call.hang_up();
        let outcome = call.finish(TIME);
        assert_well(&outcome, Where::H, "HANGUP");
        assert_eq!(String::from_utf8_lossy(&outcome.variables["HEARD"]), heard);
    }
}

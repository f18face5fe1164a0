//! `RECORD FILE` while music on hold is on corrupts Asterisk, or is never answered: the session refuses it.
#![allow(clippy::unwrap_used, missing_docs)]

use agi_proto::commands::channel::Music;
use agi_proto::commands::{
    ControlStreamFile, Exec, GetData, GetOption, RecordFile, SetMusic, StreamFile, WaitForDigit,
};
use agi_proto::{Command, EncodeError, EscapeDigits};
use agi_tests::pair::Pair;

const NONE: EscapeDigits = EscapeDigits::NONE;

fn record() -> RecordFile<'static> {
    RecordFile::new("note", "ulaw", NONE, None)
}

/// Sends a command, which is answered.
fn run(pair: &mut Pair, command: impl Command, answer: &str) {
    let _pending = pair.session.send(&command).unwrap();
    assert_eq!(pair.lines().len(), 1);
    pair.asterisk.respond(answer);
    assert_eq!(pair.events().len(), 1, "{answer}");
}

/// Whether a recording is refused; it is taken back if not.
fn is_refused(pair: &mut Pair, record: RecordFile<'_>) -> bool {
    match pair.session.send(&record) {
        Ok(_pending) => {
            pair.session.abandon();
            assert_eq!(pair.lines(), [""; 0]);
            false
        }
        Err(error) => {
            assert_eq!(error, EncodeError::MusicIsOn { command: "RECORD FILE" });
            true
        }
    }
}

fn with_music() -> Pair {
    let mut pair = Pair::new();
    run(&mut pair, SetMusic::new(Music::On), "200 result=0");
    assert!(is_refused(&mut pair, record()));
    pair
}

#[test]
fn applications_switch_the_music_as_well() {
    let mut pair = Pair::new();
    run(&mut pair, Exec::new("startmusiconhold"), "200 result=0");
    assert!(is_refused(&mut pair, record()));
    run(&mut pair, Exec::new("Wait").arguments("1"), "200 result=0");
    assert!(is_refused(&mut pair, record()));
    run(&mut pair, Exec::new("StopMusicOnHold"), "200 result=0");
    assert!(!is_refused(&mut pair, record()));
}

#[test]
fn file_that_is_played_stops_the_music() {
    let mut pair = with_music();
    run(&mut pair, StreamFile::new("beep", NONE), "200 result=0 endpos=800");
    assert!(!is_refused(&mut pair, record()));
    let mut pair = with_music();
    run(&mut pair, ControlStreamFile::new("beep", NONE), "200 result=0 endpos=-1");
    assert!(!is_refused(&mut pair, record()));
    let mut pair = with_music();
    run(&mut pair, GetOption::new("beep", NONE, None), "200 result=0 endpos=800");
    assert!(!is_refused(&mut pair, record()));
    // also a file that is missing
    let mut pair = with_music();
    let pending = pair.session.send(&StreamFile::new("missing", NONE)).unwrap();
    pair.lines();
    pair.asterisk.respond("200 result=-1 endpos=0");
    assert_eq!(pair.events(), []);
    assert_eq!(pair.lines(), ["CHANNEL STATUS"]);
    pair.asterisk.respond("200 result=6");
    assert!(pair.reply(pending).is_err() && !is_refused(&mut pair, record()));
    // a recording that begins with a beep
    let mut pair = with_music();
    run(&mut pair, record().beep(), "200 result=0 (timeout) endpos=800");
    assert!(!is_refused(&mut pair, record()));
}

#[test]
fn commands_without_a_sound_leave_the_music_on() {
    let mut pair = with_music();
    run(&mut pair, WaitForDigit::new(None), "200 result=53");
    assert!(is_refused(&mut pair, record()));
    run(&mut pair, GetData::new(""), "200 result=1");
    assert!(is_refused(&mut pair, record()));
}

/// The music goes on if the command that stops it was never written, or was refused.
#[test]
fn music_is_off_only_when_asterisk_has_answered() {
    let mut pair = with_music();
    let _pending = pair.session.send(&SetMusic::new(Music::Off)).unwrap();
    pair.session.abandon();
    assert_eq!(pair.lines(), [""; 0]);
    assert!(is_refused(&mut pair, record()));
    run(&mut pair, SetMusic::new(Music::Off), "520 Invalid command syntax.  Proper usage not available.");
    assert!(is_refused(&mut pair, record()));
    run(&mut pair, SetMusic::new(Music::Off), "200 result=0");
    assert!(!is_refused(&mut pair, record()));
}

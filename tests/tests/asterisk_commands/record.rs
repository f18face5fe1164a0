//! RECORD FILE and its ends.

use std::path::PathBuf;

use agi_proto::commands::RecordFile;
use agi_proto::commands::record::{RecordEnd, Recording};
use agi_proto::{Digit, EscapeDigits};
use agi_tests::asterisk::{Asterisk, FarLeg, Version, Where};

use super::{Line, MS, NONE, TIME, TRIES, set};

/// Where a recording lands, which is of 8,000 samples a second of 2 bytes.
fn file(name: &str) -> PathBuf {
    Asterisk::shared(Version::V22).sounds_dir().join(name).with_extension("wav")
}

/// A call whose tone has begun: it takes some tenths of a second.
fn with_tone() -> Line {
    let mut line = Line::new();
    let mut heard = || line.send(RecordFile::new("record-begin", "wav", NONE, 100 * MS)).unwrap().samples;
    while heard() == Some(0) {}
    line
}

fn seconds(recorded: Recording) -> f64 {
    recorded.samples.unwrap() as f64 / 8000.0
}

#[test]
fn time_runs_out() {
    let mut line = with_tone();
    let record = RecordFile::new("record-time", "wav", set("#"), 300 * MS);
    let recorded = line.send(record).unwrap();
    assert_eq!(recorded.end, RecordEnd::TimedOut);
    assert!((0.1..0.5).contains(&seconds(recorded)), "{recorded:?}");
    let bytes = std::fs::metadata(file("record-time")).unwrap().len();
    assert_eq!(bytes, 44 + 2 * recorded.samples.unwrap());
    let more = line.send(record.offset(recorded.samples.unwrap() as u32)).unwrap();
    assert!(more.samples > recorded.samples, "appended: {more:?}");
    let anew = line.send(record.offset(0)).unwrap();
    assert!(anew.samples < more.samples, "begun anew: {anew:?}");
    let beep = line.send(record.beep()).unwrap();
    assert_eq!(beep.end, RecordEnd::TimedOut);
    line.end();
}

#[test]
fn a_key_ends_it() {
    let mut line = Line::new();
    for (digits, key) in [(EscapeDigits::ANY, "5"), (set("#"), "#")] {
        let recorded =
            line.during(RecordFile::new("record-key", "wav", digits, None), |call| call.press(key));
        let recorded = recorded.unwrap();
        assert_eq!(recorded.end, RecordEnd::Digit(Digit::new(key.chars().next().unwrap()).unwrap()));
        assert!(recorded.samples.is_some() && recorded.end.is_recorded());
    }
    line.end();
}

#[test]
fn silence_ends_it() {
    let mut line = Line::with(|call| call.far_leg(FarLeg::Silence));
    let record = RecordFile::new("record-silence", "wav", NONE, TIME).silence(1000 * MS);
    let recorded = line.send(record).unwrap();
    assert_eq!(recorded.end, RecordEnd::TimedOut);
    // what was silent is cut off
    assert!(seconds(recorded) < 2.5, "{recorded:?}");
    line.end();
    let mut line = with_tone();
    let tone = line.send(RecordFile::new("record-tone", "wav", NONE, 1500 * MS).silence(MS)).unwrap();
    assert!(tone.end == RecordEnd::TimedOut && seconds(tone) > 0.7, "a tone is not silent: {tone:?}");
    line.end();
}

#[test]
fn a_hangup_leaves_a_recording() {
    let mut line = Line::new();
    let recorded = line.during(RecordFile::new("record-hangup", "wav", NONE, None), |call| {
        call.wait_for_file(&file("record-hangup"));
        call.hang_up_far();
    });
    let recorded = recorded.unwrap();
    assert_eq!(recorded.end, RecordEnd::HungUp);
    assert!(recorded.samples.is_some() && file("record-hangup").exists());
    assert!(line.send(RecordFile::new("record-hangup", "wav", NONE, None)).unwrap_err().is_hangup());
    assert_eq!(line.end().where_, Where::H);
}

#[test]
fn nothing_is_written() {
    let mut line = Line::new();
    for (name, format) in [("record-format", "nosuchformat"), ("/no-such-folder/record", "wav")] {
        let recorded = line.send(RecordFile::new(name, format, NONE, 100 * MS)).unwrap();
        assert_eq!(recorded, Recording { end: RecordEnd::WriteFailed, samples: None });
        assert!(!recorded.end.is_recorded());
    }
    line.finish();
}

/// The beep lasts for less than half a second: what comes behind it comes again.
#[test]
fn a_beep_is_interrupted() {
    let beep = RecordFile::new("record-beep", "wav", set("5"), 100 * MS).beep();
    let mut line = Line::new();
    let mut pressed = || line.during(beep, |call| call.press("5")).unwrap().end;
    let interrupted = RecordEnd::BeepFailed(Digit::new('5'));
    assert!((0..TRIES).any(|_| pressed() == interrupted));
    line.finish();
    let gone = || {
        let mut line = Line::new();
        let gone = line.during(beep, super::LiveCall::hang_up).unwrap();
        line.finish();
        gone.end
    };
    assert!((0..TRIES).any(|_| gone() == RecordEnd::BeepFailed(None)));
}

//! Recordings and music on hold on a real Asterisk: what the session takes for the end of the music is its end.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use agi_proto::commands::channel::Music;
use agi_proto::commands::record::RecordEnd;
use agi_proto::commands::{
    ControlStreamFile, Exec, GetOption, RecordFile, SetMusic, StreamFile, WaitForDigit,
};
use agi_proto::{Command, EncodeError, EscapeDigits};
use agi_tests::asterisk::{Asterisk, Call, FarLeg, Version};
use agi_tests::script::{Error, HANG, Port, Script, Tape, Tokio};

const NONE: EscapeDigits = EscapeDigits::NONE;
const SHORT: Duration = Duration::from_millis(100);

/// Starts the music, which is heard for a while, does something, and records.
fn recorded<C: Command>(version: Version, start: impl Command, stop: Option<C>, beep: bool) {
    let port = Port::open();
    let call = Asterisk::shared(version).call(&Call::to(port.url()).far_leg(FarLeg::Tone));
    let mut script: Tokio = port.accept(&Tape::default());
    let name = format!("music-{}", call.unique_id());
    let record = RecordFile::new(&name, "wav", NONE, SHORT);
    script.call(start).unwrap();
    let _ = script.call(WaitForDigit::new(SHORT)).unwrap();
    let refused = script.call(record);
    assert!(matches!(refused, Err(Error::Encode(EncodeError::MusicIsOn { .. }))), "{refused:?}");
    if let Some(stop) = stop {
        let _ = script.call(stop);
    }
    let record = if beep { record.beep() } else { record };
    assert_eq!(script.call(record).unwrap().end, RecordEnd::TimedOut);
    script.close().unwrap();
    let outcome = call.finish(HANG);
    assert!(!outcome.log.iter().any(|line| line.contains("magic number")), "{:#?}", outcome.log);
}

#[test]
fn recording_after_the_music() {
    for version in [Version::V22, Version::V16] {
        let on = || SetMusic::new(Music::On);
        recorded(version, on(), Some(SetMusic::new(Music::Off)), false);
        recorded(version, on(), Some(Exec::new("StopMusicOnHold")), false);
        recorded(version, Exec::new("StartMusicOnHold"), Some(SetMusic::new(Music::Off)), false);
        recorded(version, on(), None::<SetMusic<'_>>, true);
        // also a file that is missing stops it
        for file in ["beep", "missing"] {
            recorded(version, on(), Some(StreamFile::new(file, NONE)), false);
            recorded(version, on(), Some(ControlStreamFile::new(file, NONE)), false);
            recorded(version, on(), Some(GetOption::new(file, NONE, SHORT)), false);
        }
    }
}

//! Every command that takes time, given up while it runs.

use agi_proto::commands::{
    Answer, ControlStreamFile, Exec, GetData, GetOption, GetVariable, Gosub, ReceiveChar, ReceiveText,
    RecordFile, SayAlpha, SayDate, SayDateTime, SayDigits, SayNumber, SayPhonetic, SayTime, StreamFile,
    WaitForDigit,
};
use agi_proto::{Command, EscapeDigits, WhenInterrupted};
use agi_tests::asterisk::{Asterisk, Call, Version};
use agi_tests::script::{Blocking, HANG, Port, Script, Smol, Tape, Tokio};
use std::collections::BTreeSet;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

const NONE: EscapeDigits = EscapeDigits::NONE;
const SECOND: Duration = Duration::from_secs(1);

/// What stops by itself at the next command answers before this, even on a busy machine: if it did not stop, it
/// would last for half a minute at least.
const AT_ONCE: Duration = Duration::from_secs(10);

/// How often a command may end before it is given up.
const TRIES: usize = 20;

/// A row of the guide: the command, what the next one does to it, and the time until that was answered.
type Row = (&'static str, &'static str, Duration);

/// Measures each command in a call of its own, all at once.
struct Bench<'scope, 'env> {
    version: Version,
    scope: &'scope Scope<'scope, 'env>,
    rows: Vec<ScopedJoinHandle<'scope, Row>>,
}

impl<'scope> Bench<'scope, '_> {
    fn measure<S: Script, C: Command + Copy + Send + 'scope>(&mut self, label: &'static str, command: C) {
        self.measure_in::<S, C>(label, command, |call| call);
    }

    fn measure_in<S: Script, C: Command + Copy + Send + 'scope>(
        &mut self,
        label: &'static str,
        command: C,
        shape: fn(Call) -> Call,
    ) {
        let version = self.version;
        let measurement = move || give_up::<S, C>(version, label, command, shape);
        self.rows.push(self.scope.spawn(measurement));
    }
}

/// Sends the command, gives it up when Asterisk runs it, and asks for a value.
fn give_up<S: Script, C: Command + Copy>(
    version: Version,
    label: &'static str,
    command: C,
    shape: fn(Call) -> Call,
) -> Row {
    let (port, tape) = (Port::open(), Tape::default());
    let place = || {
        let call = shape(Call::to(port.url()).preset("KNOWN", label).preset("OTHER", "another"));
        let call = Asterisk::shared(version).call(&call);
        (call, port.accept::<S>(&tape))
    };
    let info = command.info();
    let (mut call, mut script) = place();
    let mut tries = 1;
    // what takes half a second may have ended before it is seen
    while !script.gives_up(command, || drop(call.wait_command(info.name))) {
        assert!(tries < TRIES, "{label} has always ended before it was given up");
        (call, script) = place();
        tries += 1;
    }
    let began = Instant::now();
    let value = script.call(GetVariable::new("KNOWN")).unwrap().unwrap();
    let time = began.elapsed();
    assert_eq!(value, label);
    assert_eq!(script.call(GetVariable::new("OTHER")).unwrap().unwrap(), "another");
    script.resync().expect("nothing else is on the way");
    script.close().unwrap();
    let outcome = call.finish(HANG);
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    let stops = info.when_interrupted == WhenInterrupted::Stops;
    assert!(!stops || time < AT_ONCE, "{label} took {time:?} to stop");
    (label, if stops { "stops" } else { "runs on" }, time)
}

fn every_command<S: Script>(version: Version) -> Vec<Row> {
    let recording = format!("cancel-{}", S::ADAPTER);
    // the file lasts for half a minute
    let file = "demo-congrats";
    std::thread::scope(|scope| {
        let mut bench = Bench { version, scope, rows: Vec::new() };
        bench.measure::<S, _>("STREAM FILE", StreamFile::new(file, NONE));
        bench.measure::<S, _>("GET DATA, while its prompt plays", GetData::new(file).timeout(None));
        bench.measure::<S, _>("GET DATA, waiting for digits", GetData::new("").timeout(None));
        bench.measure::<S, _>("GET OPTION, while its prompt plays", GetOption::new(file, NONE, SECOND));
        bench.measure::<S, _>("WAIT FOR DIGIT", WaitForDigit::new(None));
        bench.measure::<S, _>("CONTROL STREAM FILE", ControlStreamFile::new("digits/million", NONE));
        bench.measure::<S, _>("RECORD FILE", RecordFile::new(&recording, "wav", NONE, SECOND));
        bench.measure::<S, _>("SAY ALPHA", SayAlpha::new("ab", NONE));
        bench.measure::<S, _>("SAY DATE", SayDate::new(0, NONE));
        bench.measure::<S, _>("SAY DATETIME", SayDateTime::new(0, NONE));
        bench.measure::<S, _>("SAY DIGITS", SayDigits::new("12", NONE));
        bench.measure::<S, _>("SAY NUMBER", SayNumber::new(21, NONE));
        bench.measure::<S, _>("SAY PHONETIC", SayPhonetic::new("ab", NONE));
        bench.measure::<S, _>("SAY TIME", SayTime::new(0, NONE));
        bench.measure::<S, _>("RECEIVE CHAR", ReceiveChar::new(SECOND));
        bench.measure::<S, _>("RECEIVE TEXT", ReceiveText::new(SECOND));
        bench.measure::<S, _>("EXEC Wait", Exec::new("Wait").arguments("1"));
        bench.measure::<S, _>("EXEC Playback", Exec::new("Playback").arguments("digits/million"));
        bench.measure::<S, _>("EXEC Dial", Exec::new("Dial").arguments("Local/noanswer@far/n,1"));
        bench.measure::<S, _>("GOSUB", Gosub::new("subs", "slow", "1"));
        // a leg that rings takes half a second to answer
        bench.measure_in::<S, _>("ANSWER", Answer::new(), |call| call.called_leg(true).answer(false));
        bench.rows.into_iter().map(|row| row.join().unwrap()).collect()
    })
}

fn print(version: Version, adapter: &str, rows: &[Row]) {
    eprintln!("{version:?}, {adapter}:");
    for (label, stops, time) in rows {
        eprintln!("| {label} | {stops} | {:.1} ms |", time.as_secs_f64() * 1000.0);
    }
}

/// The guide's table has these commands, and says the same of them.
fn compare(rows: &[Row]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/hangup.md");
    let guide = std::fs::read_to_string(path).unwrap();
    for (label, stops, _) in rows {
        let start = format!("| {label} | {stops} | ");
        assert!(guide.lines().any(|line| line.starts_with(&start)), "the guide has no row `{start}`");
    }
    let table = guide.lines().skip_while(|line| !line.starts_with("| given up |")).skip(2);
    let table =
        table.take_while(|line| line.starts_with('|')).map(|line| line.split('|').nth(1).unwrap().trim());
    let measured: BTreeSet<&str> = rows.iter().map(|(label, ..)| *label).collect();
    assert_eq!(table.collect::<BTreeSet<_>>(), measured, "the guide's rows and those that are measured");
}

fn given_up<S: Script>(version: Version) {
    let rows = every_command::<S>(version);
    print(version, S::ADAPTER, &rows);
    compare(&rows);
}

#[test]
fn every_command_can_be_given_up() {
    given_up::<Tokio>(Version::V22);
    given_up::<Smol>(Version::V22);
    given_up::<Blocking>(Version::V22);
}

#[test]
fn every_command_can_be_given_up_on_16() {
    given_up::<Tokio>(Version::V16);
    given_up::<Smol>(Version::V16);
    given_up::<Blocking>(Version::V16);
}

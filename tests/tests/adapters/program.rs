//! Programs of an adapter, run as Asterisk does it: two pipes, a signal, and the caller's voice.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use agi_proto::PbxSession;
use agi_tests::pair::ENVIRONMENT;
use rustix::process::{Pid, Signal, kill_process};

const PROBE: &str = env!("CARGO_BIN_EXE_probe");
/// What the caller's telephone sings, and for how long, in samples.
const HERTZ: f64 = 440.0;
const LENGTH: u16 = 8_000;

/// A program that waits for the hangup is woken by the signal, and still has its say.
pub fn is_hung_up(adapter: &str) {
    let mut program = Command::new(PROBE);
    let said = converse(program.args([adapter, "hangup"]), "0.0", |line, program| {
        if line == "VERBOSE \"waiting\"" {
            kill_process(Pid::from_child(program), Signal::HUP).unwrap();
        }
        "200 result=1".into()
    });
    assert_eq!(said, ["VERBOSE \"waiting\"", "VERBOSE \"it is over\""]);
}

/// A program hears what is on descriptor 3.
pub fn hears(adapter: &str) {
    let audio = std::env::temp_dir().join(format!("agi-audio-{adapter}-{}", std::process::id()));
    let wave = |n| (10_000.0 * (f64::from(n) / 8_000.0 * HERTZ * std::f64::consts::TAU).cos()) as i16;
    fs::write(&audio, (0..LENGTH).flat_map(|n| wave(n).to_ne_bytes()).collect::<Vec<u8>>()).unwrap();
    let mut program = Command::new("sh");
    program.args(["-c", "exec \"$0\" \"$1\" tone 3<\"$2\"", PROBE, adapter]).arg(&audio);
    let said = converse(&mut program, "1.0", |line, _| match line.split('"').collect::<Vec<_>>()[..] {
        // what it plays is stopped by the barrier, and not answered
        ["STREAM FILE ", ..] => String::new(),
        ["GET FULL VARIABLE ", token, ..] => format!("200 result=1 ({token})"),
        _ => "200 result=1".into(),
    });
    fs::remove_file(audio).unwrap();
    assert_eq!(said.last().unwrap(), "SET VARIABLE \"FREQUENCY\" \"440\"");
}

/// Runs a program, answers what it asks for, and gives that.
fn converse(
    program: &mut Command,
    enhanced: &str,
    mut answer: impl FnMut(&str, &Child) -> String,
) -> Vec<String> {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut asterisk = PbxSession::new(8191);
    // Asterisk tells a program nothing of a network
    asterisk.send_environment(ENVIRONMENT[2..].iter().map(|&(name, value)| match name {
        "agi_request" => (name, "probe"),
        "agi_enhanced" => (name, enhanced),
        _ => (name, value),
    }));
    input.write_all(asterisk.poll_transmit().unwrap()).unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line.unwrap();
        let answer = answer(&line, &child);
        if !answer.is_empty() {
            input.write_all(format!("{answer}\n").as_bytes()).unwrap();
        }
        said.push(line);
    }
    assert!(child.wait().unwrap().success());
    said
}

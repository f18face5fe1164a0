//! `agi-sim load` against services that do well, and in each way badly.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// A service that runs each of its calls in a thread.
fn service(call: fn(TcpStream) -> std::io::Result<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || call(stream));
        }
    });
    format!("agi://{address}/script")
}

fn environment(stream: &TcpStream) -> BufReader<TcpStream> {
    let mut reader = BufReader::new(stream.try_clone().expect("a clone"));
    while line(&mut reader).is_ok_and(|line| line.len() > 1) {}
    reader
}

/// A line of whatever bytes; none at the end.
fn line(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Sends each command once the one before is answered, and ends when the caller is gone.
fn commands(mut stream: TcpStream, commands: &[&str]) -> std::io::Result<()> {
    let mut reader = environment(&stream);
    for command in commands {
        stream.write_all(command.as_bytes())?;
        let mut answer = line(&mut reader)?;
        while answer == b"HANGUP\n" {
            answer = line(&mut reader)?;
        }
        if answer.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}

fn well(stream: TcpStream) -> std::io::Result<()> {
    commands(stream, &["ANSWER\n", "SET VARIABLE \"A\" \"b\"\n", "GET DATA \"pin\" 2000 4\n"])
}

/// Runs `agi-sim load`, and gives whether all went well, and its report.
fn load(name: &str, url: &str, arguments: &[&str]) -> (bool, Value) {
    let file = temporary(&format!("{name}.json"));
    let status = Command::new(env!("CARGO_BIN_EXE_agi-sim"))
        .args(["load", url, "--calls", "40", "--warm-up", "2", "--concurrency", "4"])
        .args(arguments)
        .arg("--json")
        .arg(&file)
        .stdout(Stdio::null())
        .status()
        .expect("it runs");
    let report = fs::read_to_string(&file).expect("a report");
    fs::remove_file(&file).expect("it can be removed");
    (status.success(), serde_json::from_str(&report).expect("JSON"))
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("agi-sim-load-{}-{name}", std::process::id()))
}

#[test]
fn every_command_of_every_call_is_counted() {
    let (well, report) = load("counts", &service(well), &[]);
    assert!(well, "{report:#}");
    assert_eq!((&report["calls"], &report["commands"]), (&40.into(), &120.into()));
    for command in ["ANSWER", "SET VARIABLE", "GET DATA", "whole call"] {
        assert_eq!(report["us"][command]["count"], 40, "{command}");
    }
}

#[test]
fn callers_do_what_each_scenario_says() {
    for scenario in ["ivr", "slow", "hostile"] {
        let (well, report) = load(scenario, &service(well), &["--scenario", scenario]);
        assert!(well && report["commands"] == 120, "{scenario}: {report:#}");
    }
    // in turn after 1 to 8 commands, of which there are three
    let (well, report) = load("hangup", &service(well), &["--scenario", "hangup"]);
    assert!(well, "{report:#}");
    assert_eq!(report["calls"], 40);
}

#[test]
fn a_file_says_what_callers_do() {
    let file = temporary("scenario.toml");
    fs::write(&file, "hang_up_after = [1]\n[variables]\nAGIEXITONHANGUP = \"yes\"\n")
        .expect("it can be written");
    let (well, report) = load("file", &service(well), &["--file", file.to_str().expect("text")]);
    fs::remove_file(&file).expect("it can be removed");
    assert!(well, "{report:#}");
    // Asterisk has ended the session behind the first command
    assert_eq!(report["us"]["GET DATA"], Value::Null);
    assert_eq!(report["commands"], 40);
}

#[test]
fn each_kind_of_error_is_counted_apart() {
    let crossed = service(|stream| commands(stream, &["NOOP\nNOOP\n"]));
    let reset = service(|mut stream| {
        // what is left unread makes the kernel reset the connection
        stream.read_exact(&mut [0; 8])?;
        stream.write_all(b"NOO")
    });
    let silent = service(|stream| line(&mut environment(&stream)).map(drop));
    let closes = service(|stream| {
        environment(&stream);
        stream.shutdown(std::net::Shutdown::Write)
    });
    let nobody =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    let nobody = format!("agi://{nobody}/");
    for (name, url, arguments) in [
        ("crossed", &crossed, &[][..]),
        ("reset", &reset, &[]),
        ("refused", &nobody, &[]),
        ("no_command", &closes, &[]),
        ("unanswered", &silent, &["--timeout", "1", "--seconds", "1"]),
    ] {
        let (well, report) = load(name, url, arguments);
        assert!(!well, "{name}");
        assert_eq!(report["errors"][name], report["calls"], "{name}: {report:#}");
    }
}

#[test]
fn wait_for_a_free_caller_counts() {
    // four callers, whose calls take 100 ms, and 40 calls due within 40 ms: the last one is some 860 ms late
    let slow = service(|stream| {
        let mut reader = environment(&stream);
        (&stream).write_all(b"NOOP\n")?;
        line(&mut reader)?;
        thread::sleep(std::time::Duration::from_millis(100));
        stream.shutdown(std::net::Shutdown::Write)
    });
    let (well, report) = load("late", &slow, &["--rate", "1000"]);
    let longest = report["us"]["whole call"]["max"].as_f64().expect("a time");
    assert!(well && longest >= 860_000.0, "{report:#}");
}

#[test]
fn strangers_are_not_called() {
    let status = Command::new(env!("CARGO_BIN_EXE_agi-sim"))
        .args(["load", "agi://192.0.2.1/"])
        .stderr(Stdio::null())
        .status()
        .expect("it runs");
    assert_eq!(status.code(), Some(2));
}

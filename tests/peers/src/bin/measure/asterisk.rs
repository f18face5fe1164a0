//! A real Asterisk as the caller.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use agi_peers::Server;
use agi_tests::asterisk::{Asterisk, Version};

use crate::Result;
use crate::calls::{CALLERS, CORE, LONG, SHORT, median};
use crate::server::{Running, processor_time};

/// How many sessions each channel has, one after the other: some seconds' worth.
const LONG_SESSIONS: usize = 4;
const SHORT_SESSIONS: usize = 200;
/// No run comes near it.
const PATIENCE: Duration = Duration::from_secs(120);

/// What one run came to.
#[derive(Clone, Copy)]
struct Run {
    /// A second.
    commands: f64,
    sessions: f64,
    /// Microseconds of processor time for each command, the server's and Asterisk's.
    server: f64,
    asterisk: f64,
}

/// A server and its runs, long and short.
pub struct Figures {
    server: Server,
    long: Vec<Run>,
    short: Vec<Run>,
}

/// Each server in turn, over and over.
pub fn measure(servers: &[Server], rounds: usize) -> Result<Vec<Figures>> {
    let asterisk = Asterisk::start(Version::V22);
    // as one that is at work, not under test: it logs little and tells the manager little
    asterisk.action("Command", &[("Command", "core set verbose 0")]);
    asterisk.action("Command", &[("Command", "core set debug 0")]);
    asterisk.action("Events", &[("EventMask", "user")]);
    pin(asterisk.process_id())?;
    let empty = |&server| Figures { server, long: Vec::new(), short: Vec::new() };
    let mut all: Vec<Figures> = servers.iter().map(empty).collect();
    for round in 1..=rounds {
        for figures in &mut all {
            eprintln!("round {round}: Asterisk calls {}", figures.server.name);
            figures.long.push(run(&asterisk, figures.server, LONG, LONG_SESSIONS)?);
            figures.short.push(run(&asterisk, figures.server, SHORT, SHORT_SESSIONS)?);
        }
    }
    Ok(all)
}

/// All of its threads on the callers' core.
fn pin(process_id: u32) -> Result<()> {
    let pinned = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", CORE, &process_id.to_string()])
        .stdout(Stdio::null())
        .status()?;
    if pinned.success() { Ok(()) } else { Err("taskset cannot pin Asterisk".into()) }
}

fn run(asterisk: &Asterisk, server: Server, commands: usize, sessions: usize) -> Result<Run> {
    let running = Running::start(server, commands)?;
    call(asterisk, &running, 1)?; // it warms up
    let server_before = running.processor_time()?;
    let asterisk_before = processor_time(asterisk.process_id())?;
    let seconds = call(asterisk, &running, sessions)?.as_secs_f64();
    let sessions = (CALLERS * sessions) as f64;
    let commands = sessions * commands as f64;
    Ok(Run {
        commands: commands / seconds,
        sessions: sessions / seconds,
        server: (running.processor_time()? - server_before).as_secs_f64() * 1e6 / commands,
        asterisk: (processor_time(asterisk.process_id())? - asterisk_before).as_secs_f64() * 1e6 / commands,
    })
}

/// So many sessions on each channel, and how long all of them took.
fn call(asterisk: &Asterisk, running: &Running, sessions: usize) -> Result<Duration> {
    let url = format!("LOAD_URL=agi://{}/script", running.address);
    let sessions = format!("LOAD_CALLS={sessions}");
    let mark = asterisk.event_mark();
    let began = Instant::now();
    for _ in 0..CALLERS {
        asterisk.action(
            "Originate",
            &[
                ("Channel", "Local/wait@far/n"),
                ("Context", "load"),
                ("Exten", "run"),
                ("Priority", "1"),
                ("Async", "true"),
                ("Variable", &url),
                ("Variable", &sessions),
            ],
        );
    }
    let mut ended = 0;
    let mut failed = None;
    asterisk.wait_for(mark, PATIENCE, |event| {
        if event.get("UserEvent") == "LoadEnds" {
            ended += 1;
            if event.get("AgiStatus") != "SUCCESS" {
                failed = Some(event.get("AgiStatus").to_owned());
            }
        }
        ended == CALLERS
    });
    match failed {
        None => Ok(began.elapsed()),
        Some(status) => Err(format!("a session ended with {status}").into()),
    }
}

pub fn print(all: &[Figures]) {
    println!("\na real Asterisk on one core as the caller, the server on the other; medians");
    println!(
        "{:<18} {:>12} {:>10} {:>10} {:>12} {:>10} {:>10}",
        "", "commands/s", "server us", "Asterisk", "sessions/s", "server us", "Asterisk"
    );
    for Figures { server, long, short } in all {
        let of = |runs: &[Run], get: fn(&Run) -> f64| median(runs.iter().map(get).collect());
        println!(
            "{:<18} {:>12.0} {:>10.2} {:>10.2} {:>12.0} {:>10.1} {:>10.1}",
            server.name,
            of(long, |run| run.commands),
            of(long, |run| run.server),
            of(long, |run| run.asterisk),
            of(short, |run| run.sessions),
            of(short, |run| run.server * SHORT as f64),
            of(short, |run| run.asterisk * SHORT as f64),
        );
    }
}

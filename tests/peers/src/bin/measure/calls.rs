//! Processor time by command and by session.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::{env, fs};

use agi_peers::Server;
use serde_json::Value;

use crate::Result;
use crate::server::Running;

/// The core of the callers.
pub const CORE: &str = "1";
/// Long sessions show what a command costs, short ones what a session does.
pub const LONG: usize = 1000;
pub const SHORT: usize = 5;
/// At once.
pub const CALLERS: usize = 16;
const SECONDS: u64 = 2;
/// How many sessions there are at once where growth is looked at.
pub const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];
/// How many commands those have: what a session costs is little beside them, and the largest still ends soon.
const FEW: usize = 200;

/// What one run came to.
#[derive(Clone, Copy, Default)]
pub struct Run {
    /// Microseconds of the server's processor time.
    pub command: f64,
    pub session: f64,
    pub commands_a_second: f64,
    pub sessions_a_second: f64,
    pub p50: f64,
    pub p99: f64,
    /// Microseconds of the caller's processor time for a command.
    pub caller: f64,
}

/// A server and its runs, long and short.
pub struct Figures {
    pub server: Server,
    pub long: Vec<Run>,
    pub short: Vec<Run>,
}

/// Each server in turn, over and over, so that what disturbs the machine disturbs all of them.
pub fn measure(servers: &[Server], rounds: usize) -> Result<Vec<Figures>> {
    let empty = |&server| Figures { server, long: Vec::new(), short: Vec::new() };
    let mut all: Vec<Figures> = servers.iter().map(empty).collect();
    for round in 1..=rounds {
        for figures in &mut all {
            eprintln!("round {round}: {}", figures.server.name);
            figures.long.push(run(figures.server, LONG, CALLERS)?);
            figures.short.push(run(figures.server, SHORT, CALLERS)?);
        }
    }
    Ok(all)
}

/// Microseconds of a command over the number of sessions at once.
pub type Growth = BTreeMap<&'static str, Vec<(usize, f64)>>;

/// Each size in turn, over and over.
pub fn growth(servers: &[Server], rounds: usize) -> Result<Growth> {
    let servers: Vec<&Server> = servers.iter().filter(|server| server.scales).collect();
    let mut runs: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for round in 1..=rounds {
        for callers in SIZES {
            for server in &servers {
                eprintln!("round {round}: {} with {callers} sessions", server.name);
                runs.entry((server.name, callers)).or_default().push(run(**server, FEW, callers)?.command);
            }
        }
    }
    let mut all = Growth::new();
    for ((name, callers), costs) in runs {
        all.entry(name).or_default().push((callers, median(costs)));
    }
    Ok(all)
}

fn run(server: Server, commands: usize, callers: usize) -> Result<Run> {
    let running = Running::start(server, commands)?;
    load(&running, callers, 1, usize::MAX)?; // it warms up
    let before = running.processor_time()?;
    let report = load(&running, callers, SECONDS, usize::MAX)?;
    let spent = (running.processor_time()? - before).as_secs_f64() * 1e6;
    let number = |path: &str| report.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let (calls, sent, seconds) = (number("/calls"), number("/commands"), number("/seconds"));
    Ok(Run {
        command: spent / sent,
        session: spent / calls,
        commands_a_second: sent / seconds,
        sessions_a_second: calls / seconds,
        p50: number("/us/SET VARIABLE/p50"),
        p99: number("/us/SET VARIABLE/p99"),
        caller: number("/own_cpu_us_per_command"),
    })
}

/// Calls a server, and gives the report of `agi-sim load`.
pub fn load(running: &Running, callers: usize, seconds: u64, calls: usize) -> Result<Value> {
    let file = env::temp_dir().join(format!("agi-peers-{}.json", std::process::id()));
    let program = env::var_os("AGI_SIM").ok_or("AGI_SIM names no program: use tests/peers/run")?;
    let status = Command::new("taskset")
        .args(["-c", CORE])
        .arg(program)
        .args(["load", &format!("agi://{}/script", running.address), "--warm-up", "0", "--timeout", "60"])
        .args(["--concurrency", &callers.to_string(), "--seconds", &seconds.to_string()])
        .args(["--calls", &calls.to_string()])
        .arg("--json")
        .arg(&file)
        .stdout(Stdio::null())
        .status()?;
    let report: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    fs::remove_file(&file)?;
    if !status.success() {
        return Err(format!("calls failed: {}", report["errors"]).into());
    }
    Ok(report)
}

pub fn print(all: &[Figures]) {
    println!(
        "\nmedians of {} rounds, microseconds of the server's processor time",
        all.first().map_or(0, |f| f.long.len())
    );
    println!(
        "{:<18} {:>9} {:>7} {:>9} {:>7} {:>12} {:>12} {:>8} {:>8} {:>8}",
        "",
        "a command",
        "floor",
        "a session",
        "floor",
        "commands/s",
        "sessions/s",
        "p50 us",
        "p99 us",
        "caller"
    );
    for figures in all {
        let floor = all.iter().find(|other| other.server.name == figures.server.floor);
        let ratio = |get: fn(&Figures) -> Vec<f64>| {
            floor.map_or(f64::NAN, |floor| {
                // within a round, as the machine is faster in one round than in another
                median(get(figures).iter().zip(get(floor)).map(|(ours, floor)| ours / floor).collect())
            })
        };
        let long = |get: fn(&Run) -> f64| median(figures.long.iter().map(get).collect());
        let short = |get: fn(&Run) -> f64| median(figures.short.iter().map(get).collect());
        println!(
            "{:<18} {:>9.2} {:>6.3}x {:>9.1} {:>6.3}x {:>12.0} {:>12.0} {:>8.0} {:>8.0} {:>8.2}",
            figures.server.name,
            long(|run| run.command),
            ratio(|figures| figures.long.iter().map(|run| run.command).collect()),
            short(|run| run.session),
            ratio(|figures| figures.short.iter().map(|run| run.session).collect()),
            long(|run| run.commands_a_second),
            short(|run| run.sessions_a_second),
            long(|run| run.p50),
            long(|run| run.p99),
            long(|run| run.caller),
        );
    }
}

pub fn print_growth(all: &Growth) {
    println!("\nmicroseconds of processor time a command in sessions of {FEW}, over sessions at once");
    println!("{:<18} {}", "", SIZES.map(|size| format!("{size:>8}")).concat());
    for (name, costs) in all {
        println!("{name:<18} {}", costs.iter().map(|(_, cost)| format!("{cost:>8.2}")).collect::<String>());
    }
}

pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

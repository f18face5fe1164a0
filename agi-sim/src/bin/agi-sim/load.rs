//! `agi-sim load`: many calls at once.

mod call;
mod report;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use self::call::Caller;
use self::report::Report;

/// More callers at once are more than one machine should be.
const MOST: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Commands are answered at once, and nobody presses a key.
    Short,
    /// Callers press keys wherever a command listens.
    Ivr,
    /// Callers hang up after a few commands, each after another number.
    Hangup,
    /// Every answer takes 50 ms, and comes in two pieces.
    Slow,
    /// Names and variables hold line ends and forged answers, and bytes come one by one.
    Hostile,
}

#[derive(Args)]
pub(crate) struct Options {
    /// What to call, as AGI() takes it.
    url: String,
    #[arg(long, value_enum, default_value = "short")]
    scenario: Scenario,
    /// How many callers there are at once, at most 1,000.
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// How many calls a second begin; without, as many as there can be.
    #[arg(long)]
    rate: Option<f64>,
    /// End after so many calls.
    #[arg(long, default_value_t = 10_000)]
    calls: usize,
    /// End after so many seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// So many calls come first and do not count.
    #[arg(long, default_value_t = 100)]
    warm_up: usize,
    /// How long a service may take for a command, in seconds.
    #[arg(long, default_value_t = 5)]
    timeout: u64,
    /// Call a service on another machine, which you may do only where it is yours.
    #[arg(long)]
    remote: bool,
    /// A file for the report as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Gives whether every call went well.
pub(crate) fn run(options: &Options) -> io::Result<bool> {
    let address = resolve(options)?;
    let workers = options.concurrency.clamp(1, MOST);
    let timeout = Duration::from_secs(options.timeout.max(1));
    let bar = ProgressBar::new(options.calls as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} calls, {per_sec}, {elapsed} {msg}");
    bar.set_style(style.map_err(io::Error::other)?);
    let begun = AtomicUsize::new(0);
    let total = Mutex::new(Report::default());
    let phase = |calls: usize, count: bool| {
        begun.store(0, Ordering::Relaxed);
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    let mut report = Report::default();
                    let mut caller = Caller::new(&options.url, address, options.scenario, timeout);
                    loop {
                        let number = begun.fetch_add(1, Ordering::Relaxed);
                        if number >= calls || began.elapsed() >= Duration::from_secs(options.seconds) {
                            break;
                        }
                        if let Some(rate) = options.rate.filter(|rate| *rate > 0.0) {
                            let due = Duration::from_secs_f64(number as f64 / rate);
                            thread::sleep(due.saturating_sub(began.elapsed()));
                        }
                        caller.call(number, &mut report);
                        if count {
                            bar.inc(1);
                        }
                    }
                    if count {
                        // a worker that panicked has left the others' numbers whole
                        total.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(&report);
                    }
                });
            }
        });
        began.elapsed()
    };
    phase(options.warm_up, false);
    let took = phase(options.calls, true);
    bar.finish_and_clear();
    let report = total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    print!("{}", report.text(took));
    if let Some(path) = &options.json {
        std::fs::write(path, report.json(took))?;
    }
    Ok(report.errors() == 0)
}

fn resolve(options: &Options) -> io::Result<SocketAddr> {
    let invalid = |why: &str| io::Error::new(ErrorKind::InvalidInput, why.to_owned());
    let rest =
        options.url.strip_prefix("agi://").ok_or_else(|| invalid("the URL does not begin with agi://"))?;
    let host = rest.split('/').next().unwrap_or_default();
    let port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let host = if port { host.to_owned() } else { format!("{host}:4573") };
    let address = host.to_socket_addrs()?.next().ok_or_else(|| invalid("the host has no address"))?;
    if !address.ip().is_loopback() && !options.remote {
        return Err(invalid("the service is on another machine; --remote says that it is yours"));
    }
    Ok(address)
}

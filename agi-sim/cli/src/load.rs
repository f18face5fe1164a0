//! `agi-sim load`: many calls at once, from one core.

mod call;
mod report;
mod scenario;
mod show;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use agi_sim::Setup;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use self::call::{Caller, Kept};
use self::report::{Kind, Report};
use self::scenario::{BuiltIn, Scenario};
use self::show::Cost;
use crate::at;

/// As many as the ports of one address allow, and a few less.
const MOST: usize = 20_000;

#[derive(Args)]
pub(crate) struct Options {
    /// What to call, as AGI() takes it.
    url: String,
    /// What the callers do.
    #[arg(long, value_enum, default_value = "short")]
    scenario: BuiltIn,
    /// A file in TOML that says what the callers do.
    ///
    /// All of this may be left out: arguments = ["en"], caller_name, caller_number, language, version (Asterisk's);
    /// keys = "12#", pressed wherever a command listens; hang_up_after = [0, 3], after how many commands callers hang
    /// up, in turn; delay_ms, for which the second half of each answer waits; bytes_at_once, 0 for all of them;
    /// hostile_values = true, for a variable NOTE with line ends and forged answers; and in the end a table
    /// `variables` of the channel's variables.
    #[arg(long, conflicts_with = "scenario")]
    file: Option<PathBuf>,
    /// How many callers there are at once, at most 20,000.
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// How many calls a second begin, as far as a caller is free; without, as many as there can be.
    #[arg(long)]
    rate: Option<f64>,
    /// End after so many calls.
    #[arg(long, default_value_t = 10_000)]
    calls: usize,
    /// Begin no call after so many seconds.
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
    let scenario = match &options.file {
        Some(file) => Scenario::read(file)?,
        None => options.scenario.into(),
    };
    allow_many_files();
    let load = Arc::new(Load {
        address,
        setup: scenario.setup(&options.url),
        scenario,
        timeout: Duration::from_secs(options.timeout.max(1)),
        seconds: Duration::from_secs(options.seconds.max(1)),
        callers: options.concurrency.clamp(1, MOST),
        rate: options.rate.filter(|rate| *rate > 0.0),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(load.clone().calls(options.warm_up, ProgressBar::hidden()));
    let bar = ProgressBar::new(options.calls as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} calls, {msg}, {elapsed}");
    bar.set_style(style.map_err(io::Error::other)?);
    let (began, own) = (Instant::now(), processor_time());
    let report = runtime.block_on(load.calls(options.calls, bar));
    let cost = Cost { wall: began.elapsed(), own: processor_time().saturating_sub(own) };
    print!("{}", show::text(&report, &cost));
    if let Some(file) = &options.json {
        std::fs::write(file, format!("{:#}\n", show::json(&report, &cost))).map_err(at(file.display()))?;
    }
    Ok(report.errors() == 0)
}

/// What is called, how, and how much.
struct Load {
    address: SocketAddr,
    setup: agi_sim::Setup,
    scenario: Scenario,
    timeout: Duration,
    seconds: Duration,
    callers: usize,
    rate: Option<f64>,
}

impl Load {
    /// So many calls, at most as long as is said.
    async fn calls(self: Arc<Self>, calls: usize, bar: ProgressBar) -> Report {
        let report = Arc::new(Mutex::new(Report::default()));
        let begun = Arc::new(AtomicUsize::new(0));
        let began = Instant::now();
        let mut callers = JoinSet::new();
        for _ in 0..self.callers.min(calls) {
            let (load, report, begun) = (self.clone(), report.clone(), begun.clone());
            callers.spawn(async move { load.caller(calls, began, &begun, &report).await });
        }
        let shown = tokio::spawn(show_progress(bar.clone(), report.clone()));
        let last_calls = self.seconds + self.timeout;
        let mut panicked = 0;
        let done = timeout(last_calls, async {
            while let Some(ended) = callers.join_next().await {
                panicked += usize::from(ended.is_err());
            }
        })
        .await;
        let cut = if done.is_ok() { 0 } else { callers.len() };
        callers.shutdown().await;
        shown.abort();
        bar.finish_and_clear();
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        report.cut = cut as u64;
        (0..panicked).for_each(|_| report.fail(Kind::Panicked));
        std::mem::take(&mut *report)
    }

    /// One caller, again and again.
    async fn caller(&self, calls: usize, began: Instant, begun: &AtomicUsize, report: &Mutex<Report>) {
        let Self { address, setup, scenario, timeout, .. } = self;
        let caller = Caller { address: *address, setup, scenario, timeout: *timeout, report };
        let mut kept = Kept::new();
        loop {
            let number = begun.fetch_add(1, Ordering::Relaxed);
            if number >= calls {
                return;
            }
            let mut due = Instant::now();
            if let Some(rate) = self.rate {
                // an absurd rate asks for more than the time that there is
                let after = Duration::try_from_secs_f64(number as f64 / rate).unwrap_or(Duration::MAX);
                let after = after.min(self.seconds);
                sleep(after.saturating_sub(began.elapsed())).await;
                due = began + after;
            }
            if began.elapsed() >= self.seconds {
                return;
            }
            caller.call(number, due, &mut kept).await;
        }
    }
}

async fn show_progress(bar: ProgressBar, report: Arc<Mutex<Report>>) {
    let began = Instant::now();
    let mut ticks = interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        let (calls, errors) = {
            let report = report.lock().unwrap_or_else(PoisonError::into_inner);
            (report.calls, report.errors())
        };
        bar.set_position(calls);
        bar.set_message(format!(
            "{:.0}/s, {errors} errors",
            calls as f64 / began.elapsed().as_secs_f64().max(0.1)
        ));
    }
}

fn resolve(options: &Options) -> io::Result<SocketAddr> {
    let invalid = |why: &str| io::Error::new(ErrorKind::InvalidInput, why.to_owned());
    let host = Setup::new(options.url.as_str()).address();
    let host = host.ok_or_else(|| invalid("the URL does not begin with agi://"))?;
    let address = host
        .to_socket_addrs()
        .map_err(at(&host))?
        .next()
        .ok_or_else(|| invalid("the host has no address"))?;
    if !address.ip().is_loopback() && !options.remote {
        return Err(invalid("the service is on another machine; --remote says that it is yours"));
    }
    Ok(address)
}

/// Asks for as many connections as the system lets a process have.
fn allow_many_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // where it may not, fewer callers are there at once, and the report says so
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// The processor time of this process so far.
fn processor_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
    #[cfg(not(unix))]
    Duration::ZERO
}

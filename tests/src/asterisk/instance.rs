//! The process: install, configure, start, stop.

use super::ami::{Ami, Event};
use super::call::Call;
use super::live::LiveCall;
use super::log::{self, LogMark};
use super::process::{Keeper, boot, free_ports, run_script, sweep, target_dir};
use super::sip;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A major version of Asterisk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 22, the current one with long support.
    V22,
    /// 16, the oldest that still matters.
    V16,
}

impl Version {
    fn name(self) -> &'static str {
        match self {
            Self::V22 => "22",
            Self::V16 => "16",
        }
    }
}

/// A running Asterisk. Dropping it stops it; it also dies with the test process.
pub struct Asterisk {
    version: Version,
    run: PathBuf,
    sip: SocketAddr,
    manager: (SocketAddr, String),
    ami: Ami,
    keeper: Option<Keeper>,
}

impl Asterisk {
    /// The one Asterisk of that version which all tests of this process share.
    pub fn shared(version: Version) -> &'static Self {
        static V22: OnceLock<Asterisk> = OnceLock::new();
        static V16: OnceLock<Asterisk> = OnceLock::new();
        let shared = match version {
            Version::V22 => &V22,
            Version::V16 => &V16,
        };
        shared.get_or_init(|| Self::start(version))
    }

    /// Starts one for the caller alone, after installing it if need be. Returns when it is ready.
    #[must_use]
    pub fn start(version: Version) -> Self {
        let installed = target_dir().join("asterisk").join(version.name());
        run_script("install", &[version.name(), text(&installed)]);
        // another process may take a port between the search and the start
        let mut why = String::new();
        for _ in 0..3 {
            match Self::launch(version, &installed) {
                Ok(asterisk) => return asterisk,
                Err(message) => why = message,
            }
        }
        panic!("Asterisk {} does not start: {why}", version.name());
    }

    fn launch(version: Version, installed: &Path) -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (count, pid) = (COUNT.fetch_add(1, Ordering::Relaxed), std::process::id());
        let runs = target_dir().join("asterisk/run");
        sweep(&runs);
        let run = runs.join(format!("{pid}-{count}"));
        let (ami_port, sip_port) = free_ports().map_err(|error| format!("no free ports: {error}"))?;
        let rtp = 16000 + (sip_port % 150) * 100;
        // so that nobody takes another process's Asterisk for their own
        let secret = format!("{:x}", RandomState::new().hash_one(&run));
        run_script(
            "configure",
            &[
                text(installed),
                text(&run),
                &ami_port.to_string(),
                &sip_port.to_string(),
                &rtp.to_string(),
                &secret,
            ],
        );

        let console = run.join("log/console");
        let output = File::create(&console).map_err(|error| format!("{}: {error}", console.display()))?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(installed.join("asterisk"))
            .args(["-f", "-C"])
            .arg(run.join("etc/asterisk.conf"))
            .current_dir(&run)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        let keeper = Keeper::start(command).map_err(|error| format!("setpriv (util-linux): {error}"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ami_port));
        match boot(address, &secret, &keeper) {
            Ok(ami) => {
                let sip = SocketAddr::from((Ipv4Addr::LOCALHOST, sip_port));
                Ok(Self { version, run, sip, manager: (address, secret), ami, keeper: Some(keeper) })
            }
            Err(why) => {
                keeper.end();
                let said = std::fs::read_to_string(&console).unwrap_or_default();
                Err(format!("{why}; its last words:\n{}", tail(&said, 20)))
            }
        }
    }

    /// Places a call. It is under way when this returns.
    #[must_use]
    pub fn call(&self, call: &Call) -> LiveCall {
        LiveCall::place(&self.ami, self.log_path(), call)
    }

    /// The version that runs.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The process, for those who measure it.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.keeper.as_ref().expect("it is there until this is dropped").process_id()
    }

    /// Where programs lie that AGI may start by their mere name.
    #[must_use]
    pub fn agi_dir(&self) -> PathBuf {
        self.run.join("agi-bin")
    }

    /// Where files go that RECORD FILE names without a path.
    #[must_use]
    pub fn sounds_dir(&self) -> PathBuf {
        self.run.join("data/sounds")
    }

    /// Where its manager interface is, and the secret of the user `service`, who may do what an Async AGI service needs.
    #[must_use]
    pub fn manager(&self) -> (SocketAddr, &str) {
        (self.manager.0, &self.manager.1)
    }

    /// Where it takes SIP calls (UDP); any number runs the AGI that the global variable `SIP_AGI` names, with the number
    /// as its argument.
    #[must_use]
    pub fn sip_address(&self) -> SocketAddr {
        self.sip
    }

    /// Calls over SIP, with these user parts in From and Request-URI, and waits until Asterisk hangs up. Panics if that
    /// does not happen in time.
    pub fn sip_call(&self, from: &str, to: &str, timeout: Duration) {
        sip::call(self.sip, from, to, timeout);
    }

    /// Sets a global variable of the dialplan.
    pub fn set_global(&self, name: &str, value: &str) {
        self.action("Setvar", &[("Variable", name), ("Value", value)]);
    }

    /// What Asterisk's console answers to a command.
    #[must_use]
    pub fn cli(&self, command: &str) -> String {
        let response = self.action("Command", &[("Command", command)]);
        response.all("Output").collect::<Vec<_>>().join("\n")
    }

    /// Sends an action of the manager interface and returns its response. Panics when it fails.
    pub fn action(&self, name: &str, headers: &[(&str, &str)]) -> Event {
        self.ami.action(name, headers).unwrap_or_else(|error| panic!("{name} {headers:?}: {error}"))
    }

    /// How many events came so far, for [`events_since`](Self::events_since).
    #[must_use]
    pub fn event_mark(&self) -> usize {
        self.ami.count()
    }

    /// Waits for an event of whatever call that `wanted` accepts; events since the mark count, and each is shown once,
    /// in order. Panics when there is none in time.
    pub fn wait_for(&self, mark: usize, timeout: Duration, wanted: impl FnMut(&Event) -> bool) -> Event {
        self.ami.wait(mark, timeout, wanted).unwrap_or_else(|error| panic!("{error} after {timeout:?}"))
    }

    /// All events, of whatever call, since the mark.
    #[must_use]
    pub fn events_since(&self, mark: usize) -> Vec<Event> {
        self.ami.since(mark)
    }

    /// The end of the log as it is now.
    #[must_use]
    pub fn log_mark(&self) -> LogMark {
        log::mark(&self.log_path())
    }

    /// What was logged since the mark, of whatever call.
    #[must_use]
    pub fn log_since(&self, mark: LogMark) -> Vec<String> {
        log::since(&self.log_path(), mark)
    }

    fn log_path(&self) -> PathBuf {
        self.run.join("log/full.log")
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        // it may go before it answers
        let _ = self.ami.action("Command", &[("Command", "core stop now")]);
        if let Some(keeper) = self.keeper.take() {
            keeper.end();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.run);
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_else(|| panic!("{} is not UTF-8", path.display()))
}

fn tail(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

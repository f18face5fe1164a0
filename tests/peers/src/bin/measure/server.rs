//! A server under measurement, as a process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use agi_peers::Server;
use nix::sys::signal::{Signal, kill};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use crate::Result;

/// The core of the servers; the callers have the other one.
const CORE: &str = "0";

pub struct Running {
    child: Child,
    pub address: String,
}

impl Running {
    /// Starts a server whose sessions have so many commands.
    pub fn start(server: Server, commands: usize) -> Result<Self> {
        let mut command = Command::new("taskset");
        command.args(["-c", CORE]).args(command_line(server));
        Self::spawn(command, commands)
    }

    /// Starts one under valgrind.
    pub fn counted(server: Server, commands: usize, out: &Path) -> Result<Self> {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--quiet"]);
        command.arg(format!("--callgrind-out-file={}", out.display())).args(command_line(server));
        Self::spawn(command, commands)
    }

    fn spawn(mut command: Command, commands: usize) -> Result<Self> {
        command.arg(commands.to_string()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().ok_or("it has no output")?).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }

    pub fn processor_time(&self) -> Result<Duration> {
        processor_time(self.child.id())
    }

    /// The memory that it has, in KiB.
    pub fn resident(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Ends it in the way that lets valgrind write what it counted.
    pub fn end(mut self) -> Result<()> {
        kill(pid(self.child.id()), Signal::SIGTERM)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // one that has ended is gone already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time that a process took so far, of all its threads.
pub fn processor_time(process_id: u32) -> Result<Duration> {
    Ok(clock_getcpuclockid(pid(process_id))?.now()?.into())
}

fn pid(process_id: u32) -> Pid {
    Pid::from_raw(i32::try_from(process_id).expect("process ids of Linux are small"))
}

/// Where the programs are: beside this one.
pub fn folder() -> Result<PathBuf> {
    Ok(env::current_exe()?.parent().ok_or("this program is in no folder")?.to_owned())
}

fn command_line(server: Server) -> Vec<String> {
    if server.python {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(format!("{}_server.py", server.name));
        return vec!["python3".into(), script.display().to_string()];
    }
    let program = folder().map(|folder| folder.join(server.name)).unwrap_or_default();
    vec![program.display().to_string()]
}

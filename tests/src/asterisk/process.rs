//! Processes and ports.

use super::ami::Ami;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long Asterisk may take until it is fully booted.
const BOOT: Duration = Duration::from_secs(60);

/// How long it may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(5);

/// Between two looks at something that tells nobody when it changes.
const LOOK: Duration = Duration::from_millis(20);

/// A child process, and the thread that started it and waits for it. The thread is there because
/// the signal that a child asks for at its parent's death comes when the parent *thread* ends.
pub(super) struct Keeper {
    stop: mpsc::Sender<()>,
    gone: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    process_id: u32,
}

impl Keeper {
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (report, started) = mpsc::channel();
        let gone = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&gone);
        let thread = std::thread::Builder::new().name("asterisk".into()).spawn(move || {
            match command.spawn() {
                Ok(child) => {
                    let _ = report.send(Ok(child.id()));
                    watch(child, &stopped);
                }
                Err(error) => {
                    let _ = report.send(Err(error));
                }
            }
            flag.store(true, Ordering::Release);
        })?;
        let process_id = started.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { stop, gone, thread, process_id })
    }

    pub(super) fn process_id(&self) -> u32 {
        self.process_id
    }

    /// Gives the process a while to end by itself (if it was asked to), then kills it.
    pub(super) fn end(self) {
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

/// Waits for the child's end; once told to stop, not for long.
fn watch(mut child: Child, stopped: &mpsc::Receiver<()>) {
    let mut deadline = None;
    while matches!(child.try_wait(), Ok(None)) {
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            let _ = child.kill();
            let _ = child.wait();
        } else if deadline.is_some() {
            std::thread::sleep(LOOK);
        } else if stopped.recv_timeout(LOOK * 10) != Err(mpsc::RecvTimeoutError::Timeout) {
            deadline = Some(Instant::now() + STOP);
        }
    }
}

/// Logs in as soon as there is something to log in to, and waits until all of it is up.
pub(super) fn boot(address: SocketAddr, secret: &str, keeper: &Keeper) -> Result<Ami, String> {
    let deadline = Instant::now() + BOOT;
    loop {
        let why = match Ami::connect(address, secret) {
            Ok(ami) => match ami.wait(0, BOOT, |event| event.is("FullyBooted")) {
                Ok(_) => return Ok(ami),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if keeper.gone.load(Ordering::Acquire) {
            return Err("it ended at once".into());
        }
        if Instant::now() > deadline {
            return Err(format!("not ready within {BOOT:?}: {why}"));
        }
        std::thread::sleep(LOOK);
    }
}

/// A TCP and a UDP port of the loopback interface that nobody has now.
pub(super) fn free_ports() -> io::Result<(u16, u16)> {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    Ok((tcp.port(), udp.port()))
}

/// Runs a script of `tests/asterisk` and panics with its words when it fails.
pub(super) fn run_script(name: &str, arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("asterisk").join(name);
    let output = Command::new(&script)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    assert!(
        output.status.success(),
        "{} {arguments:?}, which these tests need, failed ({}):\n{}",
        script.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Cargo's target folder.
pub(super) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        // cargo runs tests in their package's folder, but resolves this against its own
        Some(dir) if Path::new(&dir).is_absolute() => dir.into(),
        _ => Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target"),
    }
}

/// Removes what test processes left behind that are no more.
pub(super) fn sweep(runs: &Path) {
    for entry in std::fs::read_dir(runs).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

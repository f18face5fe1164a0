//! The binary, each of its subcommands, against a small service.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use agi_blocking::{Channel, Error, Server};
use agi_sim::Caller;

fn pin(channel: &mut Channel) -> Result<(), Error> {
    let entered = channel.get_data("enter-pin", Duration::from_secs(60), 4)?;
    channel.set_variable("RESULT", entered.digits)
}

/// A service that asks for a number; it lives as long as the test.
fn service() -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    thread::spawn(move || server.serve(pin));
    address
}

fn agi_sim(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agi-sim"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = agi_sim(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()); // who fails at once reads nothing
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder that is empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder); // it may not be there
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn without_a_terminal_a_call_is_lines_and_keys_come_from_the_input() {
    let url = format!("agi://{}/pin", service());
    let file = folder("plain").join("call.txt");
    let output = run(&["call", &url, "--transcript", file.to_str().unwrap(), "--sound", "0.5"], "12,34\n");
    let out = text(&output.stdout);
    assert!(output.status.success(), "{out}{}", text(&output.stderr));
    let at = |line: &str| out.find(line).unwrap_or_else(|| panic!("no {line} in\n{out}"));
    assert!(at("the caller hears enter-pin") < at("the caller presses 1"));
    assert!(at("S>A  SET VARIABLE \"RESULT\" \"1234\"") < at("AGISTATUS SUCCESS"));
    let transcript = fs::read_to_string(&file).unwrap();
    assert!(transcript.contains("A>S  200 result=1234\\n") && transcript.contains("AGISTATUS SUCCESS"));
}

#[test]
fn a_sound_may_be_missing() {
    let url = format!("agi://{}/pin", service());
    let file = folder("missing-sound").join("call.txt");
    let output =
        run(&["call", &url, "--transcript", file.to_str().unwrap(), "--missing", "enter-pin"], "1234");
    let out = text(&output.stdout);
    assert!(output.status.success(), "{out}{}", text(&output.stderr));
    assert!(out.contains("A>S  200 result=-1\\n") && !out.contains("RESULT"), "{out}");
}

#[test]
fn a_caller_may_hang_up() {
    let url = format!("agi://{}/pin", service());
    let file = folder("hangs-up").join("call.txt");
    let output = run(&["call", &url, "--transcript", file.to_str().unwrap()], "1h");
    assert!(output.status.success() && text(&output.stdout).contains("AGISTATUS HANGUP"));
}

#[cfg(unix)]
#[test]
fn a_call_that_is_interrupted_is_hung_up() {
    use rustix::process::{Pid, Signal, kill_process};

    for (name, signal) in [("interrupted", Signal::INT), ("terminated", Signal::TERM)] {
        let url = format!("agi://{}/pin", service());
        let file = folder(name).join("call.txt");
        let mut command = agi_sim(&["call", &url, "--transcript", file.to_str().unwrap()]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("the caller hears enter-pin")));
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert!(lines.any(|line| line.contains("AGISTATUS HANGUP")));
        assert!(lines.any(|line| line.contains("the transcript is in")));
        assert!(child.wait().unwrap().success());
        assert!(fs::read_to_string(&file).unwrap().contains("the caller hangs up"));
    }
}

#[test]
fn a_call_that_cannot_be_is_told_and_fails() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, why) in [(&*format!("agi://{closed}/pin"), "cannot be called"), ("http://localhost/", "agi://")]
    {
        let output = run(&["call", url], "");
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""));
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
    let output = run(&["call", "agi://localhost/", "--set", "NAME"], "");
    assert!(text(&output.stderr).contains("--set NAME: it has no ="));
}

#[test]
fn what_could_not_be_read_or_written_or_reached_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let listens = listener.local_addr().unwrap().to_string();
    let folder = folder("named");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (missing, inside, trace) = (file("missing"), file("trace/inside"), file("trace"));
    fs::write(&trace, "").unwrap();
    let no_trace = file("no-trace");
    fs::write(&no_trace, "hello\n").unwrap();
    let url = format!("agi://{}/pin", service());
    for (arguments, named) in [
        (&["replay", &*missing, &*closed][..], &*missing),
        (&["replay", &no_trace, &closed], &no_trace),
        (&["replay", &trace, &closed], &closed),
        (&["proxy", &listens, &closed], &listens),
        (&["proxy", "127.0.0.1:0", &closed, "--save", &inside], &inside),
        (&["load", &url, "--file", &missing], &missing),
        (&["load", &url, "--calls", "1", "--warm-up", "0", "--json", &inside], &inside),
        (&["call", &url, "--transcript", &inside], &inside),
    ] {
        let output = run(arguments, "h");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = text(&output.stderr);
        let message = message.lines().last().unwrap_or_default();
        assert!(message.contains(named), "{arguments:?}: {message}");
    }
}

#[test]
fn a_proxy_shows_the_dialogue_and_its_trace_can_be_replayed() {
    let service = service();
    let traces = folder("proxy");
    let save = traces.to_str().unwrap();
    let mut command =
        agi_sim(&["proxy", "127.0.0.1:0", &service.to_string(), "--calls", "1", "--save", save]);
    let mut proxy = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(proxy.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    let listens = first.split(' ').nth(2).unwrap_or_else(|| panic!("no address in {first}"));
    let call = Caller::new("agi://localhost/pin").expect_play("enter-pin").press("42#").dial_at(listens);
    assert_eq!(call.unwrap().at_end().variable("RESULT").unwrap(), "42");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(proxy.wait().unwrap().success());
    for line in [
        "A>S  agi_calleridname: Ada\\n",
        "(the environment)",
        "S>A  GET DATA \"enter-pin\"",
        "A>S  200 result=42\\n    (",
        "***  the service ends its side",
        "A>S  HANGUP\\n    (hung up, or the end of the session)",
        "***  Asterisk ends its side",
    ] {
        assert!(rest.contains(line), "no {line} in\n{rest}");
    }
    let trace = traces.join("call-1.trace");
    let again = run(&["replay", trace.to_str().unwrap(), &service.to_string()], "");
    assert!(again.status.success(), "{}", text(&again.stdout));
    assert!(text(&again.stdout).contains("3 commands as recorded, 0 others"), "{}", text(&again.stdout));
    let other = fs::read_to_string(&trace).unwrap().replace("> \"GET DATA", "> \"GET NUMBER");
    fs::write(&trace, other).unwrap();
    let again = run(&["replay", trace.to_str().unwrap(), &service.to_string()], "");
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stdout));
    assert!(text(&again.stdout).contains("expected  > \"GET NUMBER"), "{}", text(&again.stdout));
}

#[cfg(unix)]
mod terminal {
    use std::fs::{File, OpenOptions};
    use std::process::ExitStatus;
    use std::sync::{Arc, Condvar, Mutex};

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

    use super::*;

    /// Longer than anything takes.
    const LONG: Duration = Duration::from_secs(60);

    /// The binary on a terminal of 80 by 24.
    struct Screen {
        child: std::process::Child,
        master: File,
        slave: File,
        shown: Arc<(Mutex<String>, Condvar)>,
    }

    impl Screen {
        fn new(arguments: &[&str]) -> Self {
            let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&master).unwrap();
            unlockpt(&master).unwrap();
            let path = ptsname(&master, Vec::new()).unwrap();
            let mut options = OpenOptions::new();
            let slave = options.read(true).write(true).open(path.to_str().unwrap()).unwrap();
            tcsetwinsize(&slave, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
            let mut command = agi_sim(arguments);
            let end = || slave.try_clone().unwrap();
            let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
            let master = File::from(master);
            let shown = Arc::new((Mutex::new(String::new()), Condvar::new()));
            let (mut reading, out) = (master.try_clone().unwrap(), shown.clone());
            thread::spawn(move || {
                let mut buf = [0; 4096];
                while let Ok(n @ 1..) = reading.read(&mut buf) {
                    out.0.lock().unwrap().push_str(&String::from_utf8_lossy(&buf[..n]));
                    out.1.notify_all();
                }
            });
            Self { child, master, slave, shown }
        }

        /// Waits until this was shown.
        fn expect(&self, what: &str) {
            let shown = self.shown.0.lock().unwrap();
            let waited = self.shown.1.wait_timeout_while(shown, LONG, |shown| !shown.contains(what)).unwrap();
            assert!(!waited.1.timed_out(), "no {what:?} in {:?}", waited.0);
        }

        fn type_in(&mut self, keys: &str) {
            self.master.write_all(keys.as_bytes()).unwrap();
        }

        /// Waits for the end, and sees that the terminal is as it was.
        fn end(mut self) -> ExitStatus {
            let status = self.child.wait().unwrap();
            self.expect("\x1b[?1049l"); // back from the alternate screen
            let modes = tcgetattr(&self.slave).unwrap().local_modes;
            assert!(modes.contains(rustix::termios::LocalModes::ICANON), "still raw");
            status
        }
    }

    #[test]
    fn a_call_is_made_by_hand() {
        let url = format!("agi://{}/pin", service());
        let file = folder("screen").join("call.txt");
        let mut screen = Screen::new(&["call", &url, "--transcript", file.to_str().unwrap()]);
        screen.expect("enter-pin");
        screen.expect("quit");
        screen.type_in("1234");
        screen.expect("AGISTATUS");
        screen.type_in("q");
        assert!(screen.end().success());
        let transcript = fs::read_to_string(&file).unwrap();
        assert!(transcript.contains("SET VARIABLE \"RESULT\" \"1234\""), "{transcript}");
        assert!(transcript.contains("AGISTATUS SUCCESS"), "{transcript}");
    }

    #[test]
    fn a_call_is_left_by_ctrl_c() {
        let url = format!("agi://{}/pin", service());
        let file = folder("ctrl-c").join("call.txt");
        let mut screen = Screen::new(&["call", &url, "--transcript", file.to_str().unwrap()]);
        screen.expect("enter-pin");
        screen.type_in("\x03");
        assert!(screen.end().success());
        let transcript = fs::read_to_string(&file).unwrap();
        assert!(transcript.contains("the caller hangs up"), "{transcript}");
        assert!(transcript.contains("AGISTATUS HANGUP"), "the service was waited for: {transcript}");
    }
}

//! Programs that run as process AGI, and a test in the place of Asterisk: two pipes and a signal.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use agi_proto::{PbxEvent, PbxSession};
use agi_tests::pair::ENVIRONMENT;
use rustix::process::{Pid, Signal, kill_process};

const PROBE: &str = env!("CARGO_BIN_EXE_probe");
const SURVEYS: [&str; 2] = [env!("CARGO_BIN_EXE_process_agi"), env!("CARGO_BIN_EXE_process_agi_tokio")];
const ADAPTERS: [&str; 2] = ["blocking", "tokio"];

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(60);

/// A program that runs, and what Asterisk has of it.
struct Pbx {
    asterisk: PbxSession,
    child: Child,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    /// Dropped when the program is no longer to be watched.
    _watched: mpsc::Sender<()>,
}

impl Pbx {
    fn run(program: &str, arguments: &[&str]) -> Self {
        Self::begin(program, arguments, |_| {})
    }

    /// Runs a program, and does this with it before it is told of a call.
    fn begin(program: &str, arguments: &[&str], prepare: impl FnOnce(&Child)) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        prepare(&child);
        let (watched, watch) = mpsc::channel::<()>();
        let pid = Pid::from_child(&child);
        thread::spawn(move || {
            if watch.recv_timeout(LONG) == Err(mpsc::RecvTimeoutError::Timeout) {
                // a test that hangs fails
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let mut pbx = Self { asterisk: PbxSession::new(8191), child, input, output, _watched: watched };
        // a program's has no variables of the network
        pbx.asterisk.send_environment(ENVIRONMENT[2..].iter().copied());
        pbx.flush();
        pbx
    }

    /// The next command; `None` when the program has closed its output.
    fn next(&mut self) -> Option<String> {
        let mut space = [0; 1024];
        loop {
            match self.asterisk.poll_event() {
                Some(PbxEvent::Command(invocation)) => return Some(invocation.line().to_string()),
                Some(_) => return None,
                None => {}
            }
            match self.output.as_mut().unwrap().read(&mut space).unwrap() {
                0 => self.asterisk.handle_eof(),
                read => self.asterisk.handle_input(&space[..read]),
            }
        }
    }

    fn expect(&mut self, line: &str) -> &mut Self {
        assert_eq!(self.next().as_deref(), Some(line));
        self
    }

    fn respond(&mut self, response: &str) -> &mut Self {
        self.asterisk.respond(response);
        self.flush();
        self
    }

    fn flush(&mut self) {
        while let Some(bytes) = self.asterisk.poll_transmit() {
            let written = self.input.as_mut().unwrap().write(bytes).unwrap();
            self.asterisk.transmitted(written);
        }
    }

    fn hang_up(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).unwrap();
        // it is told by another way than what is written next
        let begun = Instant::now();
        while !self.has_seen_signals() {
            assert!(begun.elapsed() < LONG, "it never rests");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// No signal is on its way any more, and each thread sleeps: what came has been seen to.
    fn has_seen_signals(&self) -> bool {
        let process = format!("/proc/{}", self.child.id());
        // bit 0 is SIGHUP's
        let pending = |line: &str| {
            let mask = line.strip_prefix("SigPnd:").or(line.strip_prefix("ShdPnd:"));
            mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 != 0)
        };
        let rests = |status: &str| {
            !status
                .lines()
                .any(|line| pending(line) || line.starts_with("State:") && !line.contains("(sleeping)"))
        };
        let threads = || std::fs::read_dir(format!("{process}/task")).unwrap();
        let sleep = || threads().all(|thread| rests(&read(&thread.unwrap().path().join("status"))));
        // one that was looked at early may have been woken by one that was looked at late
        sleep() && sleep()
    }

    /// What Asterisk does when the program has closed its output, and what the program wrote elsewhere. Like
    /// Asterisk, it closes nothing before the program has ended.
    fn end(mut self) -> (ExitStatus, String) {
        assert_eq!(self.next(), None);
        let status = self.child.wait().unwrap();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (status, errors)
    }
}

/// Empty for a thread that is gone.
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A program's answer to a hangup while it waits for a command.
fn take_notes(pbx: &mut Pbx, note: &str) {
    pbx.expect(&format!("DATABASE PUT \"survey\" \"1700000000.1\" \"{note}\"")).respond("200 result=1");
    pbx.expect(&format!("VERBOSE \"1700000000.1: the caller {note}\"")).respond("200 result=1");
}

#[test]
fn a_survey_is_taken_and_prints_stay_out_of_it() {
    for program in SURVEYS {
        let mut pbx = Pbx::run(program, &[]);
        pbx.expect("ANSWER").respond("200 result=0");
        pbx.expect("STREAM FILE \"demo-congrats\" \"#\"").respond("200 result=0 endpos=1000");
        pbx.expect("WAIT FOR DIGIT 5000").respond("200 result=49");
        take_notes(&mut pbx, "answered");
        let (status, errors) = pbx.end();
        assert!(status.success(), "{status}");
        assert_eq!(errors, "PJSIP/100-00000001 takes the survey\n");
    }
}

#[test]
fn a_hangup_wakes_and_leaves_time_to_clean_up() {
    for program in SURVEYS {
        let mut pbx = Pbx::run(program, &[]);
        pbx.expect("ANSWER").respond("200 result=0").expect("STREAM FILE \"demo-congrats\" \"#\"");
        pbx.hang_up();
        // that this means a hangup, nobody needs to ask any more
        pbx.respond("200 result=-1 endpos=200");
        take_notes(&mut pbx, "left early");
        let (status, _) = pbx.end();
        assert!(status.success(), "{status}");
    }
}

#[test]
fn who_waits_for_the_hangup_is_woken_by_it() {
    for adapter in ADAPTERS {
        let mut pbx = Pbx::run(PROBE, &[adapter, "hangup"]);
        pbx.expect("VERBOSE \"waiting\"").respond("200 result=1");
        thread::sleep(Duration::from_millis(200));
        pbx.hang_up();
        pbx.expect("VERBOSE \"it is over\"").respond("200 result=1");
        assert!(pbx.end().0.success());
    }
}

/// A signal may come while the program asks whether there is something to read.
#[test]
fn signals_at_any_time_do_no_harm() {
    for adapter in ADAPTERS {
        let mut pbx = Pbx::run(PROBE, &[adapter, "many"]);
        pbx.expect("VERBOSE \"0\"");
        let (program, (stop, stopped)) = (Pid::from_child(&pbx.child), mpsc::channel::<()>());
        let signals = thread::spawn(move || {
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                kill_process(program, Signal::HUP).unwrap();
                // a program that has to handle them without a pause comes to nothing else
                thread::sleep(Duration::from_micros(20));
            }
        });
        for n in 1..2000 {
            pbx.respond("200 result=1").expect(&format!("VERBOSE \"{n}\""));
        }
        pbx.respond("200 result=1");
        drop(stop);
        signals.join().unwrap();
        let (status, errors) = pbx.end();
        assert!(status.success(), "{status}: {errors}");
    }
}

#[test]
fn a_call_that_is_given_up_leaves_the_next_its_own_reply() {
    for adapter in ADAPTERS {
        let mut pbx = Pbx::run(PROBE, &[adapter, "give-up"]);
        pbx.expect("STREAM FILE \"music\" \"\"");
        let barrier = pbx.next().unwrap();
        let token = barrier.split('"').nth(1).unwrap();
        pbx.respond(&format!("200 result=1 ({token})"));
        pbx.expect("VERBOSE \"without music\"").respond("200 result=1");
        assert!(pbx.end().0.success());
    }
}

/// Narrower than any Asterisk's, so that one command is enough to fill it.
#[cfg(target_os = "linux")]
#[test]
fn a_full_pipe_holds_up_no_call_that_has_a_deadline() {
    let mut pbx = Pbx::begin(PROBE, &["blocking", "full"], |child| {
        rustix::pipe::fcntl_setpipe_size(child.stdout.as_ref().unwrap(), 4096).unwrap();
    });
    let mut given_up = [0; 5];
    pbx.child.stderr.as_mut().unwrap().read_exact(&mut given_up).expect("it waits for ever to write");
    assert_eq!(&given_up, b"None\n");
    pbx.expect(&format!("SET VARIABLE \"LONG\" \"{}\"", "x".repeat(8000))).respond("200 result=1");
    pbx.expect("VERBOSE \"it was taken\"").respond("200 result=1");
    assert!(pbx.end().0.success());
}

#[test]
fn writing_to_an_asterisk_that_is_gone_is_no_death() {
    for program in SURVEYS {
        let mut pbx = Pbx::run(program, &[]);
        pbx.expect("ANSWER");
        drop(pbx.output.take());
        pbx.respond("200 result=0");
        drop(pbx.input.take());
        let status = pbx.child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(0), None));
    }
}

#[test]
fn the_end_of_the_conversation_waits_for_nothing() {
    for adapter in ADAPTERS {
        let begun = Instant::now();
        let mut pbx = Pbx::run(PROBE, &[adapter, "late"]);
        assert_eq!(pbx.next(), None);
        let mut said = [0; 7];
        pbx.child.stderr.as_mut().unwrap().read_exact(&mut said).unwrap();
        assert_eq!(&said, b"closed\n");
        assert!(begun.elapsed() < Duration::from_secs(4), "it waited for Asterisk, which waits for it");
        // the output is closed, the program goes on, and a late signal does it no harm
        pbx.hang_up();
        assert_eq!(pbx.child.try_wait().unwrap(), None);
        let status = pbx.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

#[test]
fn a_child_neither_speaks_nor_holds_the_conversation_open() {
    for adapter in ADAPTERS {
        let begun = Instant::now();
        let mut pbx = Pbx::run(PROBE, &[adapter, "child"]);
        pbx.expect("VERBOSE \"a child is left behind\"").respond("200 result=1");
        assert_eq!(pbx.next(), None);
        assert!(pbx.child.wait().unwrap().success());
        assert!(begun.elapsed() < Duration::from_secs(15), "the child lives on for so long");
        let mut printed = [0; 5];
        pbx.child.stderr.take().unwrap().read_exact(&mut printed).unwrap();
        assert_eq!(&printed, b"NOOP\n", "its input was empty, its output went elsewhere");
    }
}

#[test]
fn they_are_taken_once() {
    for adapter in ADAPTERS {
        let mut pbx = Pbx::run(PROBE, &[adapter, "twice"]);
        pbx.expect("VERBOSE \"Err(ResourceBusy)\"").respond("200 result=1");
        assert!(pbx.end().0.success());
    }
}

#[test]
fn a_dropped_channel_gives_them_back() {
    for adapter in ADAPTERS {
        let mut pbx = Pbx::run(PROBE, &[adapter, "drop"]);
        pbx.expect("out again");
        let (status, errors) = pbx.end();
        assert!(status.success(), "{status}");
        assert_eq!(errors, "stray", "what was printed meanwhile does not follow");
    }
}

#[test]
fn it_can_be_tried_with_files() {
    for program in SURVEYS {
        let mut script = PbxSession::new(8191);
        script.send_environment(ENVIRONMENT);
        let path = std::env::temp_dir().join(format!("agi-process-{}", std::process::id()));
        std::fs::write(&path, script.poll_transmit().unwrap()).unwrap();
        let output = Command::new(program).stdin(File::open(&path).unwrap()).output().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, b"ANSWER\n", "then the file is at its end");

        let output = Command::new(program).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "nobody calls: {output:?}");
    }
}

/// Asterisk waits for the program's end then: it sends no signal, and keeps the audio open.
#[test]
fn audio_ends_with_the_conversation() {
    let path = |name| std::env::temp_dir().join(format!("agi-{name}-{}", std::process::id()));
    let (block, pipe) = (path("block"), path("pipe"));
    let mut script = PbxSession::new(8191);
    script.send_environment(ENVIRONMENT.map(|(name, value)| match name {
        "agi_enhanced" => (name, "1.0"),
        _ => (name, value),
    }));
    std::fs::write(&block, script.poll_transmit().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let held = File::options().read(true).write(true).open(&pipe).unwrap();
    let both = ADAPTERS.iter().flat_map(|&adapter| [(adapter, "audio-close"), (adapter, "audio-drop")]);
    // who runs a handler ends the conversation when the handler drops it, and not when the handler ends
    for (adapter, what) in both.chain([("tokio", "audio-run")]) {
        let mut program = Command::new("sh");
        program.args(["-c", "exec timeout 60 \"$0\" \"$1\" \"$2\" 3<\"$3\"", PROBE, adapter, what]);
        let output = program.arg(&pipe).stdin(File::open(&block).unwrap()).output().unwrap();
        assert!(output.status.success(), "{adapter} {what}: {output:?}");
    }
    drop(held);
    std::fs::remove_file(&block).unwrap();
    std::fs::remove_file(&pipe).unwrap();
}

#[test]
fn audio_needs_eagi() {
    for adapter in ADAPTERS {
        let pbx = Pbx::run(PROBE, &[adapter, "tone"]);
        let (status, errors) = pbx.end();
        assert_eq!(status.code(), Some(1));
        assert!(errors.contains("not with EAGI()"), "{errors}");
    }
}

/// What says that there is audio, and has none: nothing else that has the number is taken for it.
#[test]
fn audio_needs_descriptor_3() {
    for adapter in ADAPTERS {
        let mut script = PbxSession::new(8191);
        script.send_environment(ENVIRONMENT.map(|(name, value)| match name {
            "agi_enhanced" => (name, "1.0"),
            _ => (name, value),
        }));
        let path = std::env::temp_dir().join(format!("agi-no-audio-{adapter}-{}", std::process::id()));
        std::fs::write(&path, script.poll_transmit().unwrap()).unwrap();
        let mut program = Command::new("sh");
        program.args(["-c", "exec \"$0\" \"$1\" tone 3<&-", PROBE, adapter]);
        let output = program.stdin(File::open(&path).unwrap()).output().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("No such"), "{output:?}");
    }
}

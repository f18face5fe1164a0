//! Every example service of every adapter, and a caller who leaves at each place in turn: before each command,
//! while it runs, behind each answer, in each class of hangup. The services are real ones, behind their servers
//! and over TCP. (`tls` has the handler of `hello`; its transport is tested in `tls.rs`.)
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example has a main function")]

mod servers;

use std::thread;
use std::time::{Duration, Instant};

use agi_service::CallOutcome;
use agi_sim::{CLASSES, Call, Caller, Status};

use self::servers::{LOOPBACK, Running, async_std, blocking, smol, tokio};

#[path = "../../agi-tokio/examples/cleanup.rs"]
mod cleanup;
#[path = "../../agi-async-std/examples/cleanup_async_std.rs"]
mod cleanup_async_std;
#[path = "../../agi-blocking/examples/cleanup_blocking.rs"]
mod cleanup_blocking;
#[path = "../../agi-smol/examples/cleanup_smol.rs"]
mod cleanup_smol;
#[path = "../../agi-tokio/examples/digest.rs"]
mod digest;
#[path = "../../agi-blocking/examples/digest_blocking.rs"]
mod digest_blocking;
#[path = "../../agi-tokio/examples/hello.rs"]
mod hello;
#[path = "../../agi-async-std/examples/hello_async_std.rs"]
mod hello_async_std;
#[path = "../../agi-blocking/examples/hello_blocking.rs"]
mod hello_blocking;
#[path = "../../agi-smol/examples/hello_smol.rs"]
mod hello_smol;
#[path = "../../agi-tokio/examples/ivr.rs"]
mod ivr;
#[path = "../../agi-async-std/examples/ivr_async_std.rs"]
mod ivr_async_std;
#[path = "../../agi-blocking/examples/ivr_blocking.rs"]
mod ivr_blocking;
#[path = "../../agi-smol/examples/ivr_smol.rs"]
mod ivr_smol;
#[path = "../../agi-tokio/examples/record.rs"]
mod record;
#[path = "../../agi-async-std/examples/record_async_std.rs"]
mod record_async_std;
#[path = "../../agi-blocking/examples/record_blocking.rs"]
mod record_blocking;
#[path = "../../agi-smol/examples/record_smol.rs"]
mod record_smol;

const SECRET: &str = "between us";
/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(60);

fn caller(path: &str) -> Caller {
    Caller::new(&format!("agi://localhost/{path}")).set_variable("SECRET", SECRET)
}

/// The caller leaves everywhere. Gives the calls, of which each went as it should.
fn everywhere(service: &Running, caller: &Caller) -> Vec<Call> {
    let calls = caller.hang_up_everywhere(|caller| caller.dial_at(service.address).unwrap());
    for call in &calls {
        let transcript = call.transcript();
        assert!(transcript.contains("the service closes its side"), "{transcript}");
        assert!(!transcript.contains("the connection breaks"), "{transcript}");
        assert_paired(call);
    }
    // the last call may not have been counted yet
    let deadline = Instant::now() + LONG;
    while service.counters.counts().active() > 0 {
        assert!(Instant::now() < deadline, "{:?}", service.counters.counts());
        thread::sleep(Duration::from_millis(1));
    }
    let counts = service.counters.counts();
    // a caller who leaves at the very beginning, and AGISIGHUP is off
    let left = counts.ended(CallOutcome::Hangup) + counts.ended(CallOutcome::Refused);
    let well = counts.ended(CallOutcome::Success) + left;
    assert_eq!((counts.accepted(), counts.refused()), (well, 0), "{counts:?}");
    assert_eq!(well, calls.len() + CLASSES.len(), "and one in each class that nobody hung up");
    assert!(counts.ended(CallOutcome::Hangup) > calls.len() / 2, "{counts:?}");
    calls
}

/// Each command has its answer before the next one comes; only where Asterisk closes at once the last one has none.
fn assert_paired(call: &Call) {
    let transcript = call.transcript();
    let mut owed = false;
    for (_, line) in transcript.lines() {
        if line.starts_with("S>A") {
            assert!(!owed, "two commands at once:\n{transcript}");
            owed = true;
        } else if line.starts_with("A>S  200 ") || line.starts_with("A>S  511 ") {
            assert!(owed, "an answer to nothing:\n{transcript}");
            owed = false;
        }
    }
    assert!(!owed, "a command without an answer:\n{transcript}");
}

#[test]
fn hello_ends_wherever_the_caller_leaves() {
    for service in [
        tokio(LOOPBACK, |server| server, hello::hello),
        blocking(LOOPBACK, |server| server, hello_blocking::hello),
        smol(LOOPBACK, |server| server, hello_smol::hello),
        async_std(LOOPBACK, |server| server, hello_async_std::hello),
    ] {
        everywhere(&service, &caller("hello").expect_play("hello-world"));
    }
}

#[test]
fn ivr_ends_wherever_the_caller_leaves() {
    let caller = caller("ivr").await_play("vm-extension").press("1234").expect_command("wait").press("5");
    for service in [
        tokio(LOOPBACK, |server| server, ivr::ivr),
        blocking(LOOPBACK, |server| server, ivr_blocking::ivr),
        smol(LOOPBACK, |server| server, ivr_smol::ivr),
        async_std(LOOPBACK, |server| server, ivr_async_std::ivr),
    ] {
        let calls = everywhere(&service, &caller);
        // never the answer to something else
        let results = || calls.iter().filter_map(|call| call.at_end().variable("RESULT"));
        assert!(results().count() > 0 && results().all(|result| result == "1234"));
        assert!(calls.iter().any(|call| call.status() == Status::Hangup));
    }
}

#[test]
fn record_ends_wherever_the_caller_leaves() {
    // a key in the beep would end the recording before it has begun
    let says = |caller: Caller| caller.expect_command("record").wait(Duration::from_secs(1)).press("#");
    let caller = says(caller("record")).expect_command("wait").press("2");
    let caller = says(caller).expect_command("wait").press("1");
    for service in [
        tokio(LOOPBACK, |server| server, record::record),
        smol(LOOPBACK, |server| server, record_smol::record),
        async_std(LOOPBACK, |server| server, record_async_std::record),
        blocking(LOOPBACK, |server| server, record_blocking::record),
    ] {
        let calls = everywhere(&service, &caller);
        let messages = || calls.iter().filter_map(|call| call.at_end().variable("MESSAGE"));
        assert!(messages().count() > 0 && messages().all(|message| message == "/tmp/message-1700000000.1"));
    }
}

#[test]
fn cleanup_ends_wherever_the_caller_leaves() {
    let caller = caller("survey").expect_command("wait").press("5");
    for service in [
        tokio(LOOPBACK, |server| server, cleanup::with_notes),
        blocking(LOOPBACK, |server| server, cleanup_blocking::with_notes),
        smol(LOOPBACK, |server| server, cleanup_smol::with_notes),
        async_std(LOOPBACK, |server| server, cleanup_async_std::with_notes),
    ] {
        for call in everywhere(&service, &caller) {
            let note = call.at_end().database("survey", "1700000000.1");
            let exits = call.at_end().variable("AGIEXITONHANGUP").unwrap() == "yes";
            let known = note.is_some_and(|note| note == "answered" || note == "left early");
            assert!(known || exits && note.is_none(), "{note:?}\n{}", call.transcript());
        }
    }
}

#[test]
fn digest_ends_wherever_the_caller_leaves() {
    let caller = caller("hello").expect_play("hello-world");
    everywhere(&tokio(LOOPBACK, |server| server, digest::services(SECRET.into()).unwrap()), &caller);
    everywhere(
        &blocking(LOOPBACK, |server| server, digest_blocking::services(SECRET.into()).unwrap()),
        &caller,
    );
}

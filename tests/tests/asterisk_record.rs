//! The `record` examples of the adapters, called by a real Asterisk.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example has a main function")]

mod servers;

use std::net::SocketAddr;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use agi_tests::asterisk::{Asterisk, Call, FarLeg, LiveCall, Outcome, Version, Where};

use self::servers::{LOOPBACK, Running, async_std, blocking, smol, tokio};

#[path = "../../agi-tokio/examples/record.rs"]
mod record;
#[path = "../../agi-async-std/examples/record_async_std.rs"]
mod record_async_std;
#[path = "../../agi-blocking/examples/record_blocking.rs"]
mod record_blocking;
#[path = "../../agi-smol/examples/record_smol.rs"]
mod record_smol;

const TIME: Duration = Duration::from_secs(60);

fn services() -> [Running; 4] {
    [
        tokio(LOOPBACK, |server| server, record::record),
        smol(LOOPBACK, |server| server, record_smol::record),
        async_std(LOOPBACK, |server| server, record_async_std::record),
        blocking(LOOPBACK, |server| server, record_blocking::record),
    ]
}

fn call(service: SocketAddr) -> LiveCall {
    let call = Call::to(format!("agi://{service}/record")).far_leg(FarLeg::Tone).report("MESSAGE");
    let call = Asterisk::shared(Version::V22).call(&call);
    let record = call.wait_command("RECORD FILE");
    let file = record.get("Command").split('"').nth(1).unwrap().to_owned() + ".wav";
    // it is there when the beep is over, and then so long is what is recorded
    call.wait_for_file(Path::new(&file));
    sleep(Duration::from_millis(1500));
    call
}

/// How many bytes the message has; it is removed.
fn message(outcome: &Outcome) -> u64 {
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    let file = String::from_utf8(outcome.variables["MESSAGE"].clone()).unwrap() + ".wav";
    let length = std::fs::metadata(&file).unwrap().len();
    std::fs::remove_file(file).unwrap();
    length
}

#[test]
fn a_message_is_recorded_and_played_back() {
    for service in services() {
        let call = call(service.address);
        call.press("#");
        call.wait_command("STREAM FILE");
        call.press("#");
        call.wait_command("WAIT FOR DIGIT");
        call.press("1");
        let outcome = call.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
        assert!(message(&outcome) > 8_000, "half a second at least");
        service.stop();
    }
}

#[test]
fn who_leaves_while_speaking_leaves_a_message() {
    for service in services() {
        let call = call(service.address);
        call.hang_up_far();
        let outcome = call.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::H, "HANGUP"));
        assert!(message(&outcome) > 8_000, "half a second at least");
        service.stop();
    }
}

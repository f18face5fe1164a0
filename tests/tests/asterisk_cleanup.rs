//! The `cleanup` examples of the adapters, called by a real Asterisk and left in the middle.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example has a main function")]

#[path = "../../agi-tokio/examples/cleanup.rs"]
mod cleanup;
#[path = "../../agi-async-std/examples/cleanup_async_std.rs"]
mod cleanup_async_std;
#[path = "../../agi-blocking/examples/cleanup_blocking.rs"]
mod cleanup_blocking;
#[path = "../../agi-smol/examples/cleanup_smol.rs"]
mod cleanup_smol;
mod servers;

use std::time::Duration;

use agi_tests::asterisk::{Asterisk, Call, FarLeg, Version, Where};

use self::servers::{LOOPBACK, Running};

const TIME: Duration = Duration::from_secs(60);

/// Calls that are answered to their end, and left by either side.
fn cleans_up(server: Running) {
    let asterisk = Asterisk::shared(Version::V22);
    for leaves in [None, Some(false), Some(true)] {
        let call = Call::to(format!("agi://{}/survey", server.address)).report("AGI_SERVER_STATUS");
        // a far leg that sends audio: without any, Asterisk does not count the time of a key
        let call = asterisk.call(&call.far_leg(FarLeg::Tone));
        let id = call.unique_id().to_owned();
        call.wait_command("STREAM FILE");
        match leaves {
            Some(true) => call.hang_up_far(),
            Some(false) => call.hang_up(),
            None => {
                call.press("#");
                call.wait_command("WAIT FOR DIGIT");
                call.press("1");
            }
        }
        let outcome = call.finish(TIME);
        let (end, note) = if leaves.is_some() { (Where::H, "left early") } else { (Where::Next, "answered") };
        assert_eq!(outcome.where_, end);
        assert_eq!(outcome.variables["AGI_SERVER_STATUS"], b"SUCCESS");
        assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
        let said = format!("{id}: the caller {note}");
        assert!(outcome.log.iter().any(|entry| entry.contains(&said)), "{:#?}", outcome.log);
        let noted = asterisk.cli(&format!("database get survey {id}"));
        assert!(noted.contains(note), "{noted}");
    }
    server.stop();
}

#[test]
fn tokio() {
    cleans_up(servers::tokio(LOOPBACK, |server| server, cleanup::with_notes));
}

#[test]
fn smol() {
    cleans_up(servers::smol(LOOPBACK, |server| server, cleanup_smol::with_notes));
}

#[test]
fn async_std() {
    cleans_up(servers::async_std(LOOPBACK, |server| server, cleanup_async_std::with_notes));
}

#[test]
fn blocking() {
    cleans_up(servers::blocking(LOOPBACK, |server| server, cleanup_blocking::with_notes));
}

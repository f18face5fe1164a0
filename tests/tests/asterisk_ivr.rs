//! The `ivr` examples of the adapters, called by a real Asterisk.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use agi_tests::asterisk::{Asterisk, Call, FarLeg, LiveCall, Version, Where};

#[allow(dead_code, reason = "an example has a main function")]
#[path = "../../agi-async-std/examples/ivr_async_std.rs"]
mod ivr_async_std;
#[allow(dead_code, reason = "an example has a main function")]
#[path = "../../agi-blocking/examples/ivr_blocking.rs"]
mod ivr_blocking;
#[allow(dead_code, reason = "an example has a main function")]
#[path = "../../agi-smol/examples/ivr_smol.rs"]
mod ivr_smol;
#[allow(dead_code, reason = "an example has a main function")]
#[path = "../../agi-tokio/examples/ivr.rs"]
mod ivr_tokio;

const TIME: Duration = Duration::from_secs(30);

fn tokio_service() -> SocketAddr {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(agi_tokio::Server::bind("127.0.0.1:0")).unwrap();
    let address = server.local_addr().unwrap();
    thread::spawn(move || runtime.block_on(server.serve(ivr_tokio::ivr)));
    address
}

fn smol_service() -> SocketAddr {
    let server = smol::block_on(agi_smol::Server::bind("127.0.0.1:0")).unwrap();
    let address = server.local_addr().unwrap();
    thread::spawn(|| smol::block_on(server.serve(ivr_smol::ivr)));
    address
}

fn async_std_service() -> SocketAddr {
    let server = async_std::task::block_on(agi_async_std::Server::bind("127.0.0.1:0")).unwrap();
    let address = server.local_addr().unwrap();
    thread::spawn(|| async_std::task::block_on(server.serve(ivr_async_std::ivr)));
    address
}

fn blocking_service() -> SocketAddr {
    let server = agi_blocking::Server::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    thread::spawn(move || server.serve(ivr_blocking::ivr));
    address
}

fn call(version: Version, service: SocketAddr) -> LiveCall {
    // a far leg that sends audio: without any, Asterisk does not count the time between two keys
    let call = Call::to(format!("agi://{service}/ivr")).far_leg(FarLeg::Tone).report("RESULT");
    Asterisk::shared(version).call(&call)
}

/// Answers, plays, collects what the far leg presses, and leaves it to the dialplan.
fn serves_a_caller(version: Version, service: SocketAddr) {
    let call = call(version, service);
    call.wait_command("STREAM FILE");
    call.press("#");
    call.wait_command("GET DATA");
    call.press("0042");
    call.wait_command("WAIT FOR DIGIT");
    call.press("#");
    let outcome = call.finish(TIME);
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
    assert_eq!(outcome.variables["RESULT"], b"0042");
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
}

/// A caller who leaves in the middle of a prompt, from either side.
fn survives_a_hangup(version: Version, service: SocketAddr) {
    for far in [false, true] {
        let call = call(version, service);
        call.wait_command("STREAM FILE");
        match far {
            true => call.hang_up_far(),
            false => call.hang_up(),
        }
        let outcome = call.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::H, "HANGUP"));
        assert_eq!(outcome.variables["RESULT"], b"", "the handler did not get that far");
        assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    }
}

#[test]
fn tokio_serves_a_caller() {
    serves_a_caller(Version::V22, tokio_service());
}

#[test]
fn tokio_survives_a_hangup() {
    survives_a_hangup(Version::V22, tokio_service());
}

#[test]
fn smol_serves_a_caller() {
    serves_a_caller(Version::V22, smol_service());
}

#[test]
fn smol_survives_a_hangup() {
    survives_a_hangup(Version::V22, smol_service());
}

#[test]
fn async_std_serves_a_caller() {
    serves_a_caller(Version::V22, async_std_service());
}

#[test]
fn async_std_survives_a_hangup() {
    survives_a_hangup(Version::V22, async_std_service());
}

#[test]
fn blocking_serves_a_caller() {
    serves_a_caller(Version::V22, blocking_service());
}

#[test]
fn blocking_survives_a_hangup() {
    survives_a_hangup(Version::V22, blocking_service());
}

#[test]
fn both_serve_an_old_asterisk() {
    serves_a_caller(Version::V16, tokio_service());
    survives_a_hangup(Version::V16, blocking_service());
}

/// With `AGISIGHUP=no` an idle handler hears nothing of a hangup; asking finds out.
#[test]
fn a_hangup_that_is_not_told_is_asked_for() {
    let interval = Duration::from_millis(50);
    let blocking = agi_blocking::Server::bind("127.0.0.1:0").unwrap();
    let blocking_address = blocking.local_addr().unwrap();
    thread::spawn(move || {
        blocking.serve(move |channel: &mut agi_blocking::Channel| {
            channel.noop()?;
            assert!(channel.hung_up_polling(TIME, interval)?);
            channel.set_variable("RESULT", "hung up")
        })
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let tokio = runtime.block_on(agi_tokio::Server::bind("127.0.0.1:0")).unwrap();
    let tokio_address = tokio.local_addr().unwrap();
    thread::spawn(move || {
        runtime.block_on(tokio.serve(move |mut channel: agi_tokio::Channel| async move {
            channel.noop().await?;
            channel.hung_up_polling(interval).await;
            channel.set_variable("RESULT", "hung up").await
        }))
    });
    for address in [blocking_address, tokio_address] {
        let call = Call::to(format!("agi://{address}/")).sighup("no").report("RESULT");
        let call = Asterisk::shared(Version::V22).call(&call);
        call.wait_command("NOOP");
        call.hang_up();
        let outcome = call.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::H, "HANGUP"));
        assert_eq!(outcome.variables["RESULT"], b"hung up");
        assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    }
}

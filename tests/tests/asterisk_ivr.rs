//! The `hello` and `ivr` examples of the adapters, called by a real Asterisk.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example has a main function")]

mod servers;

use std::net::SocketAddr;
use std::time::Duration;

use agi_tests::asterisk::{Asterisk, Call, FarLeg, LiveCall, Version, Where};

use self::servers::{LOOPBACK, blocking, tokio};

#[path = "../../agi-async-std/examples/hello_async_std.rs"]
mod hello_async_std;
#[path = "../../agi-blocking/examples/hello_blocking.rs"]
mod hello_blocking;
#[path = "../../agi-smol/examples/hello_smol.rs"]
mod hello_smol;
#[path = "../../agi-tokio/examples/hello.rs"]
mod hello_tokio;
#[path = "../../agi-async-std/examples/ivr_async_std.rs"]
mod ivr_async_std;
#[path = "../../agi-blocking/examples/ivr_blocking.rs"]
mod ivr_blocking;
#[path = "../../agi-smol/examples/ivr_smol.rs"]
mod ivr_smol;
#[path = "../../agi-tokio/examples/ivr.rs"]
mod ivr_tokio;

const TIME: Duration = Duration::from_secs(60);

fn call(version: Version, service: SocketAddr) -> LiveCall {
    // a far leg that sends audio: without any, Asterisk does not count the time between two keys
    let call = Call::to(format!("agi://{service}/ivr"))
        .far_leg(FarLeg::Tone)
        .report("RESULT")
        .report("AGI_SERVER_STATUS");
    Asterisk::shared(version).call(&call)
}

/// Answers, plays, and hangs up.
fn says_hello(service: SocketAddr) {
    let call = Call::to(format!("agi://{service}/hello")).report("AGI_SERVER_STATUS");
    let outcome = Asterisk::shared(Version::V22).call(&call).finish(TIME);
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::H, "HANGUP"));
    assert_eq!(outcome.variables["AGI_SERVER_STATUS"], b"SUCCESS");
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
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
    assert_eq!(outcome.variables["AGI_SERVER_STATUS"], b"SUCCESS");
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
        // a dead channel still takes variables
        assert_eq!(outcome.variables["AGI_SERVER_STATUS"], b"SUCCESS");
        assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    }
}

macro_rules! adapters {
    ($($name:ident: $hello:ident, $ivr:ident;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn says_hello() {
                let server = servers::$name(LOOPBACK, |server| server, $hello::hello);
                super::says_hello(server.address);
                server.stop();
            }

            #[test]
            fn serves_a_caller() {
                let server = servers::$name(LOOPBACK, |server| server, $ivr::ivr);
                super::serves_a_caller(Version::V22, server.address);
                server.stop();
            }

            #[test]
            fn survives_a_hangup() {
                let server = servers::$name(LOOPBACK, |server| server, $ivr::ivr);
                super::survives_a_hangup(Version::V22, server.address);
                server.stop();
            }
        }
    )*};
}

adapters! {
    tokio: hello_tokio, ivr_tokio;
    smol: hello_smol, ivr_smol;
    async_std: hello_async_std, ivr_async_std;
    blocking: hello_blocking, ivr_blocking;
}

#[test]
fn an_old_asterisk_is_served_too() {
    let (with_tokio, blocking) = (
        tokio(LOOPBACK, |server| server, ivr_tokio::ivr),
        blocking(LOOPBACK, |server| server, ivr_blocking::ivr),
    );
    serves_a_caller(Version::V16, with_tokio.address);
    survives_a_hangup(Version::V16, blocking.address);
    with_tokio.stop();
    blocking.stop();
}

/// With `AGISIGHUP=no` an idle handler hears nothing of a hangup; asking finds out.
#[test]
fn a_hangup_that_is_not_told_is_asked_for() {
    let interval = Duration::from_millis(50);
    let asks = move |channel: &mut agi_blocking::Channel| {
        channel.noop()?;
        assert!(channel.wait_for_hangup_polling(TIME, interval)?);
        channel.set_variable("RESULT", "hung up")
    };
    let blocking = blocking(LOOPBACK, |server| server, asks);
    let asks = move |mut channel: agi_tokio::Channel| async move {
        channel.noop().await?;
        channel.wait_for_hangup_polling(interval).await;
        channel.set_variable("RESULT", "hung up").await
    };
    let tokio = tokio(LOOPBACK, |server| server, asks);
    for address in [blocking.address, tokio.address] {
        let call =
            Call::to(format!("agi://{address}/")).sighup("no").report("RESULT").report("AGI_SERVER_STATUS");
        let call = Asterisk::shared(Version::V22).call(&call);
        call.wait_command("NOOP");
        call.hang_up();
        let outcome = call.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::H, "HANGUP"));
        assert_eq!(outcome.variables["RESULT"], b"hung up");
        assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    }
}

//! What a real dialplan is told by the servers of the adapters, and a layer that it has to satisfy.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example has a main function")]

#[path = "../../agi-blocking/examples/digest_blocking.rs"]
mod digest_blocking;
#[path = "../../agi-tokio/examples/digest.rs"]
mod digest_tokio;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use agi_tests::asterisk::{Asterisk, Call, Version, Where};
use agi_tokio::Status;

const TIME: Duration = Duration::from_secs(30);
const SECRET: &str = "between us";

fn tokio_service() -> SocketAddr {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(agi_tokio::Server::bind("127.0.0.1:0")).unwrap().admit(admission);
    let address = server.local_addr().unwrap();
    let services = digest_tokio::services(SECRET.into()).unwrap();
    thread::spawn(move || runtime.block_on(server.serve(services)));
    address
}

fn blocking_service() -> SocketAddr {
    let server = agi_blocking::Server::bind("127.0.0.1:0").unwrap().admit(admission);
    let address = server.local_addr().unwrap();
    thread::spawn(move || server.serve(digest_blocking::services(SECRET.into()).unwrap()));
    address
}

fn admission(_: SocketAddr, request: &agi_tokio::Request) -> Result<(), Status> {
    if request.path() == "/busy" { Err(Status::Busy) } else { Ok(()) }
}

fn tells_the_dialplan(version: Version, service: SocketAddr) {
    let cases = [
        ("hello", SECRET, "SUCCESS"),
        ("hello", "a guess", "FAILED"),
        ("goodbye", SECRET, "NOT_FOUND"),
        ("busy", SECRET, "BUSY"),
    ];
    for (script, secret, status) in cases {
        let call = Call::to(format!("agi://{service}/{script}")).preset("SECRET", secret);
        let outcome = Asterisk::shared(version).call(&call.report("AGI_SERVER_STATUS")).finish(TIME);
        assert_eq!(outcome.variables["AGI_SERVER_STATUS"], status.as_bytes(), "{script}");
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
        assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    }
}

#[test]
fn tokio_tells_the_dialplan_how_it_went() {
    tells_the_dialplan(Version::V22, tokio_service());
}

#[test]
fn blocking_tells_the_dialplan_how_it_went() {
    tells_the_dialplan(Version::V22, blocking_service());
}

#[test]
fn an_old_asterisk_is_told_too() {
    tells_the_dialplan(Version::V16, tokio_service());
}

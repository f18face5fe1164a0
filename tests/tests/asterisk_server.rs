//! What a real dialplan is told by the servers of the adapters, and a layer that it has to satisfy.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example has a main function")]

#[path = "../../agi-blocking/examples/digest_blocking.rs"]
mod digest_blocking;
#[path = "../../agi-tokio/examples/digest.rs"]
mod digest_tokio;

mod servers;

use std::net::SocketAddr;
use std::time::Duration;

use agi_tests::asterisk::{Asterisk, Call, Version, Where};
use agi_tokio::Status;

use self::servers::{LOOPBACK, Running, async_std, blocking, smol, tokio};

const TIME: Duration = Duration::from_secs(60);
const SECRET: &str = "between us";

fn tokio_service() -> Running {
    let services = digest_tokio::services(SECRET.into()).unwrap();
    tokio(LOOPBACK, |server| server.admit(admission), services)
}

fn blocking_service() -> Running {
    let services = digest_blocking::services(SECRET.into()).unwrap();
    blocking(LOOPBACK, |server| server.admit(admission), services)
}

/// The services of those that have no such example: the dialplan says what it knows.
macro_rules! plain_service {
    ($name:ident: $adapter:ident, $start:ident) => {
        fn $name() -> Running {
            use $adapter::{Channel, Router, Server};

            async fn hello(mut channel: Channel) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
                let secret = channel.get_variable("SECRET").await?.unwrap_or_default();
                if secret != SECRET { Err("the dialplan does not know the secret".into()) } else { Ok(()) }
            }

            let services: Router = Router::new().route("/hello", hello).unwrap();
            $start(LOOPBACK, |server: Server| server.admit(admission), services)
        }
    };
}

plain_service!(smol_service: agi_smol, smol);
plain_service!(async_std_service: agi_async_std, async_std);

fn admission(_: SocketAddr, request: &agi_tokio::Request) -> Result<(), Status> {
    if request.path() == "/busy" { Err(Status::Busy) } else { Ok(()) }
}

fn tells_the_dialplan(version: Version, server: Running) {
    let service = server.address;
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
    server.stop();
}

#[test]
fn tokio_tells_the_dialplan_how_it_went() {
    tells_the_dialplan(Version::V22, tokio_service());
}

#[test]
fn smol_tells_the_dialplan_how_it_went() {
    tells_the_dialplan(Version::V22, smol_service());
}

#[test]
fn async_std_tells_the_dialplan_how_it_went() {
    tells_the_dialplan(Version::V22, async_std_service());
}

#[test]
fn blocking_tells_the_dialplan_how_it_went() {
    tells_the_dialplan(Version::V22, blocking_service());
}

#[test]
fn an_old_asterisk_is_told_too() {
    tells_the_dialplan(Version::V16, tokio_service());
}

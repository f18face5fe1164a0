//! However a handler ends, its server ends the conversation so that Asterisk has nothing to complain of.

use agi_tests::asterisk::{Asterisk, Call, Outcome, Version, Where};
use agi_tests::script::HANG;
use std::time::Duration;
use tokio::sync::oneshot;

/// When a handler gives its command up: that runs for much longer.
const HALF_WAY: Duration = Duration::from_millis(50);

/// How a handler ends, which the dialplan tells it.
const WAYS: [&str; 3] = ["returns", "fails", "panics"];

fn check(outcome: &Outcome, hung_up: bool, way: &str) {
    let expected = if hung_up { (Where::H, "HANGUP") } else { (Where::Next, "SUCCESS") };
    assert_eq!((outcome.where_, &*outcome.agi_status), expected, "{way}");
    assert!(outcome.complaints().is_empty(), "{way}: {:?}", outcome.complaints());
}

/// Calls the server at this URL, once for each way.
fn all_ways(url: &str) {
    for version in [Version::V22, Version::V16] {
        for way in WAYS {
            for hung_up in [false, true] {
                // what the hangup ends must not end before
                let seconds = if hung_up { "600" } else { "0.3" };
                let call = Asterisk::shared(version).call(&Call::to(url).arg(way).arg(seconds));
                call.wait_command("EXEC");
                if hung_up {
                    call.hang_up();
                }
                check(&call.finish(HANG), hung_up, way);
            }
        }
    }
}

/// What a handler is to do, and how long its command lasts.
fn words(request: &agi_tokio::Request) -> [String; 2] {
    let words: Vec<_> = request.args().map(ToString::to_string).collect();
    words.try_into().unwrap()
}

async fn handler(mut channel: agi_tokio::Channel) -> Result<(), agi_tokio::Error> {
    let [way, seconds] = words(&channel.request());
    let _ = tokio::time::timeout(HALF_WAY, channel.exec("Wait", &seconds)).await;
    match &*way {
        "returns" => Ok(()),
        "fails" => Err(agi_tokio::Error::Io(std::io::ErrorKind::Other.into())),
        "panics" => panic!("as it was told"),
        _ => std::future::pending().await,
    }
}

#[test]
fn handlers_of_the_tokio_server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(agi_tokio::Server::bind(("127.0.0.1", 0))).unwrap();
    let url = format!("agi://{}", server.local_addr().unwrap());
    runtime.spawn(server.serve(handler));
    all_ways(&url);
}

/// A handler that does not end by itself is cancelled when the server has waited for it long enough.
#[test]
fn a_handler_that_the_shutdown_cancels() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for version in [Version::V22, Version::V16] {
        let server = runtime.block_on(agi_tokio::Server::bind(("127.0.0.1", 0))).unwrap();
        let url = format!("agi://{}", server.local_addr().unwrap());
        let (shut_down, told) = oneshot::channel::<()>();
        let server = server.shutdown_timeout(HALF_WAY).serve_until(handler, async { drop(told.await) });
        let server = runtime.spawn(server);
        let call = Asterisk::shared(version).call(&Call::to(url).arg("waits").arg("0.3"));
        call.wait_command("EXEC");
        shut_down.send(()).unwrap();
        runtime.block_on(server).unwrap();
        check(&call.finish(HANG), false, "the shutdown");
    }
}

#[test]
fn handlers_of_the_blocking_server() {
    let server = agi_blocking::Server::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("agi://{}", server.local_addr().unwrap());
    let shutdown = server.shutdown_handle();
    let handler = |channel: &mut agi_blocking::Channel| {
        let [way, seconds] = words(&channel.request());
        let wait = agi_blocking::agi_proto::commands::Exec::new("Wait").arguments(&seconds);
        let _ = channel.call_timeout(wait, HALF_WAY);
        match &*way {
            "returns" => Ok(()),
            "fails" => Err(agi_blocking::Error::Io(std::io::ErrorKind::Other.into())),
            _ => panic!("as it was told"),
        }
    };
    std::thread::scope(|scope| {
        let server = scope.spawn(|| server.serve(handler));
        all_ways(&url);
        shutdown.shutdown();
        server.join().unwrap().unwrap();
    });
}

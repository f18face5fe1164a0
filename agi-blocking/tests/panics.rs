//! Panics of what a handler leaves behind.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::error::Error as StdError;
use std::fmt;
use std::net::TcpStream;
use std::panic::panic_any;
use std::thread;
use std::time::Duration;

use agi_blocking::{CallOutcome, Channel, Request, Server};

use self::pbx::Pbx;
use self::pbx::log::Log;

const LONG: Duration = Duration::from_secs(20);

/// What panics when it is looked at, asked for its cause, or dropped.
#[derive(Debug)]
struct Bad(String);

impl fmt::Display for Bad {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert_ne!(self.0, "/display", "shown");
        Ok(())
    }
}

impl StdError for Bad {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        assert_ne!(self.0, "/source", "asked");
        None
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        assert!(!["/drop", "/payload"].contains(&&*self.0), "dropped");
    }
}

fn handler(_: &mut Channel, request: &Request) -> Result<(), Bad> {
    let bad = Bad(request.path().to_string());
    if bad.0 == "/payload" {
        panic_any(bad);
    }
    Err(bad)
}

#[test]
fn they_are_the_handlers_own() {
    // so that errors are looked at
    let _log = Log::capture();
    let server = Server::bind("127.0.0.1:0").expect("a free port").linger(LONG);
    let (address, shutdown) = (server.local_addr().expect("bound"), server.shutdown_handle());
    let counters = server.counters();
    let serving = thread::spawn(move || server.serve(handler));
    for script in ["display", "source", "drop", "payload"] {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(LONG)).expect("a socket");
        Pbx::over(stream).begin(script).end_with("FAILED");
    }
    shutdown.shutdown();
    serving.join().expect("no panic").expect("no error");
    let counts = counters.counts();
    assert_eq!((counts.ended(CallOutcome::Panicked), counts.active()), (4, 0));
}

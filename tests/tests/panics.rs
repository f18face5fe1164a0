//! What a handler gives may panic as well: each time that is its own call's end, of which the dialplan is told and
//! which is counted. On the adapters that are asynchronous, by the same text.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod servers;

use std::error::Error;
use std::fmt;
use std::panic::panic_any;

use agi_service::CallOutcome;
use agi_tests::pbx::Pbx;

use self::servers::LOOPBACK;

/// An error that panics in one of these.
#[derive(Debug)]
enum Mine {
    Display,
    Source,
    Drop,
}

impl fmt::Display for Mine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(!matches!(self, Self::Display), "a panic of an error's text");
        f.write_str("an error")
    }
}

impl Error for Mine {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        assert!(!matches!(self, Self::Source), "a panic of an error's source");
        None
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        assert!(!matches!(self, Self::Drop), "a panic of an error's drop");
    }
}

/// What a handler panics with. Its own drop panics with another one, so many times.
struct Chain(usize);

impl Drop for Chain {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Self(self.0 - 1));
        }
    }
}

const SCRIPTS: [&str; 5] = ["display", "source", "drop", "payload", "chain"];

fn outcome(script: &str) -> Result<(), Mine> {
    match script {
        "display" => Err(Mine::Display),
        "source" => Err(Mine::Source),
        "drop" => Err(Mine::Drop),
        "payload" => panic_any(Chain(1)),
        "chain" => panic_any(Chain(9)),
        _ => Ok(()),
    }
}

macro_rules! adapter {
    ($name:ident: $adapter:ident) => {
        #[test]
        fn $name() {
            use $adapter::{Channel, Request};

            // the text of an error is asked for by who writes it down
            let _ = tracing_subscriber::fmt().with_writer(std::io::sink).try_init();
            let handler = async |channel: Channel, request: Request| {
                drop(channel);
                outcome(request.path().to_string().trim_start_matches('/'))
            };
            let server = servers::$name(LOOPBACK, |server| server, handler);
            let (address, counters) = (server.address, server.counters.clone());
            for script in SCRIPTS {
                Pbx::call_for(address, script).end_with("FAILED");
            }
            Pbx::call_for(address, "well").end_with("SUCCESS");
            server.stop();
            let counts = counters.counts();
            let ended = [CallOutcome::Panicked, CallOutcome::Success].map(|ending| counts.ended(ending));
            assert_eq!((ended, counts.active()), ([SCRIPTS.len(), 1], 0), "{counts:?}");
        }
    };
}

adapter!(tokio: agi_tokio);
adapter!(smol: agi_smol);
adapter!(async_std: agi_async_std);

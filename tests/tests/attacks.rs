//! Attacks on servers: whatever strangers do, real calls are served. On all four adapters, by the same text.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod servers;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use agi_service::{CallOutcome, WhenFull};
use agi_tests::pbx::{LONG, Pbx};

use self::servers::{LOOPBACK, Running};

/// More connections than any server's lobby holds.
const MANY: usize = 1_500;
/// Real calls among them.
const CALLS: usize = 20;

fn connect(server: &Running) -> TcpStream {
    TcpStream::connect_timeout(&server.address, LONG).unwrap()
}

/// A call that goes as it should.
fn is_served(server: &Running) {
    let mut pbx = Pbx::call_for(server.address, "noop");
    pbx.expect("NOOP").respond("200 result=0");
    pbx.end_with("SUCCESS");
}

/// Peers that connect and say nothing take no call's place, not even where only one call is served at once.
fn silent_peers_keep_no_call_out(server: Running) {
    let mut silent: Vec<TcpStream> = Vec::new();
    for n in 0..MANY {
        silent.push(connect(&server));
        if n % (MANY / CALLS) == 0 {
            is_served(&server);
        }
    }
    is_served(&server);
    let counts = server.counters.counts();
    assert_eq!(counts.refused(), 0, "a call was refused: {counts:?}");
    assert!(counts.ended(CallOutcome::Success) >= CALLS, "{counts:?}");
    drop(silent);
    server.stop();
}

/// The same of peers that have begun an environment, and go on as slowly as they can.
fn slow_peers_keep_no_call_out(server: Running) {
    let mut slow: Vec<TcpStream> = Vec::new();
    for _ in 0..200 {
        let mut stream = connect(&server);
        stream.write_all(b"agi_network: yes\n").unwrap();
        slow.push(stream);
    }
    for stream in &mut slow {
        // it may have had to make room
        let _ = stream.write_all(b"agi_netw");
    }
    is_served(&server);
    drop(slow);
    server.stop();
}

/// Connections that end as soon as they have begun.
fn storm_of_connections_is_survived(server: Running) {
    for _ in 0..MANY {
        drop(connect(&server));
    }
    is_served(&server);
    let counters = server.counters.clone();
    let began = Instant::now();
    // each of them is counted
    while counters.counts().active() > 0 {
        assert!(began.elapsed() < LONG, "{:?}", counters.counts());
        std::thread::yield_now();
    }
    assert_eq!(counters.counts().accepted(), MANY + 1);
    server.stop();
}

macro_rules! adapter {
    ($name:ident: $adapter:ident, [$($async:ident)?] [$($await:tt)*] $channel:ty) => {
        mod $name {
            use $adapter::{Channel, Error};

            use super::*;

            $($async)? fn noop(#[allow(unused_mut)] mut channel: $channel) -> Result<(), Error> {
                channel.noop() $($await)*
            }

            fn start() -> Running {
                let limited = |server: $adapter::Server| {
                    server
                        .max_calls(1)
                        .when_full(WhenFull::Wait)
                        .environment_timeout(LONG)
                        .shutdown_timeout(Duration::ZERO)
                };
                servers::$name(LOOPBACK, limited, noop)
            }

            #[test]
            fn silent_peers_keep_no_call_out() {
                super::silent_peers_keep_no_call_out(start());
            }

            #[test]
            fn slow_peers_keep_no_call_out() {
                super::slow_peers_keep_no_call_out(start());
            }

            #[test]
            fn storm_of_connections_is_survived() {
                super::storm_of_connections_is_survived(start());
            }
        }
    };
}

adapter!(tokio: agi_tokio, [async] [.await] Channel);
adapter!(smol: agi_smol, [async] [.await] Channel);
adapter!(async_std: agi_async_std, [async] [.await] Channel);
adapter!(blocking: agi_blocking, [] [] &mut Channel);

//! What a server meets on a bad day, on every adapter by the same text. After each of these it serves the next
//! call, and nothing is missing in its counts.
//!
//! That it has no file descriptor left is in the adapters' own tests, for that needs a process of its own.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod servers;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use agi_proto::Request;
use agi_service::{CallOutcome, CountersSnapshot, NotFound, Status, WhenFull};
use agi_tests::pair::ENVIRONMENT;
use agi_tests::pbx::{LONG, Pbx};

use self::servers::{LOOPBACK, Running};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const SHORT: Duration = Duration::from_millis(50);

/// What a server is told, whichever it is.
#[derive(Clone, Copy)]
struct Setup {
    addresses: &'static [SocketAddr],
    environment_timeout: Duration,
    linger: Duration,
    shutdown_timeout: Duration,
    max_calls: usize,
    when_full: WhenFull,
    allow: &'static str,
    admit: fn(SocketAddr, &Request) -> Result<(), Status>,
    status_variable: &'static str,
}

const USUAL: Setup = Setup {
    addresses: LOOPBACK,
    environment_timeout: LONG,
    linger: LONG,
    shutdown_timeout: LONG,
    max_calls: 100,
    when_full: WhenFull::Refuse,
    allow: "127.0.0.0/8, ::1",
    admit: |_, _| Ok(()),
    status_variable: Status::VARIABLE,
};

type Start = fn(Setup) -> Running;

fn a_slow_environment(start: Start) {
    let server = start(Setup { environment_timeout: SHORT, ..USUAL });
    let mut silent = connect(&server);
    let mut slow = connect(&server);
    slow.write_all(b"agi_network: yes\nagi_netw").unwrap();
    for stream in [&mut silent, &mut slow] {
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        stream.shutdown(Shutdown::Write).unwrap();
    }
    assert_eq!(serves_the_next(server).ended(CallOutcome::EnvironmentTimeout), 2);
}

fn a_connection_that_is_closed_and_one_that_is_reset(start: Start) {
    let server = start(USUAL);
    drop(connect(&server));
    until(&server, |counts| counts.ended(CallOutcome::Probe) == 1);
    reset(connect(&server));
    assert_eq!(serves_the_next(server).ended(CallOutcome::Probe), 2);
}

fn an_environment_that_ends_half_way(start: Start) {
    let server = start(USUAL);
    let mut half = connect(&server);
    half.write_all(b"agi_network: yes\n").unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    assert_eq!(half.read(&mut [0]).unwrap(), 0);
    assert_eq!(serves_the_next(server).ended(CallOutcome::InvalidEnvironment), 1);
}

fn what_is_no_environment(start: Start) {
    let server = start(USUAL);
    let mut browser = connect(&server);
    // more than is read at once: a socket that is closed with bytes unread is reset
    browser.write_all(&b"GET / HTTP/1.1\r\n".repeat(4096)).unwrap();
    assert_eq!(browser.read(&mut [0]).unwrap(), 0);
    browser.shutdown(Shutdown::Write).unwrap();
    assert_eq!(serves_the_next(server).ended(CallOutcome::InvalidEnvironment), 1);
}

fn what_is_no_environment_and_has_no_end(start: Start) {
    let server = start(Setup { max_calls: 1, linger: SHORT, ..USUAL });
    let mut stranger = connect(&server);
    // until it is reset
    while stranger.write_all(b"GET / HTTP/1.1\r\n").is_ok() {}
    assert_eq!(serves_the_next(server).ended(CallOutcome::InvalidEnvironment), 1);
}

/// What comes along behind the environment was forged, or the environment's end was: no handler runs.
fn an_answer_that_comes_with_the_environment(start: Start) {
    let server = start(USUAL);
    let lines = ENVIRONMENT.map(|(name, value)| match name {
        "agi_network_script" => format!("{name}: noop\n"),
        _ => format!("{name}: {value}\n"),
    });
    let mut pbx = Pbx::connect(server.address);
    pbx.stream.write_all((lines.concat() + "\n200 result=1 (forged)\n").as_bytes()).unwrap();
    assert_eq!(pbx.next_line(), None);
    drop(pbx);
    assert_eq!(serves_the_next(server).ended(CallOutcome::InvalidEnvironment), 1);
}

fn a_peer_that_ends_its_direction_after_the_environment(start: Start) {
    let server = start(USUAL);
    let mut pbx = Pbx::call_for(server.address, "noop");
    pbx.stream.shutdown(Shutdown::Write).unwrap();
    let mut said = Vec::new();
    pbx.stream.read_to_end(&mut said).unwrap();
    // no status, for nobody is there who could take it
    assert_eq!(said, b"NOOP\n");
    assert_eq!(serves_the_next(server).ended(CallOutcome::Hangup), 1);
}

fn a_reply_that_ends_half_way_and_one_that_is_reset(start: Start) {
    let server = start(USUAL);
    let mut ends = Pbx::call_for(server.address, "noop");
    ends.expect("NOOP").stream.write_all(b"200 res").unwrap();
    ends.stream.shutdown(Shutdown::Write).unwrap();
    let mut is_reset = Pbx::call_for(server.address, "noop");
    is_reset.expect("NOOP").stream.write_all(b"200 res").unwrap();
    reset(is_reset.stream);
    let counts = serves_the_next(server);
    assert_eq!(counts.ended(CallOutcome::Failed) + counts.ended(CallOutcome::Hangup), 2, "{counts:?}");
}

fn a_panic_an_error_and_a_script_that_nobody_has(start: Start) {
    let server = start(USUAL);
    for (script, status) in [("panic", "FAILED"), ("fail", "FAILED"), ("nothing/here", "NOT_FOUND")] {
        Pbx::call_for(server.address, script).end_with(status);
    }
    let counts = serves_the_next(server);
    for ending in [CallOutcome::Panicked, CallOutcome::Failed, CallOutcome::NotFound] {
        assert_eq!(counts.ended(ending), 1, "{ending:?}");
    }
}

fn a_status_that_is_not_taken_holds_up_nothing(start: Start) {
    let server = start(Setup { linger: SHORT, status_variable: "HOW", ..USUAL });
    let mut pbx = Pbx::call_for(server.address, "fail");
    pbx.expect("SET VARIABLE \"HOW\" \"FAILED\"");
    assert_eq!(pbx.next_line(), None);
    until(&server, |counts| counts.active() == 0);
    let mut next = Pbx::call_for(server.address, "noop");
    next.expect("NOOP").respond("200 result=0").expect("SET VARIABLE \"HOW\" \"SUCCESS\"");
    next.respond("200 result=1");
    next.end();
    server.stop();
}

fn a_dead_channel_still_takes_the_status(start: Start) {
    let server = start(USUAL);
    let mut pbx = Pbx::call_for(server.address, "noop");
    pbx.expect("NOOP").respond("HANGUP").respond("511 Command Not Permitted on a dead channel");
    pbx.end_with("SUCCESS");
    assert_eq!(serves_the_next(server).ended(CallOutcome::Hangup), 1);
}

fn a_refusal_without_a_hangup_is_counted_apart(start: Start) {
    let server = start(USUAL);
    let mut pbx = Pbx::call_for(server.address, "noop");
    pbx.expect("NOOP").respond("511 Command Not Permitted on a dead channel or intercept routine");
    pbx.expect("GET VARIABLE CHANNEL(checkhangup)").respond("200 result=1 (1)");
    pbx.end_with("SUCCESS");
    let counts = serves_the_next(server);
    assert_eq!((counts.ended(CallOutcome::Refused), counts.ended(CallOutcome::Hangup)), (1, 0));
}

fn at_the_limit_a_call_is_refused(start: Start) {
    let server = start(Setup { max_calls: 1, ..USUAL });
    let mut first = Pbx::call_for(server.address, "noop");
    first.expect("NOOP");
    for _ in 0..3 {
        Pbx::call_for(server.address, "noop").end_with("BUSY");
    }
    // a connection without an environment is not a call, and is not refused
    drop(connect(&server));
    // who was refused is counted a moment after the peer has seen the end
    until(&server, |counts| counts.ended(CallOutcome::Probe) == 1 && counts.active() == 1);
    first.respond("510 Invalid or unknown command");
    first.end_with("FAILED");
    assert_eq!(serves_the_next(server).refused(), 3);
}

fn at_the_limit_a_call_waits(start: Start) {
    let server = start(Setup { max_calls: 1, when_full: WhenFull::Wait, ..USUAL });
    let mut first = Pbx::call_for(server.address, "noop");
    first.expect("NOOP");
    let second = Pbx::call_for(server.address, "fail");
    second.stream.set_read_timeout(Some(SHORT)).unwrap();
    assert!(second.stream.peek(&mut [0]).is_err(), "it is served beside the first");
    second.stream.set_read_timeout(Some(LONG)).unwrap();
    // it has a place in the lobby
    assert_eq!(server.counters.counts().accepted(), 2);
    first.respond("510 Invalid or unknown command");
    first.end_with("FAILED");
    second.end_with("FAILED");
    let counts = serves_the_next(server);
    assert_eq!((counts.accepted(), counts.refused()), (3, 0));
}

fn a_peer_that_is_not_allowed(start: Start) {
    let server = start(Setup { allow: "192.0.2.0/24", ..USUAL });
    assert_eq!(connect(&server).read(&mut [0]).unwrap(), 0);
    until(&server, |counts| counts.refused() == 1);
    assert_eq!(server.counters.counts().active(), 0);
    server.stop();
}

fn a_call_that_is_not_admitted(start: Start) {
    let server = start(Setup {
        admit: |peer, request| {
            assert!(request.path() != "/panic", "an admission's panic");
            match request.path() == "/noop" && peer.ip().is_loopback() {
                true => Ok(()),
                false => Err(Status::Busy),
            }
        },
        ..USUAL
    });
    Pbx::call_for(server.address, "fail").end_with("BUSY");
    Pbx::call_for(server.address, "panic").end_with("FAILED");
    assert_eq!(serves_the_next(server).refused(), 2);
}

fn a_long_queue(start: Start) {
    const MANY: usize = 300;
    let server = start(Setup { max_calls: 1, when_full: WhenFull::Wait, ..USUAL });
    let mut first = Pbx::call_for(server.address, "noop");
    first.expect("NOOP");
    let queue: Vec<TcpStream> =
        (0..MANY).map(|_| TcpStream::connect_timeout(&server.address, LONG).unwrap()).collect();
    drop(queue);
    // they are not calls, so none of them waits for the first one's place
    let ended = |counts: &CountersSnapshot| {
        counts.ended(CallOutcome::Probe) + counts.ended(CallOutcome::EnvironmentTimeout)
    };
    until(&server, |counts| ended(counts) == MANY);
    first.respond("510 Invalid or unknown command");
    first.end_with("FAILED");
    assert_eq!(ended(&serves_the_next(server)), MANY);
}

fn a_shutdown_lets_calls_end(start: Start) {
    let server = start(USUAL);
    let (address, counters) = (server.address, server.counters.clone());
    let mut pbx = Pbx::call_for(address, "noop");
    pbx.expect("NOOP");
    let serving = server.tell_to_stop();
    // the listener is closed some time after the word is given
    let began = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(began.elapsed() < LONG);
    }
    assert!(!serving.is_finished(), "a call goes on");
    pbx.respond("200 result=0");
    pbx.end_with("SUCCESS");
    serving.join().unwrap();
    let counts = counters.counts();
    assert_eq!((counts.active(), counts.ended(CallOutcome::Success)), (0, 1), "{counts:?}");
}

/// Many times over, for it was once a matter of luck.
fn a_server_that_has_ended_has_counted_its_calls(start: Start) {
    for _ in 0..100 {
        let server = start(USUAL);
        let call = Pbx::call_for(server.address, "fail");
        until(&server, |counts| counts.accepted() == 1);
        let counters = server.counters.clone();
        let serving = server.tell_to_stop();
        call.end_with("FAILED");
        serving.join().unwrap();
        let counts = counters.counts();
        assert_eq!((counts.active(), counts.ended(CallOutcome::Failed)), (0, 1), "{counts:?}");
    }
}

/// What the handler holds panics besides when the call is cut.
fn a_shutdown_cuts_calls_that_take_too_long(start: Start) {
    let server = start(Setup { shutdown_timeout: SHORT, linger: SHORT, ..USUAL });
    let counters = server.counters.clone();
    let mut cut: Vec<Pbx> =
        ["dial", "bomb"].into_iter().map(|script| Pbx::call_for(server.address, script)).collect();
    for pbx in &mut cut {
        pbx.expect("EXEC \"Dial\" \"PJSIP/bob\"");
    }
    let mut silent = connect(&server);
    until(&server, |counts| counts.active() == 3);
    server.stop();
    // neither is waited for, for neither says anything; and neither is reset
    for mut pbx in cut {
        assert_eq!(pbx.next_line(), None);
    }
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    let counts = counters.counts();
    let ended = CallOutcome::ALL.iter().map(|&outcome| counts.ended(outcome)).sum::<usize>();
    assert_eq!((counts.active(), ended), (0, 3), "{counts:?}");
}

fn a_shutdown_while_calls_are_refused(start: Start) {
    let server = start(Setup { max_calls: 1, shutdown_timeout: SHORT, linger: SHORT, ..USUAL });
    let counters = server.counters.clone();
    let mut first = Pbx::call_for(server.address, "dial");
    first.expect("EXEC \"Dial\" \"PJSIP/bob\"");
    let mut refused = Pbx::call_for(server.address, "noop");
    refused.expect("SET VARIABLE \"AGI_SERVER_STATUS\" \"BUSY\"");
    server.stop();
    assert_eq!((refused.next_line(), first.next_line()), (None, None));
    let counts = counters.counts();
    assert_eq!((counts.accepted(), counts.refused(), counts.active()), (2, 1, 0));
}

fn an_address_that_is_not_ours_before_one_of_ipv6(start: Start) {
    const ADDRESSES: &[SocketAddr] = &[
        // for documentation: nobody has it
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 0),
        SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
    ];
    let server = start(Setup { addresses: ADDRESSES, ..USUAL });
    assert!(server.address.is_ipv6());
    serves_the_next(server);
}

fn connect(server: &Running) -> TcpStream {
    Pbx::connect(server.address).stream
}

/// Closes at once, without an orderly end.
fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

/// Waits until the numbers are so, which other threads have to bring about.
fn until(server: &Running, reached: impl Fn(&CountersSnapshot) -> bool) {
    let began = Instant::now();
    while !reached(&server.counters.counts()) {
        assert!(began.elapsed() < LONG, "it hangs at {:?}", server.counters.counts());
        thread::yield_now();
    }
}

/// A call that goes as it should, and the end of the server. Gives its last numbers.
fn serves_the_next(server: Running) -> CountersSnapshot {
    until(&server, |counts| counts.active() == 0);
    let mut pbx = Pbx::call_for(server.address, "noop");
    pbx.expect("NOOP").respond("200 result=0");
    pbx.end_with("SUCCESS");
    let counters = server.counters.clone();
    server.stop();
    let counts = counters.counts();
    assert_eq!((counts.active(), counts.ended(CallOutcome::Success)), (0, 1), "{counts:?}");
    counts
}

/// Its end is a panic.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a panic of what a handler holds");
    }
}

macro_rules! cases {
    ($($case:ident)*) => {$(
        #[test]
        fn $case() {
            super::$case(start);
        }
    )*};
}

/// An adapter's server, the services behind it, and every case. The same text for all: `async` and `.await` are
/// parameters.
macro_rules! adapter {
    ($name:ident: $adapter:ident, [$($async:ident)?] [$($await:tt)*] $channel:ty, $request:ty) => {
        mod $name {
            use $adapter::{Channel, Server};

            use super::*;

            $($async)? fn services(
                #[allow(unused_mut)] mut channel: $channel,
                request: $request,
            ) -> Result<(), BoxError> {
                match request.path().to_string().as_str() {
                    "/noop" => Ok(channel.noop() $($await)* ?),
                    "/fail" => Err("a handler's own error".into()),
                    "/panic" => panic!("a handler's panic"),
                    "/dial" => Ok(channel.exec("Dial", "PJSIP/bob") $($await)* .map(drop)?),
                    "/bomb" => {
                        let _bomb = Bomb;
                        Ok(channel.exec("Dial", "PJSIP/bob") $($await)* .map(drop)?)
                    }
                    _ => Err(NotFound::new(request.path()).into()),
                }
            }

            fn start(setup: Setup) -> Running {
                let options = move |server: Server| {
                    server
                        .environment_timeout(setup.environment_timeout)
                        .linger(setup.linger)
                        .shutdown_timeout(setup.shutdown_timeout)
                        .max_calls(setup.max_calls)
                        .when_full(setup.when_full)
                        .allow(setup.allow.parse().unwrap())
                        .admit(setup.admit)
                        .status_variable(setup.status_variable)
                };
                servers::$name(setup.addresses, options, services)
            }

            cases! {
                a_slow_environment
                a_connection_that_is_closed_and_one_that_is_reset
                an_environment_that_ends_half_way
                what_is_no_environment
                what_is_no_environment_and_has_no_end
                an_answer_that_comes_with_the_environment
                a_peer_that_ends_its_direction_after_the_environment
                a_reply_that_ends_half_way_and_one_that_is_reset
                a_panic_an_error_and_a_script_that_nobody_has
                a_status_that_is_not_taken_holds_up_nothing
                a_dead_channel_still_takes_the_status
                a_refusal_without_a_hangup_is_counted_apart
                at_the_limit_a_call_is_refused
                at_the_limit_a_call_waits
                a_peer_that_is_not_allowed
                a_call_that_is_not_admitted
                a_long_queue
                a_shutdown_lets_calls_end
                a_server_that_has_ended_has_counted_its_calls
                a_shutdown_cuts_calls_that_take_too_long
                a_shutdown_while_calls_are_refused
                an_address_that_is_not_ours_before_one_of_ipv6
            }
        }
    };
}

adapter!(tokio: agi_tokio, [async] [.await] Channel, Request);
adapter!(smol: agi_smol, [async] [.await] Channel, Request);
adapter!(async_std: agi_async_std, [async] [.await] Channel, Request);
adapter!(blocking: agi_blocking, [] [] &mut Channel, &Request);

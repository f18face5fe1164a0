//! One scenario on every adapter: what the README's table of features says of them is shown here, row by row,
//! by the same handler and with the same expectations.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod log;
mod program;
mod readme;
#[path = "../servers/mod.rs"]
mod servers;

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use agi_proto::Request;
use agi_service::Status;
use agi_tests::pbx::{LONG, Pbx};

use self::log::Log;
use self::readme::{FEATURES, table};
use self::servers::{LOOPBACK, Running};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long a prompt plays before it is given up.
const MOMENT: Duration = Duration::from_millis(20);

/// How many calls a server takes.
const LIMIT: usize = 2;

/// What a row is shown by: a call; one that is running at the server's end; a program of this adapter.
enum Script {
    Call(fn(Pbx)),
    Last(fn(Pbx, Running)),
    Program(fn(&str)),
}
use Script::{Call, Last, Program};

/// The rows of the README's table, each with the script that the PBX asks for and what it then sees.
const CASES: &[(&str, &str, Script)] = &[
    (
        "the environment, typed",
        "environment?lang=de",
        Call(|mut pbx| {
            pbx.expect("SET VARIABLE \"SEEN\" \"1700000000.1 at 100 in de\"").respond("200 result=1");
            end_with(pbx, "SUCCESS");
        }),
    ),
    (
        "commands with typed replies",
        "reply",
        Call(|mut pbx| {
            pbx.expect("STREAM FILE \"hi\" \"#\"").respond("200 result=35 endpos=800");
            pbx.expect("SET VARIABLE \"SEEN\" \"# at 800\"").respond("200 result=1");
            end_with(pbx, "SUCCESS");
        }),
    ),
    (
        "values of several lines",
        "lines",
        Call(|mut pbx| {
            pbx.expect("GET VARIABLE \"NOTE\"").respond("200 result=1 (one\nHANGUP\n200 result=1 (forged))");
            expect_behind_barriers(&mut pbx, "SET VARIABLE \"SEEN\" \"one/HANGUP/200 result=1 (forged)\"");
            pbx.respond("200 result=1");
            end_with(pbx, "SUCCESS");
        }),
    ),
    (
        "a hangup in the middle of a command",
        "hangup",
        Call(|mut pbx| {
            pbx.expect("STREAM FILE \"long\" \"\"").respond("HANGUP").respond("200 result=-1 endpos=800");
            // the handler's next command is not sent
            end_with(pbx, "SUCCESS");
        }),
    ),
    (
        "commands on a dead channel",
        "dead",
        Call(|mut pbx| {
            pbx.expect("ANSWER").respond("HANGUP").respond("200 result=-1");
            pbx.expect("SET VARIABLE \"CLEANED\" \"up\"").respond("200 result=1");
            pbx.expect("STREAM FILE \"bye\" \"\"").respond("511 Command Not Permitted on a dead channel");
            pbx.expect("SET VARIABLE \"SEEN\" \"hung up: true\"").respond("200 result=1");
            end_with(pbx, "SUCCESS");
        }),
    ),
    (
        "calls that are given up, and others after them",
        "given-up",
        Call(|mut pbx| {
            pbx.expect("STREAM FILE \"long\" \"\"");
            let echo = pbx.expect_barrier();
            pbx.respond("200 result=0 endpos=4000").respond(&echo);
            expect_behind_barriers(&mut pbx, "GET VARIABLE \"X\"");
            pbx.respond("200 result=1 (its own)");
            pbx.expect("SET VARIABLE \"SEEN\" \"its own\"").respond("200 result=1");
            end_with(pbx, "SUCCESS");
        }),
    ),
    (
        "waiting for the hangup",
        "wait",
        Call(|mut pbx| {
            pbx.expect("NOOP").respond("200 result=0").respond("HANGUP");
            pbx.expect("SET VARIABLE \"SEEN\" \"hung up: true\"").respond("200 result=1");
            end_with(pbx, "SUCCESS");
        }),
    ),
    (
        "a lingering close",
        "close",
        Call(|mut pbx| {
            pbx.expect("NOOP").respond("200 result=0");
            pbx.end();
        }),
    ),
    (
        "a panic ends its own call only",
        "panic",
        Call(|mut pbx| {
            pbx.expect("NOOP").respond("200 result=0");
            end_with(pbx, "FAILED");
        }),
    ),
    ("a failure is told to the dialplan", "fail", Call(|pbx| pbx.end_with("FAILED"))),
    ("routes, and `NOT_FOUND` for others", "nothing/here", Call(|pbx| pbx.end_with("NOT_FOUND"))),
    ("admission, and a status for who is not admitted", "unwelcome", Call(|pbx| pbx.end_with("BUSY"))),
    (
        "a limit of calls, and `BUSY` beyond",
        "noop",
        Call(|first| {
            let address = first.stream.peer_addr().unwrap();
            let mut calls = vec![first];
            calls.extend((1..LIMIT).map(|_| Pbx::call_for(address, "noop")));
            for pbx in &mut calls {
                pbx.expect("NOOP");
            }
            Pbx::call_for(address, "noop").end_with("BUSY");
            for mut pbx in calls {
                pbx.respond("200 result=0");
                pbx.end_with("SUCCESS");
            }
        }),
    ),
    (
        "the call's span in the log",
        "noop",
        Call(|mut pbx| {
            let peer = format!("peer={}", pbx.stream.local_addr().unwrap());
            pbx.expect("NOOP").respond("200 result=0");
            pbx.end_with("SUCCESS");
            let span = "call{channel=\"PJSIP/100-00000001\" unique_id=\"1700000000.1\" script=\"/noop\"";
            Log::find(&[span, &peer, "reply command=\"NOOP\"", "reply=200 result=0"]);
        }),
    ),
    (
        "a shutdown that lets calls end",
        "noop",
        Last(|mut pbx, server| {
            pbx.expect("NOOP");
            let serving = server.tell_to_stop();
            pbx.respond("200 result=0");
            pbx.end_with("SUCCESS");
            serving.join().unwrap();
        }),
    ),
    ("programs that Asterisk runs (AGI)", "process", Program(program::is_hung_up)),
    ("the caller's audio (EAGI)", "eagi", Program(program::hears)),
];

/// The end, of a server that tells the dialplan how it went, or of one that does not.
fn end_with(mut pbx: Pbx, status: &str) {
    if let Some(line) = pbx.next_line() {
        assert_eq!(line, format!("SET VARIABLE \"AGI_SERVER_STATUS\" \"{status}\""));
        pbx.respond("200 result=1");
    }
    pbx.end();
}

/// One that is not heard in time is sent again, and a busy machine may take that long.
fn expect_behind_barriers(pbx: &mut Pbx, line: &str) {
    loop {
        let next = pbx.next_line().expect(line);
        match next.strip_prefix("GET FULL VARIABLE \"").and_then(|rest| rest.strip_suffix('"')) {
            Some(token) => pbx.respond(&format!("200 result=1 ({token})")),
            None => return assert_eq!(next, line),
        };
    }
}

/// Runs the rows that the table claims for an adapter.
fn scenario(adapter: &str, server: Running) {
    Log::capture();
    let (header, rows) = table(FEATURES);
    let column = 1 + header.iter().position(|&name| name == adapter).expect("the table has the adapter");
    let (address, counters) = (server.address, server.counters.clone());
    let mut server = Some(server);
    for row in rows.iter().filter(|row| row[column] == "yes") {
        let (_, name, script) = CASES.iter().find(|case| case.0 == row[0]).expect(row[0]);
        eprintln!("{adapter}: {}", row[0]);
        match script {
            Call(script) => script(Pbx::call_for(address, name)),
            Last(script) => {
                script(Pbx::call_for(address, name), server.take().expect("there is one last call"));
            }
            Program(script) => script(adapter.trim_start_matches("agi-")),
        }
        // a call's place is free a moment after its end was seen
        let began = Instant::now();
        while counters.counts().active() > 0 {
            assert!(began.elapsed() < LONG, "a call does not end");
            thread::yield_now();
        }
    }
    assert!(server.is_none(), "the table has no shutdown");
}

fn admission(_: SocketAddr, request: &Request) -> Result<(), Status> {
    if request.path() == "/unwelcome" { Err(Status::Busy) } else { Ok(()) }
}

/// What an adapter's handler does for each script. The same text for all: `async` and `.await` are
/// parameters.
macro_rules! handler {
    ($server:ident, [$($async:ident)?] [$($await:tt)*] $channel:ident: $type:ty) => {
        $($async)? fn handler(#[allow(unused_mut)] mut $channel: $type) -> Result<(), BoxError> {
            let request = $channel.request();
            let outcome: Result<(), Error> = match request.path().to_string().as_str() {
                "/environment" => {
                    let environment = $channel.environment();
                    let (id, extension) = (environment.unique_id(), environment.extension());
                    let lang = request.query("lang").unwrap();
                    let seen = format!("{} at {} in {lang}", id.unwrap(), extension.unwrap());
                    $channel.set_variable("SEEN", seen) $($await)*
                }
                "/reply" => {
                    let playback = $channel.stream_file("hi", "#") $($await)* ?;
                    let seen = format!("{} at {}", playback.digit().unwrap(), playback.samples.unwrap());
                    $channel.set_variable("SEEN", seen) $($await)*
                }
                "/lines" => {
                    let note = $channel.get_variable("NOTE") $($await)* ?.unwrap();
                    $channel.set_variable("SEEN", note.to_string().replace('\n', "/")) $($await)*
                }
                "/hangup" => {
                    $channel.stream_file("long", "") $($await)* ?;
                    $channel.noop() $($await)*
                }
                "/dead" => {
                    assert!($channel.answer() $($await)* .unwrap_err().is_hangup());
                    $channel.set_variable("CLEANED", "up") $($await)* ?;
                    let over = $channel.stream_file("bye", "") $($await)* .unwrap_err().is_hangup();
                    $channel.set_variable("SEEN", format!("hung up: {over}")) $($await)*
                }
                "/given-up" => {
                    assert!(give_up(&mut $channel) $($await)*);
                    let own = $channel.get_variable("X") $($await)* ?.unwrap();
                    $channel.set_variable("SEEN", own.to_string()) $($await)*
                }
                "/wait" => {
                    $channel.noop() $($await)* ?;
                    wait(&mut $channel) $($await)*;
                    let seen = format!("hung up: {}", $channel.is_hung_up());
                    $channel.set_variable("SEEN", seen) $($await)*
                }
                "/close" => {
                    $channel.noop() $($await)* ?;
                    $channel.close() $($await)*
                }
                "/panic" => {
                    $channel.noop() $($await)* ?;
                    panic!("a handler's own")
                }
                "/fail" => return Err("a handler's own".into()),
                "/noop" => $channel.noop() $($await)*,
                path => unreachable!("{path}"),
            };
            Ok(outcome?)
        }

        pub(super) fn start() -> Running {
            let options = |server: Server| server.admit(admission).max_calls(LIMIT);
            let routes: Router = Router::new().route("/{script}", handler).unwrap();
            servers::$server(LOOPBACK, options, routes)
        }
    };
}

/// A test for each adapter, and the list of them.
macro_rules! adapters {
    ($($test:ident: $name:literal;)*) => {
        const ADAPTERS: &[&str] = &[$($name),*];
        $(
            #[test]
            fn $test() {
                scenario($name, $test::start());
            }
        )*
    };
}

adapters! {
    tokio: "agi-tokio";
    smol: "agi-smol";
    async_std: "agi-async-std";
    blocking: "agi-blocking";
}

mod tokio {
    use agi_tokio::{Channel, Error, Router, Server};

    use super::*;

    handler!(tokio, [async] [.await] channel: Channel);

    async fn give_up(channel: &mut Channel) -> bool {
        ::tokio::time::timeout(MOMENT, channel.stream_file("long", "")).await.is_err()
    }

    async fn wait(channel: &mut Channel) {
        channel.wait_for_hangup().await;
    }
}

mod smol {
    use ::smol::Timer;
    use ::smol::future::or;
    use agi_smol::{Channel, Error, Router, Server};

    use super::*;

    handler!(smol, [async] [.await] channel: Channel);

    async fn give_up(channel: &mut Channel) -> bool {
        let prompt = async { channel.stream_file("long", "").await.is_err() };
        let moment = async {
            Timer::after(MOMENT).await;
            true
        };
        or(prompt, moment).await
    }

    async fn wait(channel: &mut Channel) {
        channel.wait_for_hangup().await;
    }
}

mod async_std {
    use agi_async_std::{Channel, Error, Router, Server};

    use super::*;

    handler!(async_std, [async] [.await] channel: Channel);

    async fn give_up(channel: &mut Channel) -> bool {
        ::async_std::future::timeout(MOMENT, channel.stream_file("long", "")).await.is_err()
    }

    async fn wait(channel: &mut Channel) {
        channel.wait_for_hangup().await;
    }
}

mod blocking {
    use agi_blocking::agi_proto::commands::StreamFile;
    use agi_blocking::{Channel, Error, EscapeDigits, Router, Server};

    use super::*;

    handler!(blocking, [] [] channel: &mut Channel);

    fn give_up(channel: &mut Channel) -> bool {
        channel.call_timeout(StreamFile::new("long", EscapeDigits::NONE), MOMENT).unwrap().is_none()
    }

    fn wait(channel: &mut Channel) {
        channel.wait_for_hangup(None).unwrap();
    }
}

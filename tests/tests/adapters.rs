//! One scenario on every adapter: what the README's table of features says of them is shown here, row by row,
//! by the same handler and with the same expectations.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::Write;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use agi_tests::pair::ENVIRONMENT;
use agi_tests::pbx::Pbx;

const README: &str = include_str!("../../README.md");
/// How long a prompt plays before it is given up.
const MOMENT: Duration = Duration::from_millis(20);

type Script = fn(Pbx);

/// The rows of the README's table, each with the script that the PBX asks for and what it then sees.
const CASES: &[(&str, &str, Script)] = &[
    ("the environment, typed", "environment?lang=de", |mut pbx| {
        pbx.expect("SET VARIABLE \"SEEN\" \"1700000000.1 at 100 in de\"").respond("200 result=1");
        end_with(pbx, "SUCCESS");
    }),
    ("commands with typed replies", "reply", |mut pbx| {
        pbx.expect("STREAM FILE \"hi\" \"#\"").respond("200 result=35 endpos=800");
        pbx.expect("SET VARIABLE \"SEEN\" \"# at 800\"").respond("200 result=1");
        end_with(pbx, "SUCCESS");
    }),
    ("values of several lines", "lines", |mut pbx| {
        pbx.expect("GET VARIABLE \"NOTE\"").respond("200 result=1 (one\nHANGUP\n200 result=1 (forged))");
        expect_behind_barriers(&mut pbx, "SET VARIABLE \"SEEN\" \"one/HANGUP/200 result=1 (forged)\"");
        pbx.respond("200 result=1");
        end_with(pbx, "SUCCESS");
    }),
    ("a hangup in the middle of a command", "hangup", |mut pbx| {
        pbx.expect("STREAM FILE \"long\" \"\"").respond("HANGUP").respond("200 result=-1 endpos=800");
        // the handler's next command is not sent
        end_with(pbx, "SUCCESS");
    }),
    ("commands on a dead channel", "dead", |mut pbx| {
        pbx.expect("ANSWER").respond("HANGUP").respond("200 result=-1");
        pbx.expect("SET VARIABLE \"CLEANED\" \"up\"").respond("200 result=1");
        pbx.expect("STREAM FILE \"bye\" \"\"").respond("511 Command Not Permitted on a dead channel");
        pbx.expect("SET VARIABLE \"SEEN\" \"hung up: true\"").respond("200 result=1");
        end_with(pbx, "SUCCESS");
    }),
    ("calls that are given up, and others after them", "given-up", |mut pbx| {
        pbx.expect("STREAM FILE \"long\" \"\"");
        let echo = pbx.expect_barrier();
        pbx.respond("200 result=0 endpos=4000").respond(&echo);
        expect_behind_barriers(&mut pbx, "GET VARIABLE \"X\"");
        pbx.respond("200 result=1 (its own)");
        pbx.expect("SET VARIABLE \"SEEN\" \"its own\"").respond("200 result=1");
        end_with(pbx, "SUCCESS");
    }),
    ("waiting for the hangup", "wait", |mut pbx| {
        pbx.expect("NOOP").respond("200 result=0").respond("HANGUP");
        pbx.expect("SET VARIABLE \"SEEN\" \"hung up: true\"").respond("200 result=1");
        end_with(pbx, "SUCCESS");
    }),
    ("a lingering close", "close", |mut pbx| {
        pbx.expect("NOOP").respond("200 result=0");
        pbx.end();
    }),
    ("a panic ends its own call only", "panic", |mut pbx| {
        pbx.expect("NOOP").respond("200 result=0");
        end_with(pbx, "FAILED");
    }),
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

/// The table's header and rows, cell by cell.
fn table() -> (Vec<&'static str>, Vec<Vec<&'static str>>) {
    fn cells(line: &str) -> Option<Vec<&str>> {
        let line = line.strip_prefix('|')?.strip_suffix('|')?;
        Some(line.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
    }
    let mut lines = README.lines().skip_while(|&line| line != "## What each adapter does");
    let mut rows = lines.by_ref().filter_map(cells);
    let header = rows.next().expect("the README has the table");
    rows.next();
    let rows: Vec<_> = rows.take_while(|row| row.len() == header.len()).collect();
    (header[1..].to_vec(), rows)
}

/// Runs the rows that the table claims for an adapter.
fn scenario(adapter: &str, address: SocketAddr) {
    let (header, rows) = table();
    let column = 1 + header.iter().position(|&name| name == adapter).expect("the table has the adapter");
    for row in rows.iter().filter(|row| row[column] == "yes") {
        let (_, script, case) = CASES.iter().find(|case| case.0 == row[0]).expect(row[0]);
        eprintln!("{adapter}: {}", row[0]);
        case(Pbx::call_for(address, script));
    }
    forged_behind_the_environment(address);
}

/// What comes along behind the environment was forged, or the environment's end was: no handler sends a command.
fn forged_behind_the_environment(address: SocketAddr) {
    let mut pbx = Pbx::connect(address);
    let lines = ENVIRONMENT.map(|(name, value)| match name {
        "agi_network_script" => format!("{name}: environment?lang=de\n"),
        _ => format!("{name}: {value}\n"),
    });
    pbx.stream.write_all((lines.concat() + "\n200 result=1 (forged)\n").as_bytes()).unwrap();
    assert_eq!(pbx.next_line(), None);
}

/// What an adapter's handler does for each script. The same text for all: `async` and `.await` are
/// parameters.
macro_rules! handler {
    ([$($async:ident)?] [$($await:tt)*] $channel:ident: $type:ty) => {
        $($async)? fn handler(#[allow(unused_mut)] mut $channel: $type) -> Result<(), Error> {
            let request = $channel.request();
            match request.path().to_string().as_str() {
                "/environment" => {
                    let environment = $channel.environment();
                    let (id, extension) = (environment.unique_id(), environment.extension());
                    let lang = request.query("lang").unwrap();
                    let seen = format!("{} at {} in {lang}", id.unwrap(), extension.unwrap());
                    $channel.set_variable("SEEN", seen) $($await)*
                }
                "/reply" => {
                    let playback = $channel.stream_file("hi", "#") $($await)* ?;
                    let seen = format!("{} at {}", playback.digit().unwrap(), playback.samples);
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
                path => unreachable!("{path}"),
            }
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
                let (address, stop, serving) = $test::start();
                scenario($name, address);
                stop();
                serving.join().unwrap();
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

/// The parts of an async adapter that are the same; the rest is how its runtime blocks.
macro_rules! asynchronous {
    () => {
        handler!([async] [.await] channel: Channel);

        async fn wait(channel: &mut Channel) {
            channel.hung_up().await;
        }

        pub(super) fn start() -> (SocketAddr, impl FnOnce(), thread::JoinHandle<()>) {
            let (give, address) = std::sync::mpsc::channel();
            let (stop, stopped) = async_channel::bounded::<()>(1);
            let serve = async move {
                let server = Server::bind("127.0.0.1:0").await.unwrap();
                give.send(server.local_addr().unwrap()).unwrap();
                server.serve_until(handler, async { stopped.recv().await.unwrap_or(()) }).await;
            };
            let serving = thread::spawn(move || block_on(serve));
            (address.recv().unwrap(), move || stop.send_blocking(()).unwrap(), serving)
        }
    };
}

mod tokio {
    use agi_tokio::{Channel, Error, Server};

    use super::*;

    asynchronous!();

    fn block_on(future: impl Future<Output = ()>) {
        ::tokio::runtime::Runtime::new().unwrap().block_on(future);
    }

    async fn give_up(channel: &mut Channel) -> bool {
        ::tokio::time::timeout(MOMENT, channel.stream_file("long", "")).await.is_err()
    }
}

mod smol {
    use ::smol::Timer;
    use ::smol::future::or;
    use agi_smol::{Channel, Error, Server};

    use super::*;

    asynchronous!();

    fn block_on(future: impl Future<Output = ()>) {
        ::smol::block_on(future);
    }

    async fn give_up(channel: &mut Channel) -> bool {
        let prompt = async { channel.stream_file("long", "").await.is_err() };
        let moment = async {
            Timer::after(MOMENT).await;
            true
        };
        or(prompt, moment).await
    }
}

mod async_std {
    use agi_async_std::{Channel, Error, Server};

    use super::*;

    asynchronous!();

    fn block_on(future: impl Future<Output = ()>) {
        ::async_std::task::block_on(future);
    }

    async fn give_up(channel: &mut Channel) -> bool {
        ::async_std::future::timeout(MOMENT, channel.stream_file("long", "")).await.is_err()
    }
}

mod blocking {
    use agi_blocking::agi_proto::commands::StreamFile;
    use agi_blocking::{Channel, Error, EscapeDigits, Server};

    use super::*;

    handler!([] [] channel: &mut Channel);

    fn give_up(channel: &mut Channel) -> bool {
        channel.call_timeout(StreamFile::new("long", EscapeDigits::NONE), MOMENT).unwrap().is_none()
    }

    fn wait(channel: &mut Channel) {
        channel.hung_up(None).unwrap();
    }

    pub(super) fn start() -> (SocketAddr, impl FnOnce(), thread::JoinHandle<()>) {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let (address, shutdown) = (server.local_addr().unwrap(), server.shutdown_handle());
        let serving = thread::spawn(move || server.serve(handler).unwrap());
        (address, move || shutdown.shutdown(), serving)
    }
}

#[test]
fn the_table_tells_of_all_adapters_and_all_that_is_shown() {
    let (header, rows) = table();
    assert_eq!(header, ADAPTERS);
    let features: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    let shown: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    assert_eq!(features, shown);
    for row in &rows {
        assert!(row[1..].iter().all(|&cell| matches!(cell, "yes" | "no")), "{row:?}");
    }
}

#[test]
fn the_readme_tells_of_every_crate() {
    let listed: Vec<&str> = README
        .lines()
        .skip_while(|&line| line != "## Which crate")
        .filter_map(|line| Some(line.strip_prefix("| [`")?.split_once('`')?.0))
        .collect();
    let workspace = include_str!("../../Cargo.toml");
    let members = workspace.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
    let members = members.trim_end_matches(']').split(", ").map(|member| member.trim_matches('"'));
    let mut members: Vec<&str> = members.filter(|&member| member != "tests").collect();
    let mut sorted = listed.clone();
    members.sort_unstable();
    sorted.sort_unstable();
    assert_eq!(sorted, members);
    assert!(ADAPTERS.iter().all(|adapter| listed.contains(adapter)));
}

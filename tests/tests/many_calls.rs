//! Ten thousand calls at once: a server of each adapter holds them, serves every one and forgets them all.
//!
//! A program of its own rather than one of the test harness's: it runs itself a second time for each server, so
//! that the callers have file descriptors of their own, and the memory that is measured is the server's. `cargo
//! test -p agi-tests --features many-calls --test many_calls` runs it, and so does CI.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::read_to_string;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, fmt, io};

use agi_proto::PbxSession;
use agi_service::{CallOutcome, Counters};
use agi_tests::pair::ENVIRONMENT;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Counts what the servers hold. What is resident besides, the system's allocator keeps for later.
#[global_allocator]
static ALLOCATOR: Counting = Counting;
static HELD: AtomicUsize = AtomicUsize::new(0);

const CALLS: usize = 10_000;
/// What a process needs beside its calls.
const SPARE: u64 = 200;
/// How many a blocking server takes unless told otherwise.
const THREADS: usize = 256;
/// How many calls of those that are refused come at once.
const WAVE: usize = 50;
/// How long one step of one call may take on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    raise_the_limit_of_files();
    match &arguments[..] {
        [serve, adapter] if serve == "serve" => serve_until_told(adapter),
        _ => {
            for adapter in ["agi-tokio", "agi-smol", "agi-async-std"] {
                holds_all(adapter);
            }
            refuses_the_rest("agi-blocking");
        }
    }
}

/// Ten thousand calls are held, then each is served and ended; twice, so that what the first ones have left
/// behind would show in what the second ones need.
fn holds_all(adapter: &str) {
    let mut server = Server::run(adapter);
    let began = Instant::now();
    serve(hold(1, server.address));
    let before = server.wait_for(1, 0).memory;
    let mut peaks = [Memory::default(); 2];
    let mut needed = 0;
    for (peak, served) in peaks.iter_mut().zip([1, 1 + CALLS]) {
        let callers = hold(CALLS, server.address);
        let look = server.look();
        assert_eq!(look.active, CALLS, "all of them are held");
        *peak = look.memory;
        // the system's allocator keeps what it has got, and uses it again
        assert!(
            needed == 0 || peak.resident <= needed + needed / 10,
            "{peak} after {needed} KiB resident: it grows"
        );
        serve(callers);
        let after = server.wait_for(served + CALLS, 0).memory;
        println!("{adapter}: {CALLS} calls held and served: {before} before, {peak} then, {after} after");
        after.is_back_at(before, *peak);
        // serving needs more than holding
        needed = peak.resident.max(after.resident);
    }
    let [first, second] = peaks.map(|peak| peak.allocated);
    assert!(second <= first + first / 50, "{second} KiB held after {first} KiB: it grows");
    println!("{adapter}: {:.1?}", began.elapsed());
    server.end();
}

/// As many are held as there may be threads; the others are told at once that the server is busy, while the
/// first still wait.
fn refuses_the_rest(adapter: &str) {
    let mut server = Server::run(adapter);
    let began = Instant::now();
    serve(hold(1, server.address));
    let before = server.wait_for(1, 0).memory;
    let callers = hold(THREADS, server.address);
    let rest = CALLS - THREADS;
    for wave in (0..rest).step_by(WAVE) {
        let numbers = wave..rest.min(wave + WAVE);
        let mut refused: Vec<Caller> = numbers.map(|n| Caller::call(server.address, n)).collect();
        refused.iter_mut().for_each(|caller| caller.take_status("BUSY"));
        refused.into_iter().for_each(Caller::end);
    }
    // a refused call counts as active until its caller is gone
    let peak = loop {
        let look = server.look();
        if (look.active, look.refused) == (THREADS, rest) {
            break look.memory;
        }
        assert!(began.elapsed() < LONG, "{look:?}");
    };
    serve(callers);
    let after = server.wait_for(1 + THREADS, rest).memory;
    println!("{adapter}: {THREADS} calls held, {rest} refused: {before} before, {peak} then, {after} after");
    after.is_back_at(before, peak);
    println!("{adapter}: {:.1?}", began.elapsed());
    server.end();
}

/// Calls whose handlers wait for their first answer.
fn hold(calls: usize, address: SocketAddr) -> Vec<Caller> {
    let mut callers: Vec<Caller> = (0..calls).map(|n| Caller::call(address, n)).collect();
    callers.iter_mut().for_each(|caller| caller.expect("ANSWER"));
    callers
}

/// Sees calls that were held to their end: each gets its own answers.
fn serve(mut callers: Vec<Caller>) {
    callers.iter_mut().for_each(|caller| caller.respond("200 result=0"));
    for caller in &mut callers {
        caller.expect("GET VARIABLE \"NUMBER\"");
        caller.respond(&format!("200 result=1 ({})", caller.number));
    }
    for caller in &mut callers {
        caller.expect(&format!("SET VARIABLE \"SEEN\" \"{}\"", caller.number));
        caller.respond("200 result=1");
    }
    callers.iter_mut().for_each(|caller| caller.take_status("SUCCESS"));
    callers.into_iter().for_each(Caller::end);
}

/// One call, as Asterisk makes it.
struct Caller {
    stream: TcpStream,
    number: usize,
}

impl Caller {
    fn call(address: SocketAddr, number: usize) -> Self {
        let mut asterisk = PbxSession::new(8191);
        asterisk.send_environment(ENVIRONMENT);
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        (&stream).write_all(asterisk.poll_transmit().unwrap()).unwrap();
        Self { stream, number }
    }

    /// Reads this command and no other.
    fn expect(&mut self, command: &str) {
        let mut line = vec![0; command.len() + 1];
        self.stream.read_exact(&mut line).unwrap();
        assert_eq!(String::from_utf8_lossy(&line), format!("{command}\n"), "call {}", self.number);
    }

    fn respond(&mut self, response: &str) {
        self.stream.write_all(format!("{response}\n").as_bytes()).unwrap();
    }

    fn take_status(&mut self, status: &str) {
        self.expect(&format!("SET VARIABLE \"AGI_SERVER_STATUS\" \"{status}\""));
        self.respond("200 result=1");
    }

    /// Waits for the server's end, and closes with the words of Asterisk.
    fn end(mut self) {
        assert_eq!(self.stream.read(&mut [0]).unwrap(), 0, "call {}", self.number);
        self.respond("HANGUP");
        assert!(self.stream.take_error().unwrap().is_none(), "a reset");
    }
}

/// A server in a process of its own.
struct Server {
    address: SocketAddr,
    process: Child,
    asks: ChildStdin,
    tells: Lines<BufReader<ChildStdout>>,
}

/// What a server says of itself.
#[derive(Debug)]
struct Look {
    accepted: usize,
    refused: usize,
    active: usize,
    served: usize,
    memory: Memory,
}

/// In KiB.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    allocated: usize,
    resident: usize,
}

impl Memory {
    /// What is left are queues of the runtime's, which once were long.
    fn is_back_at(self, before: Self, peak: Self) {
        assert!(self.allocated <= before.allocated + peak.allocated / 16, "{self} are left of {peak}");
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB ({} resident)", self.allocated, self.resident)
    }
}

impl Server {
    fn run(adapter: &str) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["serve", adapter])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let asks = process.stdin.take().unwrap();
        let mut tells = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = tells.next().expect("it runs").unwrap().parse().unwrap();
        Self { address, process, asks, tells }
    }

    fn look(&mut self) -> Look {
        self.asks.write_all(b"\n").unwrap();
        let line = self.tells.next().expect("it still runs").unwrap();
        let mut numbers = line.split(' ').map(|number| number.parse().unwrap());
        let mut next = || numbers.next().unwrap();
        Look {
            accepted: next(),
            refused: next(),
            active: next(),
            served: next(),
            memory: Memory { allocated: next(), resident: next() },
        }
    }

    /// Waits until all calls are over, and all of them were served or refused.
    fn wait_for(&mut self, served: usize, refused: usize) -> Look {
        let began = Instant::now();
        loop {
            let look = self.look();
            if look.active == 0 && look.accepted == served + refused {
                assert_eq!((look.served, look.refused), (served, refused), "nothing is lost");
                return look;
            }
            assert!(began.elapsed() < LONG, "{look:?}");
        }
    }

    fn end(self) {
        let Self { mut process, asks, .. } = self;
        drop(asks);
        assert!(process.wait().unwrap().success());
    }
}

/// The other process: serves, tells how it is when asked, and ends with its input.
fn serve_until_told(adapter: &str) {
    let running = match adapter {
        "agi-tokio" => with_tokio::start(),
        "agi-smol" => with_smol::start(),
        "agi-async-std" => with_async_std::start(),
        "agi-blocking" => blocking::start(),
        _ => panic!("{adapter}"),
    };
    println!("{}", running.address);
    for _ in io::stdin().lines() {
        let counts = running.counters.counts();
        println!(
            "{} {} {} {} {} {}",
            counts.accepted(),
            counts.refused(),
            counts.active(),
            counts.ended(CallOutcome::Success),
            HELD.load(Relaxed) / 1024,
            resident()
        );
    }
    (running.stop)();
    running.serving.join().unwrap();
}

struct Running {
    address: SocketAddr,
    counters: Arc<Counters>,
    stop: Box<dyn FnOnce()>,
    serving: JoinHandle<()>,
}

/// How much of this process is in memory, in KiB.
fn resident() -> usize {
    let status = read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

struct Counting;

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn raise_the_limit_of_files() {
    let mut limit = getrlimit(Resource::Nofile);
    let (needed, most) = (CALLS as u64 + SPARE, limit.maximum.unwrap_or(u64::MAX));
    assert!(
        most >= needed,
        "{needed} file descriptors are needed, and the hard limit is {most} (ulimit -Hn)"
    );
    limit.current = Some(needed);
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// A server and its handler. The same text for three runtimes: what differs is how they block.
macro_rules! asynchronous {
    ($module:ident: $adapter:ident, $block_on:expr) => {
        mod $module {
            use $adapter::{Channel, Error, Server};

            use super::*;

            async fn handler(mut channel: Channel) -> Result<(), Error> {
                channel.answer().await?;
                let number = channel.get_variable("NUMBER").await?.unwrap();
                channel.set_variable("SEEN", number).await
            }

            pub(super) fn start() -> Running {
                let (give, given) = std::sync::mpsc::channel();
                let (stop, stopped) = async_channel::bounded::<()>(1);
                let serving = thread::spawn(move || {
                    $block_on(async move {
                        let server = Server::bind("127.0.0.1:0").await.unwrap();
                        give.send((server.local_addr().unwrap(), server.counters())).unwrap();
                        server.serve_until(handler, async { stopped.recv().await.unwrap_or(()) }).await;
                    })
                });
                let (address, counters) = given.recv().unwrap();
                Running {
                    address,
                    counters,
                    stop: Box::new(move || stop.send_blocking(()).unwrap()),
                    serving,
                }
            }
        }
    };
}

asynchronous!(with_tokio: agi_tokio, |serve| tokio::runtime::Runtime::new().unwrap().block_on(serve));
asynchronous!(with_smol: agi_smol, smol::block_on);
asynchronous!(with_async_std: agi_async_std, async_std::task::block_on);

mod blocking {
    use agi_blocking::{Channel, Error, Server};

    use super::*;

    fn handler(channel: &mut Channel) -> Result<(), Error> {
        channel.answer()?;
        let number = channel.get_variable("NUMBER")?.unwrap();
        channel.set_variable("SEEN", number)
    }

    pub(super) fn start() -> Running {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let (address, counters) = (server.local_addr().unwrap(), server.counters());
        let shutdown = server.shutdown_handle();
        let serving = thread::spawn(move || server.serve(handler).unwrap());
        Running { address, counters, stop: Box::new(move || shutdown.shutdown()), serving }
    }
}

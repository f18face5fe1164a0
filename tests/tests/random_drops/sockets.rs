//! Through sockets, with a thread that plays the PBX: for the adapters whose clock is the real one.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use agi_proto::commands::{
    Exec, GetData, GetFullVariable, GetVariable, Gosub, Noop, SayNumber, StreamFile, WaitForDigit,
};
use agi_proto::{Command, EscapeDigits};
use fastrand::Rng;

use super::pbx::{Pbx, odd_value};
use super::{CONVERSATIONS, DROPS, Tally};

/// Conversations at once: most of the time they wait.
const AT_ONCE: u64 = 50;

/// The longest that a command of the PBX runs.
const LONGEST: Duration = Duration::from_millis(4);

/// No answer takes so long.
pub const HANG: Duration = Duration::from_secs(20);

pub type Error = agi_proto::Error<std::io::Error>;

/// A channel over a socket that takes a few bytes at a time.
pub trait Line: Sized {
    fn start(stream: UnixStream, random: Rng) -> Self;

    /// Waits for a reply so long at most.
    fn call_for<C: Command>(&mut self, command: C, time: Duration) -> Option<Result<C::Reply, Error>>;

    fn resync(&mut self) -> Result<(), Error>;

    fn close(self) -> Result<(), Error>;
}

/// How much of a line the socket takes at once.
pub fn sip(line: &[u8], random: &mut Rng) -> usize {
    if random.u8(..4) == 0 { random.usize(1..=line.len()) } else { line.len() }
}

fn play_pbx(mut stream: UnixStream, seed: u64) -> u64 {
    let mut pbx = Pbx::new(seed, LONGEST);
    let began = Instant::now();
    let mut buffer = [0; 4096];
    loop {
        let more = pbx.run(began.elapsed());
        while let Some(piece) = pbx.send() {
            stream.write_all(&piece).unwrap();
            std::thread::yield_now();
        }
        if pbx.is_over() {
            return pbx.unseen;
        }
        let wait = more.map_or(HANG, |more| more.saturating_sub(began.elapsed()));
        stream.set_read_timeout(Some(wait.max(Duration::from_micros(1)))).unwrap();
        match stream.read(&mut buffer) {
            Ok(read) => pbx.receive(&buffer[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => panic!("{error}"),
        }
        if pbx.random.u16(..2000) == 0 {
            pbx.hang_up();
        }
    }
}

/// Waits a while for a reply, not even for a moment now and then. Whether it was given up.
fn drop_call<C: Command>(line: &mut impl Line, random: &mut Rng, command: C) -> bool {
    let wait = if random.bool() { Duration::ZERO } else { LONGEST.mul_f64(random.f64()) };
    // that it failed is not the question
    line.call_for(command, wait).is_none()
}

fn drop_one(line: &mut impl Line, random: &mut Rng) -> bool {
    let none = EscapeDigits::NONE;
    match random.u8(..11) {
        0..2 => drop_call(line, random, StreamFile::new("long", none)),
        2 => drop_call(line, random, StreamFile::new("missing", none)),
        3 => drop_call(line, random, GetData::new("long")),
        4 => drop_call(line, random, WaitForDigit::new(None)),
        5 => drop_call(line, random, SayNumber::new(1, none)),
        6 => drop_call(line, random, Exec::new("Wait")),
        7 => drop_call(line, random, Exec::new("One")),
        8 => drop_call(line, random, Gosub::new("subs", "s", "1")),
        9 => drop_call(line, random, GetVariable::new("ODD")),
        _ => drop_call(line, random, Noop::new()),
    }
}

/// Asks for something that nothing else answers so.
fn ask(line: &mut impl Line, random: &mut Rng, number: u64) {
    let name = match random.u8(..8) {
        0 => format!("ODD{number}"),
        _ => format!("V{number}"),
    };
    if random.bool() {
        let value = line.call_for(GetFullVariable::new(&name), HANG).expect("it hangs").unwrap();
        assert_eq!(value.unwrap(), name);
    } else {
        let value = line.call_for(GetVariable::new(&name), HANG).expect("it hangs").unwrap();
        let expected = if name.starts_with('O') { odd_value(&name) } else { format!("value of {name}") };
        assert_eq!(value.unwrap(), expected);
    }
}

fn conversation<L: Line>(seed: u64) -> Tally {
    let (stream, pbx) = UnixStream::pair().unwrap();
    let pbx = std::thread::spawn(move || play_pbx(pbx, seed));
    let mut random = Rng::with_seed(!seed);
    let mut line = L::start(stream, random.fork());
    let (mut dropped, mut answers) = (0, 0);
    while dropped < DROPS {
        dropped += u64::from(drop_one(&mut line, &mut random));
        if random.u8(..8) == 0 {
            line.resync().unwrap();
        }
        for _ in 0..random.u8(..4) {
            answers += 1;
            ask(&mut line, &mut random, answers);
        }
    }
    ask(&mut line, &mut random, 0);
    line.close().unwrap();
    Tally { dropped, answers, unseen: pbx.join().unwrap() }
}

/// Has all the conversations.
pub fn ten_thousand_drops<L: Line>(adapter: &str) {
    let began = Instant::now();
    let (next, tallies) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= CONVERSATIONS {
                        return;
                    }
                    let tally = std::panic::catch_unwind(|| conversation::<L>(seed));
                    tallies.lock().unwrap().push(tally.unwrap_or_else(|_| panic!("seed {seed}")));
                }
            });
        }
    });
    tallies.into_inner().unwrap().into_iter().sum::<Tally>().check(adapter, began);
}

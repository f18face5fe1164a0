//! Over agi-blocking, through sockets, with a thread that plays the PBX.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use agi_blocking::{Channel, Stream};
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
const HANG: Duration = Duration::from_secs(20);

/// A socket that takes a few bytes at a time.
struct Sipping(UnixStream, Rng);

impl Read for Sipping {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Sipping {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let length = if self.1.u8(..4) == 0 { self.1.usize(1..=buf.len()) } else { buf.len() };
        self.0.write(&buf[..length])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Sipping {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        Stream::set_read_timeout(&mut self.0, timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.shutdown_write()
    }
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
fn drop_call<C: Command>(channel: &mut Channel<Sipping>, random: &mut Rng, command: C) -> bool {
    let wait = if random.bool() { Duration::ZERO } else { LONGEST.mul_f64(random.f64()) };
    match channel.call_timeout(command, wait) {
        Ok(reply) => reply.is_none(),
        // that it failed is not the question
        Err(_) => false,
    }
}

fn drop_one(channel: &mut Channel<Sipping>, random: &mut Rng) -> bool {
    let none = EscapeDigits::NONE;
    match random.u8(..11) {
        0..2 => drop_call(channel, random, StreamFile::new("long", none)),
        2 => drop_call(channel, random, StreamFile::new("missing", none)),
        3 => drop_call(channel, random, GetData::new("long")),
        4 => drop_call(channel, random, WaitForDigit::new(None)),
        5 => drop_call(channel, random, SayNumber::new(1, none)),
        6 => drop_call(channel, random, Exec::new("Wait")),
        7 => drop_call(channel, random, Exec::new("One")),
        8 => drop_call(channel, random, Gosub::new("subs", "s", "1")),
        9 => drop_call(channel, random, GetVariable::new("ODD")),
        _ => drop_call(channel, random, Noop::new()),
    }
}

/// Asks for something that nothing else answers so.
fn ask(channel: &mut Channel<Sipping>, random: &mut Rng, number: u64) {
    let name = match random.u8(..8) {
        0 => format!("ODD{number}"),
        _ => format!("V{number}"),
    };
    if random.bool() {
        let value = channel.call_timeout(GetFullVariable::new(&name), HANG).unwrap().expect("it hangs");
        assert_eq!(value.unwrap(), name);
    } else {
        let value = channel.call_timeout(GetVariable::new(&name), HANG).unwrap().expect("it hangs");
        let expected = if name.starts_with('O') { odd_value(&name) } else { format!("value of {name}") };
        assert_eq!(value.unwrap(), expected);
    }
}

fn conversation(seed: u64) -> Tally {
    let (stream, pbx) = UnixStream::pair().unwrap();
    let pbx = std::thread::spawn(move || play_pbx(pbx, seed));
    let mut random = Rng::with_seed(!seed);
    let mut channel = Channel::start(Sipping(stream, random.fork())).unwrap().unwrap();
    let (mut dropped, mut answers) = (0, 0);
    while dropped < DROPS {
        dropped += u64::from(drop_one(&mut channel, &mut random));
        if random.u8(..8) == 0 {
            channel.resync().unwrap();
        }
        for _ in 0..random.u8(..4) {
            answers += 1;
            ask(&mut channel, &mut random, answers);
        }
    }
    ask(&mut channel, &mut random, 0);
    channel.close().unwrap();
    Tally { dropped, answers, unseen: pbx.join().unwrap() }
}

#[test]
fn ten_thousand_drops_over_blocking() {
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
                    let tally = std::panic::catch_unwind(|| conversation(seed));
                    tallies.lock().unwrap().push(tally.unwrap_or_else(|_| panic!("seed {seed}")));
                }
            });
        }
    });
    tallies.into_inner().unwrap().into_iter().sum::<Tally>().check("blocking", began);
}

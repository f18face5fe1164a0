//! Calls dropped at random moments.

use agi_proto::commands::{
    Exec, GetData, GetFullVariable, GetVariable, Gosub, Noop, SayDigits, StreamFile, WaitForDigit,
};
use agi_proto::{Command, EscapeDigits};
use agi_tests::asterisk::{Asterisk, Call, Version};
use agi_tests::script::{Blocking, Entry, HANG, Port, Script, Smol, Tape, Tokio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Calls at once on each Asterisk, and drops in each of them.
const CALLS: u64 = 8;
const DROPS: u64 = 25;

const NONE: EscapeDigits = EscapeDigits::NONE;

/// What one call is steered by.
struct Steering<S> {
    script: S,
    random: fastrand::Rng,
    /// How many calls gave no reply.
    dropped: u64,
}

impl<S: Script> Steering<S> {
    /// Sends a command and drops the call: right after it was written, while it is on its way, or while it
    /// runs.
    fn drop<C: Command>(&mut self, command: C) {
        let while_it_runs = Duration::from_millis(self.random.u64(1..120));
        let on_its_way = Duration::from_micros(self.random.u64(1..1500));
        let reply = match self.random.u8(..3) {
            0 => {
                self.script.send_and_drop(command);
                None
            }
            1 => self.script.call_for(command, on_its_way),
            _ => self.script.call_for(command, while_it_runs),
        };
        match reply {
            None => self.dropped += 1,
            Some(reply) => drop(reply.expect("it works where it is not dropped")),
        }
    }

    fn drop_one(&mut self) {
        let file = "demo-congrats";
        match self.random.u8(..10) {
            0..2 => self.drop(StreamFile::new(file, NONE)),
            2 => self.drop(GetData::new(file).timeout(None)),
            3 => self.drop(GetData::new("").timeout(None)),
            4 => self.drop(WaitForDigit::new(None)),
            5 => self.drop(Exec::new("Wait").arguments("0.1")),
            6 => self.drop(Gosub::new("subs", "nested", "1")),
            7 => self.drop(GetVariable::new("V0")),
            8 => self.drop(SayDigits::new("1", NONE)),
            _ => self.drop(Noop::new()),
        }
    }

    /// Asks for distinct values.
    fn ask(&mut self, drop: u64) {
        for question in 0..self.random.u64(1..4) {
            if self.random.bool() {
                let echo = format!("answer {question} after drop {drop}");
                let value = self.script.call(GetFullVariable::new(&echo)).expect("an answer");
                assert_eq!(value.expect("it is on"), echo);
            } else {
                let index = self.random.u8(..4);
                let value = self.script.call(GetVariable::new(&format!("V{index}"))).expect("an answer");
                assert_eq!(value.expect("it is set"), format!("value {index}"));
            }
        }
    }
}

/// How often one barrier followed another: the first lay unseen in Asterisk's buffer, or its answer was late.
fn nudged(tape: &Tape) -> u64 {
    let sent = tape.since(0).into_iter().filter_map(|(_, entry)| match entry {
        Entry::Sent(bytes) => Some(bytes.starts_with(b"GET FULL VARIABLE \"agi-sync-")),
        _ => None,
    });
    let barriers: Vec<_> = sent.collect();
    barriers.windows(2).filter(|pair| pair[0] && pair[1]).count() as u64
}

fn one_call<S: Script>(version: Version, seed: u64, nudges: &AtomicU64) -> u64 {
    let (port, tape) = (Port::open(), Tape::default());
    let mut call = Call::to(port.url());
    for index in 0..4 {
        call = call.preset(&format!("V{index}"), format!("value {index}"));
    }
    let call = Asterisk::shared(version).call(&call);
    let script = port.accept::<S>(&tape);
    let mut steering = Steering { script, random: fastrand::Rng::with_seed(seed), dropped: 0 };
    let mut drops = 0;
    while steering.dropped < DROPS {
        steering.drop_one();
        // some one after another
        if steering.random.u8(..4) > 0 {
            steering.ask(drops);
        }
        drops += 1;
    }
    steering.ask(drops);
    // the end may come while a dropped command runs
    if steering.random.bool() {
        steering.drop_one();
    }
    steering.script.close().expect("it ends");
    nudges.fetch_add(nudged(&tape), Ordering::Relaxed);
    let outcome = call.finish(HANG);
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    steering.dropped
}

fn at_random<S: Script>(version: Version, seed: u64) {
    let (began, dropped, nudges) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for call in 0..CALLS {
            let (dropped, nudges) = (&dropped, &nudges);
            scope.spawn(move || {
                // a failure shows which
                eprintln!("{version:?}, {}: seed {}", S::ADAPTER, seed + call);
                dropped.fetch_add(one_call::<S>(version, seed + call, nudges), Ordering::Relaxed);
            });
        }
    });
    let (dropped, time) = (dropped.into_inner(), began.elapsed().as_secs_f64());
    assert!(dropped >= CALLS * DROPS);
    let nudges = nudges.into_inner();
    eprintln!("{dropped} drops on {version:?} over {}: {nudges} nudges, {time:.1} s", S::ADAPTER);
}

#[test]
fn dropped_at_random() {
    at_random::<Tokio>(Version::V22, 1000);
    at_random::<Smol>(Version::V22, 5000);
    at_random::<Blocking>(Version::V22, 2000);
}

#[test]
fn dropped_at_random_on_16() {
    at_random::<Tokio>(Version::V16, 3000);
    at_random::<Smol>(Version::V16, 6000);
    at_random::<Blocking>(Version::V16, 4000);
}

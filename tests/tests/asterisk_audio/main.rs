//! A real Asterisk's AudioSocket, and the state machine that speaks to it.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod line;
mod refused;

use std::f64::consts::TAU;
use std::time::Duration;

use agi_proto::{AudioEnd, Digit};
use agi_tests::asterisk::{FarLeg, Version, Where};

use self::line::{Line, SOON, Seen, UUID, call};

const RATE: f64 = 8_000.0;

fn tone(hertz: f64, samples: usize) -> Vec<i16> {
    (0..samples).map(|n| ((n as f64 * hertz * TAU / RATE).sin() * 8_000.0) as i16).collect()
}

/// How much of the sound's energy is at a frequency, by Goertzel's algorithm: 1 is a pure tone.
fn share(samples: &[i16], hertz: f64) -> f64 {
    let factor = 2.0 * (hertz * TAU / RATE).cos();
    let (mut one, mut two, mut energy) = (0.0, 0.0, 0.0);
    for &sample in samples {
        let sample = f64::from(sample);
        (one, two) = (sample + factor * one - two, one);
        energy += sample * sample;
    }
    let power = one * one + two * two - factor * one * two;
    2.0 * power / (energy * samples.len() as f64)
}

/// The frequency of a tone: the one of the whole hertz that has most of its energy.
fn frequency(samples: &[i16]) -> u32 {
    let share = |hertz: u32| share(samples, hertz.into());
    (300..1_200).max_by(|&a, &b| share(a).total_cmp(&share(b))).unwrap()
}

#[test]
fn a_tone_of_the_far_leg_is_heard_and_the_channel_comes_back() {
    let (live, script) = call(Version::V22, |call| call.far_leg(FarLeg::Tone));
    let (socket, exec) = script.audio();
    let mut line = Line::new(socket);
    assert_eq!(line.wait(), Seen::Identified(UUID));
    let heard = line.listen(9_600);
    let tone = &heard[1_600..];
    assert!(share(tone, 440.0) > 0.95, "{}", share(tone, 440.0));
    assert_eq!(frequency(tone), 440);
    line.end();
    line.wait_for(&Seen::Ended(AudioEnd::Us));
    let (reply, mut script) = exec.join().unwrap();
    assert_eq!((&*reply, script.is_up()), ("200 result=0", true));
    assert_eq!((line.stream.dropped(), line.stream.ignored()), (0, 0));
    drop(script);
    let outcome = live.finish(SOON);
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
}

#[test]
fn a_tone_that_is_sent_comes_back_from_an_echo() {
    let (live, script) = call(Version::V22, |call| call.far_leg(FarLeg::Echo));
    let (socket, exec) = script.audio();
    let mut line = Line::new(socket);
    assert_eq!(line.wait(), Seen::Identified(UUID));
    line.say(&tone(1_000.0, 12_000));
    // pieces of Asterisk's choice, and what goes out is what comes back
    let heard = line.listen(9_600);
    let tone = &heard[1_600..];
    assert!(share(tone, 1_000.0) > 0.95, "{}", share(tone, 1_000.0));
    assert_eq!(frequency(tone), 1_000);
    line.wait_for(&Seen::Drained);
    let now = line.now();
    assert_eq!((line.stream.played(now), line.stream.queued()), (12_000, 0));
    line.end();
    line.wait_for(&Seen::Ended(AudioEnd::Us));
    let (reply, mut script) = exec.join().unwrap();
    assert_eq!((&*reply, script.is_up()), ("200 result=0", true));
    drop(script);
    let outcome = live.finish(SOON);
    assert!(outcome.complaints().is_empty(), "no queue was long: {:?}", outcome.complaints());
}

#[test]
fn a_barge_in_is_heard_by_the_far_leg() {
    let (_live, script) = call(Version::V22, |call| call.far_leg(FarLeg::Echo));
    let (socket, _exec) = script.audio();
    let mut line = Line::new(socket);
    assert_eq!(line.wait(), Seen::Identified(UUID));
    line.say(&tone(500.0, 80_000)); // ten seconds
    line.listen(8_000);
    let now = line.now();
    let cleared = line.stream.clear(now);
    assert!(cleared.in_flight <= 480, "{cleared:?}");
    assert_eq!(cleared.played + cleared.in_flight + cleared.dropped, 80_000);
    line.wait_for(&Seen::Drained);
    // what was dropped never comes back: two seconds after, there is nothing but the silence that keeps the line
    let until = line.now() + Duration::from_secs(1);
    while line.next(until).is_some() {}
    let until = until + Duration::from_secs(1);
    while let Some(seen) = line.next(until) {
        let Seen::Samples(_, samples) = seen else { panic!("{seen:?}") };
        assert!(samples.iter().all(|sample| sample.abs() < 100), "{samples:?}");
    }
}

#[test]
fn a_line_on_which_nobody_speaks_is_kept() {
    let (_live, script) = call(Version::V22, |call| call);
    let (socket, exec) = script.audio();
    let mut line = Line::new(socket);
    assert_eq!(line.wait(), Seen::Identified(UUID));
    let until = line.now() + Duration::from_secs(6);
    assert_eq!(line.next(until), None);
    line.end();
    assert_eq!(line.wait(), Seen::Ended(AudioEnd::Us));
    let (reply, mut script) = exec.join().unwrap();
    assert_eq!((&*reply, script.is_up()), ("200 result=0", true));
}

#[test]
fn digits_are_heard_in_order() {
    let (live, script) = call(Version::V22, |call| call);
    let (socket, _exec) = script.audio();
    let mut line = Line::new(socket);
    assert_eq!(line.wait(), Seen::Identified(UUID));
    live.press("1*#D");
    for digit in ['1', '*', '#', 'D'] {
        line.wait_for(&Seen::Digit(Digit::new(digit).unwrap()));
    }
}

#[test]
fn a_hangup_closes_the_stream() {
    let (live, script) = call(Version::V22, |call| call.far_leg(FarLeg::Tone));
    let (socket, exec) = script.audio();
    let mut line = Line::new(socket);
    assert_eq!(line.wait(), Seen::Identified(UUID));
    line.say(&tone(500.0, 80_000));
    line.listen(1_600);
    live.hang_up_far();
    line.wait_for(&Seen::Ended(AudioEnd::Closed));
    let (reply, mut script) = exec.join().unwrap();
    assert_eq!((&*reply, script.is_up(), script.is_hung_up), ("200 result=-1", false, true));
}

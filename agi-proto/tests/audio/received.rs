//! What comes in: whole, in order, and bounded.

use std::time::Duration;

use agi_proto::audiosocket::{asterisk, encode_end};
use agi_proto::{AudioEnd, AudioOptions, AudioStream, Digit, SampleRate};

use super::{Seen, UUID, World, events, ms, ramp};

#[test]
fn nothing_depends_on_how_the_bytes_arrive() {
    let mut bytes = vec![];
    asterisk::encode_uuid(UUID, &mut bytes);
    asterisk::encode_audio(SampleRate::Hz8000, &ramp(3), &mut bytes);
    asterisk::encode_digit(Digit::HASH, &mut bytes);
    bytes.extend_from_slice(&[0x03, 0, 1, b'x', 0x77, 0, 2, 1, 1]);
    asterisk::encode_audio(SampleRate::Hz16000, &ramp(2), &mut bytes);
    asterisk::encode_audio(SampleRate::Hz8000, &ramp(1), &mut bytes);
    encode_end(&mut bytes);
    let expected = [
        Seen::Identified(UUID),
        Seen::Audio(0, 8_000, ramp(3)),
        Seen::Digit(Digit::HASH),
        Seen::Audio(6, 16_000, ramp(2)),
        Seen::Audio(4, 8_000, ramp(1)),
        Seen::Ended(AudioEnd::Closed),
    ];
    let same = |pieces: &[&[u8]]| {
        let mut stream = AudioStream::new(Duration::ZERO, AudioOptions::default());
        let mut seen = vec![];
        for piece in pieces {
            stream.handle_input(Duration::ZERO, piece);
            seen.extend(events(&mut stream));
        }
        assert_eq!(seen, expected);
        assert_eq!((stream.ignored(), stream.uuid()), (2, Some(UUID)));
    };
    for first in 0..=bytes.len() {
        let (a, rest) = bytes.split_at(first);
        for second in 0..=rest.len() {
            let (b, c) = rest.split_at(second);
            same(&[a, b, c]);
        }
    }
    for size in 1..bytes.len() {
        same(&bytes.chunks(size).collect::<Vec<_>>());
    }
}

#[test]
fn a_slow_application_loses_the_oldest_audio_and_learns_how_much() {
    let mut world = World::open(AudioOptions::default());
    for n in 0..70 {
        world.hear(SampleRate::Hz8000, &[n; 160]);
        if n == 5 {
            let mut digit = vec![];
            asterisk::encode_digit(Digit::STAR, &mut digit);
            world.stream.handle_input(ms(0), &digit);
        }
    }
    assert_eq!(world.stream.dropped(), 20 * 160);
    let seen = events(&mut world.stream);
    // the digit stays, before what came after it
    assert_eq!(seen[0], Seen::Digit(Digit::STAR));
    let expected = (20..70).map(|n| Seen::Audio(n * 160, 8_000, vec![n as i16; 160]));
    assert!(seen[1..].iter().cloned().eq(expected), "{:?}", &seen[1..3]);
    // there is room again
    for n in 70..120 {
        world.hear(SampleRate::Hz8000, &[n; 160]);
    }
    assert_eq!(events(&mut world.stream).len(), 50);
    assert_eq!((world.stream.dropped(), world.stream.dropped_digits()), (20 * 160, 0));
}

#[test]
fn tiny_frames_and_huge_ones_are_bounded_too() {
    let mut world = World::open(AudioOptions::default());
    for n in 0..1_000 {
        world.hear(SampleRate::Hz8000, &[n]);
    }
    // one counts as 5 ms
    assert_eq!((world.stream.dropped(), events(&mut world.stream).len()), (800, 200));
    // two seconds that come at once are more than the limit: the newest is kept
    let mut options = AudioOptions::default();
    options.message_bytes = 32_000;
    let mut world = World::open(options);
    for _ in 0..3 {
        world.hear(SampleRate::Hz8000, &ramp(16_000));
    }
    assert_eq!(events(&mut world.stream), [Seen::Audio(32_000, 8_000, ramp(16_000))]);
    assert_eq!(world.stream.dropped(), 32_000);
}

#[test]
fn a_flood_of_digits_is_bounded() {
    let mut world = World::open(AudioOptions::default());
    let mut digits = vec![];
    for _ in 0..100 {
        asterisk::encode_digit(Digit::HASH, &mut digits);
    }
    world.stream.handle_input(ms(0), &digits);
    assert_eq!(world.stream.dropped_digits(), 36);
    assert_eq!(events(&mut world.stream), vec![Seen::Digit(Digit::HASH); 64]);
    world.stream.handle_input(ms(0), &digits[..4]);
    assert_eq!(events(&mut world.stream), [Seen::Digit(Digit::HASH)]);
}

#[test]
fn a_digit_of_another_leg_may_be_small() {
    let mut world = World::open(AudioOptions::default());
    world.stream.handle_input(ms(0), &[0x03, 0, 1, b'd']);
    assert_eq!(events(&mut world.stream), [Seen::Digit(Digit::new('D').unwrap())]);
}

#![allow(clippy::unwrap_used, reason = "a test may")]

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::values::digit::Digit;

const TEXT: &str = "01234567-89ab-4cde-8f01-23456789abcd";

fn uuid() -> Uuid {
    TEXT.parse().unwrap()
}

/// Everything that Asterisk sends, and one message of a kind that it may send one day.
fn stream() -> Vec<u8> {
    let mut bytes = Vec::new();
    asterisk::encode_uuid(uuid(), &mut bytes);
    for rate in SampleRate::ALL {
        asterisk::encode_audio(rate, &[1, -2, i16::MIN, i16::MAX], &mut bytes);
    }
    asterisk::encode_digit(Digit::STAR, &mut bytes);
    bytes.extend_from_slice(&[0x02, 0, 3, 7, 7, 7, 0xff, 0, 1, 4, 0xff, 0, 0]);
    encode_end(&mut bytes);
    bytes
}

fn texts(pieces: &[&[u8]]) -> Vec<String> {
    let (mut buffer, mut found) = (MessageBuffer::new(19), Vec::new());
    for piece in pieces {
        buffer.handle_input(piece);
        while let Some(message) = buffer.next_message().unwrap() {
            found.push(format!("{message:?}"));
        }
    }
    assert!(!buffer.is_inside());
    found
}

#[test]
fn messages_do_not_depend_on_the_split() {
    let bytes = stream();
    let expected = texts(&[&bytes]);
    assert_eq!(expected.len(), 15);
    assert_eq!(expected[0], format!("Uuid({TEXT})"));
    assert_eq!(expected[1], "Audio { rate: Hz8000, samples: [1, -2, -32768, 32767] }");
    assert_eq!(expected[9], "Audio { rate: Hz192000, samples: [1, -2, -32768, 32767] }");
    assert_eq!(expected[10..], ["Digit(42)", "Other { kind: 2 }", "Error(Some(4))", "Error(None)", "End"]);
    for first in 0..=bytes.len() {
        let (a, rest) = bytes.split_at(first);
        assert_eq!(texts(&[a, rest]), expected, "split at {first}");
        for second in 0..=rest.len() {
            let (b, c) = rest.split_at(second);
            assert_eq!(texts(&[a, b, c]), expected, "split at {first} and {}", first + second);
        }
    }
    for size in 1..=bytes.len() {
        assert_eq!(texts(&bytes.chunks(size).collect::<Vec<_>>()), expected, "pieces of {size}");
    }
}

#[test]
fn a_wrong_length_is_found_in_the_header_and_stays() {
    use MessageError::{HalfSample, Length, TooLong};
    let cases = [
        ([0x01, 0, 15], Length { kind: 0x01, length: 15 }),
        ([0x01, 0, 17], Length { kind: 0x01, length: 17 }),
        ([0x01, 0, 0], Length { kind: 0x01, length: 0 }),
        ([0x03, 0, 0], Length { kind: 0x03, length: 0 }),
        ([0x03, 0, 2], Length { kind: 0x03, length: 2 }),
        ([0x10, 0, 0], Length { kind: 0x10, length: 0 }),
        ([0x18, 0, 0], Length { kind: 0x18, length: 0 }),
        ([0x10, 0, 1], HalfSample { kind: 0x10, length: 1 }),
        ([0x11, 0x01, 0x41], HalfSample { kind: 0x11, length: 321 }),
        ([0x10, 0x01, 0x42], TooLong { kind: 0x10, length: 322, limit: 321 }),
        ([0x10, 0xff, 0xff], TooLong { kind: 0x10, length: 65_535, limit: 321 }),
        ([0x77, 0x80, 0x00], TooLong { kind: 0x77, length: 32_768, limit: 321 }),
        ([0xff, 0xff, 0xff], TooLong { kind: 0xff, length: 65_535, limit: 321 }),
    ];
    for (header, error) in cases {
        let mut buffer = MessageBuffer::new(321);
        buffer.handle_input(&header[..2]);
        assert_eq!(buffer.next_message(), Ok(None));
        buffer.handle_input(&header[2..]);
        assert_eq!(buffer.next_message(), Err(error.clone()));
        buffer.handle_input(&stream());
        assert_eq!(buffer.next_message(), Err(error));
    }
}

#[test]
fn errors_name_the_message() {
    let texts = [
        MessageError::TooLong { kind: 0x10, length: 2, limit: 1 },
        MessageError::Length { kind: 1, length: 2 },
        MessageError::HalfSample { kind: 0x18, length: 3 },
    ]
    .map(|error| error.to_string());
    assert_eq!(
        texts,
        [
            "AudioSocket message 0x10: 2 bytes are more than 1",
            "AudioSocket message 0x01: its kind cannot have 2 bytes",
            "AudioSocket message 0x18: 3 bytes of audio end inside a sample",
        ]
    );
}

#[test]
fn an_end_is_one_whatever_its_length_says() {
    let mut buffer = MessageBuffer::new(0);
    buffer.handle_input(&[0, 0xff, 0xff]);
    assert_eq!(buffer.next_message(), Ok(Some(Message::End)));
}

#[test]
fn kinds_that_are_not_audio_are_skipped_whole() {
    for kind in (0x02..0x10).chain(0x19..0xff).filter(|&kind| kind != DIGIT) {
        let bytes = [kind, 0, 2, DIGIT, DIGIT, DIGIT, 0, 1, b'1'];
        assert_eq!(texts(&[&bytes]), [format!("Other {{ kind: {kind} }}"), "Digit(49)".into()]);
    }
}

#[test]
fn samples_that_come_alone_need_no_copy() {
    let mut buffer = MessageBuffer::new(400);
    let samples: Vec<i16> = (0..160).collect();
    for _ in 0..3 {
        let mut bytes = Vec::new();
        encode_audio(SampleRate::Hz8000, &samples, &mut bytes);
        for piece in bytes.chunks(100) {
            buffer.handle_input(piece);
        }
        let Ok(Some(Message::Audio { samples: found, .. })) = buffer.next_message() else { panic!() };
        if cfg!(target_endian = "little") {
            assert_eq!(found.as_slice(), Some(&samples[..]));
        }
        assert_eq!((found.len(), found.is_empty()), (160, false));
        assert_eq!(buffer.next_message(), Ok(None));
    }
}

#[test]
fn samples_at_any_address_are_the_same() {
    let bytes: Vec<u8> = (0..=255).collect();
    for start in 0..4 {
        let found = Samples::new(&bytes[start..start + 8]);
        let mut copied = vec![];
        found.append_to(&mut copied);
        assert!(found.iter().eq(copied.iter().copied()));
        assert!(found.as_slice().is_none_or(|samples| samples == copied));
        let low = u8::try_from(start).unwrap();
        assert_eq!(copied[0], i16::from_le_bytes([low, low + 1]));
    }
}

#[test]
fn a_writer_makes_no_message_that_asterisk_refuses() {
    let samples: Vec<i16> = (0..i16::MAX).collect();
    for count in [0, 1, 160, MAX_SAMPLES - 1, MAX_SAMPLES, MAX_SAMPLES + 1, 32_767] {
        let (mut bytes, mut rest) = (vec![], &samples[..count]);
        loop {
            let before = bytes.len();
            let taken = encode_audio(SampleRate::Hz16000, rest, &mut bytes);
            assert_eq!(bytes.len() - before, if taken == 0 { 0 } else { HEADER + taken * 2 });
            assert!(bytes.len() - before <= 1_400);
            if taken == 0 {
                break;
            }
            rest = &rest[taken..];
        }
        assert_eq!(bytes.len(), count * 2 + count.div_ceil(MAX_SAMPLES) * HEADER);
    }
    let mut whole = vec![];
    assert_eq!(asterisk::encode_audio(SampleRate::Hz8000, &[1; 40_000], &mut whole), 32_767);
    assert_eq!(whole[..3], [0x10, 0xff, 0xfe]);
}

#[test]
fn a_uuid_is_its_text() {
    assert_eq!(uuid().to_string(), TEXT);
    assert_eq!(TEXT.to_uppercase().parse(), Ok(uuid()));
    assert_eq!(Uuid::from_bytes(*uuid().as_bytes()), uuid());
    assert_eq!(Uuid::from_random([0; 16]).to_string(), "00000000-0000-4000-8000-000000000000");
    assert_eq!(Uuid::from_random([0xff; 16]).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    // no place of the text takes anything else
    for at in 0..TEXT.len() {
        for wrong in ["-", "g", "0", "+", " "] {
            let mut text = String::from(TEXT);
            text.replace_range(at..=at, wrong);
            let may = [8, 13, 18, 23].contains(&at) == (wrong == "-") && !matches!(wrong, "g" | "+" | " ");
            assert_eq!(text.parse::<Uuid>().is_ok(), may, "{text}");
        }
    }
    for text in ["", &TEXT[1..], &format!("{TEXT}0"), "0123456789ab4cde8f0123456789abcd", &"é".repeat(18)] {
        assert_eq!(text.parse::<Uuid>(), Err(UuidError), "{text}");
    }
    assert_eq!(UuidError.to_string(), "UUID: not 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12");
}

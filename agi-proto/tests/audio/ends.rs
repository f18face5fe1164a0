//! How a stream begins, and each way in which it ends.

use std::time::Duration;

use agi_proto::audiosocket::{MessageError, encode_end};
use agi_proto::{AudioEnd, AudioError, AudioOptions, AudioStream, SampleRate, SendError};

use super::{Seen, UUID, World, events, ms, ramp, times};

fn lost(error: AudioError) -> [Seen; 1] {
    [Seen::Ended(AudioEnd::Lost(error))]
}

/// Nothing comes out of a stream that has ended, whatever goes in.
fn is_over(stream: &mut AudioStream) {
    let end = stream.ended().cloned().unwrap();
    stream.handle_input(ms(9_999), b"\x10\x00\x02ab\x03\x00\x011");
    stream.handle_timeout(ms(20_000));
    stream.handle_eof();
    stream.end(ms(20_000));
    assert_eq!(stream.send(ms(20_000), stream.rate(), &[1]), Err(SendError::Ended));
    assert_eq!(stream.clear(ms(20_000)).dropped, 0);
    assert_eq!(events(stream), []);
    assert_eq!(stream.poll_transmit(ms(20_000)), None);
    assert_eq!(stream.poll_timeout(ms(20_000)), None);
    assert_eq!(stream.ended(), Some(&end));
}

#[test]
fn a_connection_that_does_not_identify_itself_ends() {
    let mut stream = AudioStream::new(ms(100), AudioOptions::default());
    stream.handle_input(ms(3_000), &[0x01, 0, 16, 1, 2]);
    assert_eq!(stream.send(ms(0), SampleRate::Hz8000, &[1]), Err(SendError::NotIdentified));
    assert_eq!(stream.poll_transmit(ms(5_000)), None, "no silence for a stranger");
    assert_eq!(stream.poll_timeout(ms(5_000)), Some(ms(100)));
    stream.handle_timeout(ms(5_099));
    assert_eq!(events(&mut stream), []);
    stream.handle_timeout(ms(5_100));
    assert_eq!(events(&mut stream), lost(AudioError::NoUuid(ms(5_000))));
    is_over(&mut stream);
}

#[test]
fn a_stranger_is_known_by_its_first_message() {
    let cases: [(&[u8], AudioError); 7] = [
        (b"", AudioError::ClosedEarly),
        (b"\x01\x00\x10short", AudioError::ClosedEarly),
        (b"\x00\x00\x00", AudioError::NotIdentified { kind: 0 }),
        (b"\x10\x00\x02ab", AudioError::NotIdentified { kind: 0x10 }),
        (b"\x03\x00\x011", AudioError::NotIdentified { kind: 3 }),
        (
            b"GET / HTTP/1.1\r\n",
            AudioError::Message(MessageError::TooLong { kind: b'G', length: 0x4554, limit: 16_384 }),
        ),
        (b"\x01\x00\x0f", AudioError::Message(MessageError::Length { kind: 1, length: 15 })),
    ];
    for (bytes, error) in cases {
        let mut stream = AudioStream::new(ms(0), AudioOptions::default());
        stream.handle_input(ms(0), bytes);
        stream.handle_eof();
        assert_eq!(events(&mut stream), lost(error));
        is_over(&mut stream);
    }
}

#[test]
fn what_came_before_the_end_comes_before_it() {
    let mut world = World::open(AudioOptions::default());
    world.hear(SampleRate::Hz8000, &ramp(2));
    world.say(&ramp(1_000));
    world.stream.handle_eof();
    // known at once, and reported in its place; nothing more is sent
    assert_eq!(world.stream.ended(), Some(&AudioEnd::Closed));
    assert_eq!((world.stream.queued(), world.stream.poll_transmit(ms(0))), (0, None));
    assert_eq!(events(&mut world.stream), [Seen::Audio(0, 8_000, ramp(2)), Seen::Ended(AudioEnd::Closed)]);
    is_over(&mut world.stream);
}

#[test]
fn a_frame_that_was_not_wholly_written_is_lost_and_one_that_was_heard_is_reported() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(160));
    world.run_on_time(ms(10));
    world.now = ms(20);
    world.stream.handle_timeout(ms(20));
    assert_eq!(events(&mut world.stream), [Seen::Drained]);
    world.say(&ramp(320));
    world.run_on_time(ms(59));
    world.stream.handle_timeout(ms(60));
    // drained, and not reported yet, when the end comes
    world.stream.handle_eof();
    assert_eq!(events(&mut world.stream), [Seen::Drained, Seen::Ended(AudioEnd::Closed)]);

    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(320));
    world.stream.poll_transmit(ms(0)).unwrap();
    world.stream.transmitted(323);
    world.stream.poll_transmit(ms(0)).unwrap();
    world.stream.transmitted(10);
    world.stream.handle_eof();
    assert_eq!((world.stream.in_flight(ms(0)), world.stream.played(ms(500))), (160, 160));
    assert_eq!(events(&mut world.stream), [Seen::Ended(AudioEnd::Closed)]);
    is_over(&mut world.stream);
}

#[test]
fn a_broken_stream_ends_with_its_reason() {
    let cases: [(&[u8], AudioError); 6] = [
        (b"\x10\x00\x02a", AudioError::Truncated),
        (b"\x10", AudioError::Truncated),
        (b"\x10\x00\x00", AudioError::Message(MessageError::Length { kind: 0x10, length: 0 })),
        (b"\x10\x00\x03", AudioError::Message(MessageError::HalfSample { kind: 0x10, length: 3 })),
        (b"\x01\x00\x100123456789abcdef", AudioError::SecondUuid(UUID)),
        (b"\xff\x00\x01\x02", AudioError::Reported(Some(2))),
    ];
    for (bytes, error) in cases {
        let mut world = World::open(AudioOptions::default());
        world.say(&ramp(1_000));
        world.write();
        world.stream.handle_input(ms(0), bytes);
        world.stream.handle_eof();
        assert_eq!(events(&mut world.stream), lost(error));
        is_over(&mut world.stream);
    }
}

#[test]
fn an_end_of_ours_is_said_once_and_waits_for_asterisk() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(1_000));
    // a message that has begun goes out whole
    world.stream.poll_transmit(ms(0)).unwrap();
    world.stream.transmitted(10);
    world.stream.end(ms(0));
    assert_eq!(world.stream.send(ms(0), SampleRate::Hz8000, &[1]), Err(SendError::Ended));
    assert_eq!(world.stream.poll_transmit(ms(0)).unwrap().len(), 313);
    world.stream.transmitted(313);
    assert_eq!(world.stream.poll_transmit(ms(0)).unwrap(), [0, 0, 0]);
    world.stream.transmitted(1);
    world.stream.end(ms(1));
    assert_eq!(world.stream.poll_transmit(ms(1)).unwrap(), [0, 0]);
    world.stream.transmitted(2);
    assert_eq!(world.stream.poll_transmit(ms(4_000)), None, "no silence either");
    // what still comes is heard
    world.hear(SampleRate::Hz8000, &ramp(1));
    assert_eq!(events(&mut world.stream), [Seen::Audio(0, 8_000, ramp(1))]);
    assert_eq!(world.stream.poll_timeout(ms(1)), Some(ms(4_999)));
    world.stream.handle_input(ms(2), &[0x10]);
    world.stream.handle_eof();
    assert_eq!(events(&mut world.stream), [Seen::Ended(AudioEnd::Us)]);
    is_over(&mut world.stream);
}

#[test]
fn an_end_of_ours_does_not_change_what_was_heard() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(160));
    world.run_on_time(ms(10));
    world.stream.end(ms(10));
    assert_eq!(world.stream.poll_transmit(ms(10)).unwrap(), [0, 0, 0]);
    assert_eq!((world.stream.played(ms(15)), world.stream.in_flight(ms(15))), (120, 40));
}

#[test]
fn an_end_of_ours_does_not_wait_forever() {
    for answer in [&[][..], &[0, 0, 0], &[0x10, 0, 0]] {
        let mut world = World::open(AudioOptions::default());
        world.stream.end(ms(0));
        assert_eq!(times(&world.run_on_time(ms(4_999))), [0]);
        world.stream.handle_input(ms(4_999), answer);
        world.run_on_time(ms(5_000));
        world.seen.extend(events(&mut world.stream));
        assert_eq!(world.seen, [Seen::Ended(AudioEnd::Us)]);
        is_over(&mut world.stream);
    }
}

#[test]
fn a_stranger_can_be_told_to_go() {
    let mut stream = AudioStream::new(Duration::ZERO, AudioOptions::default());
    stream.end(ms(1));
    assert_eq!(stream.poll_transmit(ms(1)).unwrap(), [0, 0, 0]);
    stream.transmitted(3);
    stream.handle_input(ms(2), b"\x01\x00\x100123456789abcdef");
    let mut end = vec![];
    encode_end(&mut end);
    stream.handle_input(ms(2), &end);
    assert_eq!(events(&mut stream), [Seen::Ended(AudioEnd::Us)]);
    is_over(&mut stream);
}

#[test]
#[should_panic(expected = "transmitted more than there was")]
fn no_more_is_written_than_there_was() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(320));
    assert_eq!(world.stream.poll_transmit(ms(0)).unwrap().len(), 323);
    world.stream.transmitted(324);
}

#[test]
fn errors_name_their_subject() {
    let texts = [
        AudioError::NoUuid(ms(5_000)),
        AudioError::ClosedEarly,
        AudioError::NotIdentified { kind: 0x10 },
        AudioError::SecondUuid(UUID),
        AudioError::Message(MessageError::HalfSample { kind: 0x10, length: 3 }),
        AudioError::Truncated,
        AudioError::Reported(Some(1)),
    ]
    .map(|error| error.to_string());
    assert_eq!(
        texts,
        [
            "AudioSocket: no UUID came for 5s",
            "AudioSocket: the connection was closed before its UUID came",
            "AudioSocket: message 0x10 came in place of the UUID",
            "AudioSocket: a second UUID came, 30313233-3435-3637-3839-616263646566",
            "AudioSocket message 0x10: 3 bytes of audio end inside a sample",
            "AudioSocket: the stream ended inside a message",
            "AudioSocket: Asterisk reported the error Some(1)",
        ]
    );
    assert_eq!(SendError::NotIdentified.to_string(), "audio: the connection is not identified yet");
    assert_eq!(SendError::Ended.to_string(), "audio: the stream has ended");
}

//! The invariants of the fuzz targets over what proptest makes up, which it then shrinks; and each limit
//! at, below and above its edge.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use agi_proto::audiosocket::{Message, MessageBuffer, Uuid, asterisk, encode_audio};
use agi_proto::commands::{
    GetData, GetVariable, GetVariableExact, Noop, SayDate, SetVariableExact, SpeechRecognize, Verbose,
    WaitForDigit,
};
use agi_proto::{
    Command, CommandEncoder, EncodeError, Environment, EnvironmentError, EscapeDigits, Filled, Leniency,
    Limits, ProtocolError, RawCommand, SampleRate, Session,
};
use agi_tests::fuzz;
use agi_tests::pair::{ENVIRONMENT, Seen, seen};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Pieces of which Asterisk's own lines are made, so that what is made up looks like them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static [u8]> = vec![
        b"200 ",
        b"result=",
        b"result=1 (",
        b")",
        b"(",
        b" ",
        b"=",
        b"\"",
        b"\\",
        b"\n",
        b"\r\n",
        b"\t",
        b"520-",
        b"520 End of proper usage.",
        b"HANGUP\n",
        b"100 ",
        b"endpos=",
        b"-1",
        b"text0=",
        b"agi_arg_1: ",
        b"?",
        b"&",
        b"%2",
        b"+",
        b"failure",
    ];
    prop_oneof![4 => select(words).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..8)]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

/// A block as Asterisk sends it, with something done to one of its lines.
fn block() -> impl Strategy<Value = Vec<u8>> {
    let names = ENVIRONMENT.map(|(name, _)| name);
    let line = (select(names.to_vec()), text());
    (vec((0..ENVIRONMENT.len(), line), 0..3), vec(text(), 0..4)).prop_map(|(forged, args)| {
        let mut block = Vec::new();
        for (place, (name, value)) in ENVIRONMENT.iter().enumerate() {
            block.extend_from_slice(format!("{name}: {value}").as_bytes());
            for (_, (name, value)) in forged.iter().filter(|(at, _)| *at == place) {
                block.extend_from_slice(&[b"\n", name.as_bytes(), b": ", value].concat());
            }
            block.push(b'\n');
        }
        for (n, arg) in args.iter().enumerate() {
            block.extend_from_slice(&[format!("agi_arg_{}: ", n + 1).as_bytes(), arg, b"\n"].concat());
        }
        block.push(b'\n');
        block
    })
}

proptest! {
    #[test]
    fn environments(block in block(), leniency in 0..8_u8, at in any::<u8>()) {
        fuzz::environment(&[&[leniency, at], &block[..]].concat());
    }

    #[test]
    fn responses(text in text()) {
        fuzz::response(&text);
        fuzz::differential(&text);
        fuzz::response(&[b"200 result=", &text[..]].concat());
        fuzz::differential(&[b"200 result=1 (", &text[..]].concat());
    }

    #[test]
    fn lines_and_requests(text in text()) {
        fuzz::arguments(&text);
        fuzz::request(&text);
    }

    #[test]
    fn commands(bytes in vec(any::<u8>(), 0..300)) {
        fuzz::command_roundtrip(&bytes);
    }

    #[test]
    fn sessions(bytes in vec(any::<u8>(), 0..600)) {
        fuzz::session(&bytes);
    }

    #[test]
    fn conversations(bytes in vec(any::<u8>(), 0..600)) {
        fuzz::conversation(&bytes);
    }

    #[test]
    fn audio_streams(bytes in vec(any::<u8>(), 0..600)) {
        fuzz::audio(&bytes);
    }

    /// Messages of AudioSocket come out as they went in, in whatever pieces.
    #[test]
    fn audio_messages(
        messages in vec((select(SampleRate::ALL.to_vec()), vec(any::<i16>(), 1..400), any::<[u8; 16]>()), 0..6),
        piece in 1..900_usize,
    ) {
        let (mut bytes, mut expected) = (vec![], vec![]);
        for (rate, samples, uuid) in &messages {
            prop_assert_eq!(encode_audio(*rate, samples, &mut bytes), samples.len());
            expected.push((Some(*rate), samples.clone()));
            asterisk::encode_uuid(Uuid::from_bytes(*uuid), &mut bytes);
            prop_assert_eq!(Uuid::from_bytes(*uuid).to_string().parse(), Ok(Uuid::from_bytes(*uuid)));
            expected.push((None, uuid.iter().map(|&byte| byte.into()).collect()));
        }
        let (mut buffer, mut found) = (MessageBuffer::new(800), vec![]);
        for piece in bytes.chunks(piece) {
            buffer.handle_input(piece);
            while let Some(message) = buffer.next_message().unwrap() {
                found.push(match message {
                    Message::Audio { rate, samples } => (Some(rate), samples.iter().collect()),
                    Message::Uuid(uuid) => (None, uuid.as_bytes().map(i16::from).to_vec()),
                    other => panic!("nobody sent {other:?}"),
                });
            }
        }
        prop_assert!(!buffer.is_inside());
        prop_assert_eq!(found, expected);
    }

    /// Whatever stands in an argument, it stays one argument, or its own name is told.
    #[test]
    fn arguments_stay_arguments(text in text()) {
        let mut line = Vec::new();
        let mut writer = CommandEncoder::new(&mut line, GetVariable::INFO.name, 8191);
        GetVariable::new(&text).encode(&mut writer);
        match writer.finish() {
            Ok(()) => prop_assert_eq!(
                agi_proto::arguments::split(&line[..line.len() - 1]),
                [&b"GET"[..], b"VARIABLE", &text]
            ),
            Err(error) => prop_assert!(fuzz::refusal_names_an_argument(&error, "GET VARIABLE"), "{}", error),
        }
    }

}

// ---- limits, at, below and above ----

const EDGE: [(usize, bool); 3] = [(0, true), (1, true), (2, false)];

/// One byte less than a limit, the limit, and one more: of these the last is too much.
fn around(limit: usize) -> impl Iterator<Item = (usize, bool)> {
    EDGE.into_iter().map(move |(more, fits)| (limit - 1 + more, fits))
}

fn started(limits: Limits) -> Session {
    let mut session = Session::with_config(1, limits, Leniency::ALL);
    session.handle_input(b"agi_version: 22.10.1\n\n", Filled::No);
    assert_eq!(seen(&mut session), [Seen::Environment]);
    session
}

fn limits(change: impl Fn(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[test]
fn the_environment_is_bounded_in_bytes() {
    for limit in [64, Limits::default().environment_bytes] {
        for (length, fits) in around(limit) {
            let mut block = b"agi_callerid: ".to_vec();
            block.resize(length - 2, b'x');
            block.extend_from_slice(b"\n\n");
            let limits = limits(|limits| limits.environment_bytes = limit);
            let mut session = Session::with_config(1, limits, Leniency::ALL);
            session.handle_input(&block, Filled::No);
            let too_long = ProtocolError::Environment(EnvironmentError::TooLong { limit });
            let expected = if fits { Seen::Environment } else { Seen::Failed(too_long) };
            assert_eq!(seen(&mut session), [expected], "{length} bytes of {limit}");
        }
    }
}

#[test]
fn the_environment_is_bounded_in_lines() {
    for limit in [1, 3, Limits::default().environment_variables] {
        for (count, fits) in around(limit) {
            let mut block: String = (0..count).map(|n| format!("v{n}: x\n")).collect();
            block.push('\n');
            let limits = limits(|limits| limits.environment_variables = limit);
            let mut session = Session::with_config(1, limits, Leniency::ALL);
            session.handle_input(block.as_bytes(), Filled::No);
            let too_many = ProtocolError::Environment(EnvironmentError::TooManyVariables { limit });
            let expected = if fits { Seen::Environment } else { Seen::Failed(too_many) };
            assert_eq!(seen(&mut session), [expected], "{count} lines of {limit}");
        }
    }
}

#[test]
fn a_response_is_bounded_in_every_shape() {
    let limit = 300;
    type Shape = fn(usize) -> Vec<u8>;
    let shapes: [(&str, Shape); 3] = [
        ("GET VARIABLE X", |length| [b"200 result=1 (", &vec![b'x'; length - 16][..], b")\n"].concat()),
        ("NOOP", |length| [b"200 result=0 ", &vec![b'x'; length - 14][..], b"\n"].concat()),
        ("NOOP", |length| {
            [b"520-x\n", &vec![b'\n'; length - 31][..], b"520 End of proper usage.\n"].concat()
        }),
    ];
    for (line, shape) in shapes {
        for (length, fits) in around(limit) {
            let mut session = started(limits(|limits| limits.response_bytes = limit));
            let _pending = session.send(&RawCommand::new(line)).unwrap();
            let n = session.poll_transmit().unwrap().len();
            session.transmitted(n);
            let response = shape(length);
            assert_eq!(response.len(), length);
            session.handle_input(&response, Filled::No);
            match &seen(&mut session)[..] {
                [Seen::Response(raw)] if fits => assert_eq!(raw.len(), length - 1),
                [Seen::Failed(error)] if !fits => {
                    assert_eq!(*error, ProtocolError::ResponseTooLong { limit });
                }
                other => panic!("{line}, {length} bytes: {other:?}"),
            }
        }
    }
}

#[test]
fn a_value_of_several_lines_is_bounded_as_a_whole() {
    let limit = 300;
    for (length, fits) in around(limit) {
        let mut session = started(limits(|limits| limits.response_bytes = limit));
        let _pending = session.send(&GetVariable::new("X")).unwrap();
        let n = session.poll_transmit().unwrap().len();
        session.transmitted(n);
        session.handle_input(b"200 result=1 (a\nb)\n", Filled::No);
        let rest = length - b"200 result=1 (a\nb)\n".len() - 2;
        session.handle_input(&[&vec![b'\n'; rest][..], b")\n"].concat(), Filled::No);
        let expected = ProtocolError::ResponseTooLong { limit };
        match &seen(&mut session)[..] {
            [] if fits => {}
            [Seen::Failed(error)] if !fits => assert_eq!(*error, expected),
            other => panic!("{length} bytes: {other:?}"),
        }
    }
}

#[test]
fn a_command_is_bounded_in_bytes_words_and_digits() {
    for (version, limit) in [("22.10.1", 8191), ("16.28.0", 2047)] {
        for (length, fits) in around(limit) {
            let mut session = Session::with_config(1, Limits::default(), Leniency::ALL);
            session.handle_input(format!("agi_version: {version}\n\n").as_bytes(), Filled::No);
            assert_eq!(seen(&mut session), [Seen::Environment]);
            let message = "x".repeat(length - "VERBOSE \"\"\n".len());
            let sent = session.send(&Verbose::new(&message)).map(|_| ());
            let too_long = EncodeError::LineTooLong { command: "VERBOSE", length, limit };
            assert_eq!(sent, if fits { Ok(()) } else { Err(too_long) });
        }
    }
    for (words, fits) in around(127) {
        let line = format!("NOOP{}", " x".repeat(words - 1));
        let sent = started(Limits::default()).send(&RawCommand::new(&line)).map(|_| ());
        let too_many = EncodeError::TooManyWords { command: "NOOP", words };
        assert_eq!(sent, if fits { Ok(()) } else { Err(too_many) });
    }
    for (most, fits) in [(0, false), (1, true), (2, true), (1022, true), (1023, true), (1024, false)] {
        let sent = started(Limits::default()).send(&GetData::new("f").max_digits(most)).map(|_| ());
        assert_eq!(sent.is_ok(), fits, "{most} digits");
    }
}

#[test]
fn times_and_names_are_bounded() {
    let mut session = started(Limits::default());
    let mut takes = |command: &dyn Fn(&mut Session) -> Result<(), EncodeError>| {
        let result = command(&mut session);
        session.abandon();
        result.is_ok()
    };
    for (more, fits) in around(i32::MAX.try_into().unwrap()) {
        let number = u64::try_from(more).unwrap();
        let (milliseconds, seconds) = (Duration::from_millis(number), Duration::from_secs(number));
        let waits = WaitForDigit::new(Some(milliseconds));
        assert_eq!(takes(&|session| session.send(&waits).map(|_| ())), fits, "{number} ms");
        let recognizes = SpeechRecognize::new("f", seconds);
        assert_eq!(takes(&|session| session.send(&recognizes).map(|_| ())), fits, "{number} s");
        let says = SayDate::new(number.try_into().unwrap(), EscapeDigits::NONE);
        assert_eq!(takes(&|session| session.send(&says).map(|_| ())), fits, "{number} s since 1970");
    }
    for (length, fits) in around(500) {
        let name = "x".repeat(length);
        assert_eq!(
            takes(&|session| session.send(&GetVariableExact::new(&name)).map(|_| ())),
            fits,
            "{length}"
        );
        assert_eq!(SetVariableExact::new(&name, "").is_ok(), fits, "{length}");
    }
}

#[test]
fn numbers_have_an_edge_too() {
    let strict = |name: &str| {
        let lines = ENVIRONMENT.map(|(name, value)| format!("{name}: {value}\n")).concat();
        let block = lines + &(1..=127).map(|n| format!("agi_arg_{n}: x\n")).collect::<String>() + name;
        Environment::parse(block.as_bytes(), Leniency::default()).is_ok()
    };
    assert!(strict("") && strict("agi_arg_128: x\n"));
    assert!(!strict("agi_arg_127: x\n") && !strict("agi_arg_129: x\n"));
    let mut session = started(Limits::default());
    assert!(session.send(&Noop::new()).is_ok());
}

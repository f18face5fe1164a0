//! Streams of audio in virtual time: no socket, no clock, no thread.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod barge_in;
mod ends;
mod keep_alive;
mod pacing;
mod received;

use std::time::Duration;

use agi_proto::audiosocket::{Message, MessageBuffer, Uuid, asterisk};
use agi_proto::{AudioEnd, AudioEvent, AudioOptions, AudioStream, Digit, SampleRate};

const UUID: Uuid = Uuid::from_bytes(*b"0123456789abcdef");

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// An event, owned.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Identified(Uuid),
    /// Position, rate, samples.
    Audio(u64, u32, Vec<i16>),
    Digit(Digit),
    Drained,
    Ended(AudioEnd),
}

fn events(stream: &mut AudioStream) -> Vec<Seen> {
    let mut seen = vec![];
    while let Some(event) = stream.poll_event() {
        seen.push(match event {
            AudioEvent::Identified(uuid) => Seen::Identified(uuid),
            AudioEvent::Audio(frame) => {
                Seen::Audio(frame.position(), frame.sample_rate(), frame.samples().to_vec())
            }
            AudioEvent::Digit(digit) => Seen::Digit(digit),
            AudioEvent::Drained => Seen::Drained,
            AudioEvent::Ended(end) => Seen::Ended(end),
            other => panic!("an event that the tests do not know: {other:?}"),
        });
    }
    seen
}

/// A stream, and a transport that takes everything at once.
struct World {
    stream: AudioStream,
    now: Duration,
    sent: MessageBuffer,
    seen: Vec<Seen>,
}

/// A message of audio that went out: when (in milliseconds), and its samples.
type Sent = (u64, Vec<i16>);

impl World {
    /// A stream that is identified, at the time 0.
    fn open(options: AudioOptions) -> Self {
        let mut stream = AudioStream::new(Duration::ZERO, options);
        let mut uuid = vec![];
        asterisk::encode_uuid(UUID, &mut uuid);
        stream.handle_input(Duration::ZERO, &uuid);
        assert_eq!(events(&mut stream), [Seen::Identified(UUID)]);
        Self { stream, now: Duration::ZERO, sent: MessageBuffer::new(1_400), seen: vec![] }
    }

    fn say(&mut self, samples: &[i16]) {
        let rate = self.stream.rate();
        assert_eq!(self.stream.send(self.now, rate, samples), Ok(samples.len()));
    }

    fn hear(&mut self, rate: SampleRate, samples: &[i16]) {
        let mut bytes = vec![];
        asterisk::encode_audio(rate, samples, &mut bytes);
        self.stream.handle_input(self.now, &bytes);
    }

    /// Writes what is to be written now: each message whole.
    fn write(&mut self) -> Vec<Sent> {
        let mut sent = vec![];
        while let Some(message) = self.stream.poll_transmit(self.now) {
            self.sent.handle_input(message);
            let length = message.len();
            self.stream.transmitted(length);
            let at = u64::try_from(self.now.as_millis()).unwrap();
            match self.sent.next_message().unwrap() {
                Some(Message::Audio { samples, .. }) => sent.push((at, samples.iter().collect())),
                Some(Message::End) => sent.push((at, vec![])),
                other => panic!("not one whole message that Asterisk takes: {other:?}"),
            }
            assert!(!self.sent.is_inside(), "more than a message");
        }
        sent
    }

    /// Runs until a time, as an adapter does. A timer that is due comes late by what `late` returns for its number.
    fn run(&mut self, until: Duration, late: impl Fn(u64) -> Duration) -> Vec<Sent> {
        let mut sent = self.write();
        for timer in 0.. {
            self.seen.extend(events(&mut self.stream));
            let Some(wait) = self.stream.poll_timeout(self.now) else { break };
            assert!(timer < 1_000_000, "it is due, and nothing is to be done");
            let then = self.now + wait + late(timer);
            if then > until {
                break;
            }
            self.now = then;
            self.stream.handle_timeout(self.now);
            sent.extend(self.write());
        }
        self.now = until;
        sent
    }

    fn run_on_time(&mut self, until: Duration) -> Vec<Sent> {
        self.run(until, |_| Duration::ZERO)
    }
}

fn times(sent: &[Sent]) -> Vec<u64> {
    sent.iter().map(|(at, _)| *at).collect()
}

/// Samples of which none is like its neighbours, and none is silence.
fn ramp(count: usize) -> Vec<i16> {
    (1..=i16::MAX).cycle().take(count).collect()
}

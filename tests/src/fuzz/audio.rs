//! Any bytes from Asterisk's side of an AudioSocket, with anything that an application, a clock and a slow transport may do
//! in between.

use std::collections::VecDeque;
use std::time::Duration;

use agi_proto::audiosocket::{Message, MessageBuffer, Uuid, asterisk, encode_end};
use agi_proto::{AudioEvent, AudioOptions, AudioStream, Digit, SampleRate};
use arbitrary::{Arbitrary, Result, Unstructured};

use super::trace;

/// Small, so that it is reached.
const MESSAGE_BYTES: usize = 4_000;
const AHEAD: Duration = Duration::from_millis(60);
const RECEIVED: Duration = Duration::from_millis(100);

#[derive(Arbitrary, Clone, Debug)]
enum Operation {
    Feed(Vec<u8>),
    FeedWord(Word),
    /// Milliseconds.
    Later(u16),
    /// To the deadline, if there is one.
    Due,
    Events,
    Transmit(u16),
    TransmitAll,
    Send(u16),
    SendAt(u8),
    Clear,
    End,
    Eof,
}

/// What Asterisk says, so that the fuzzer need not spell it.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Word {
    Uuid,
    Audio { rate: u8, samples: u8 },
    Frame { rate: u8 },
    Digit,
    NotADigit,
    Unknown,
    Error,
    End,
    Half,
    Empty,
    Long,
}

/// The same operations are done to two streams: one gets the bytes in the pieces of the input, the other every byte by
/// itself.
///
/// * Both report the same and send the same: nothing depends on how the bytes arrive.
/// * What is sent is messages that Asterisk takes, one at a time, each of one segment; silence or our samples, in order.
/// * Never is more sent than 60 ms before its time.
/// * Every sample that was queued was heard, will be, waits, or was cleared; every one that came was taken, dropped, or waits.
/// * What waits for the application is bounded.
/// * The end is reported once and last; then nothing is sent, and nothing is due.
/// * When what is due has been done, it is not due any more.
pub fn audio(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = run(&mut u);
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut whole = Side::new();
    let mut bytewise = Side::new();
    if u.arbitrary()? {
        whole.feed(&Word::Uuid.bytes(), false);
        bytewise.feed(&Word::Uuid.bytes(), true);
    }
    while !u.is_empty() {
        let operation: Operation = u.arbitrary()?;
        trace(|| format!("{:?} {operation:?}", whole.now));
        whole.operate(&operation, false);
        bytewise.operate(&operation, true);
        assert_eq!(whole.told, bytewise.told, "the events depend on the split");
        assert_eq!(whole.sent, bytewise.sent, "what is sent depends on the split");
        assert_eq!(whole.state(), bytewise.state(), "the state depends on the split");
    }
    whole.come_to_rest();
    Ok(())
}

impl Word {
    fn bytes(self) -> Vec<u8> {
        let rate = |n: u8| SampleRate::ALL[usize::from(n) % SampleRate::ALL.len()];
        let mut out = vec![];
        match self {
            Self::Uuid => asterisk::encode_uuid(Uuid::from_bytes([7; 16]), &mut out),
            Self::Audio { rate: n, samples } => {
                asterisk::encode_audio(rate(n), &vec![1; usize::from(samples)], &mut out);
            }
            Self::Frame { rate: n } => {
                let samples = vec![1; rate(n).hertz() as usize / 50];
                asterisk::encode_audio(rate(n), &samples, &mut out);
            }
            Self::Digit => asterisk::encode_digit(Digit::HASH, &mut out),
            Self::NotADigit => out.extend_from_slice(b"\x03\x00\x01x"),
            Self::Unknown => out.extend_from_slice(b"\x02\x00\x02ab"),
            Self::Error => out.extend_from_slice(b"\xff\x00\x01\x04"),
            Self::End => encode_end(&mut out),
            Self::Half => out.extend_from_slice(b"\x10\x00\x03abc"),
            Self::Empty => out.extend_from_slice(b"\x10\x00\x00"),
            Self::Long => out.extend_from_slice(b"\x10\xff\xfe"),
        }
        out
    }
}

#[derive(Debug, PartialEq)]
enum Told {
    Identified,
    /// Position, rate, samples.
    Audio(u64, u32, usize),
    Digit(Digit),
    Drained,
    Ended,
}

struct Side {
    stream: AudioStream,
    now: Duration,
    told: Vec<Told>,
    sent: Vec<u8>,
    asterisk: MessageBuffer,
    /// When all that was sent will have been heard, by the far side's count.
    heard_at: Duration,
    /// What was queued and neither went out nor was cleared.
    waiting: VecDeque<i16>,
    accepted: u64,
    cleared: u64,
    taken: u64,
}

impl Side {
    fn new() -> Self {
        let mut options = AudioOptions::default();
        options.message_bytes = MESSAGE_BYTES;
        options.ahead = AHEAD;
        options.received = RECEIVED;
        options.queued = Duration::from_secs(1);
        Self {
            stream: AudioStream::new(Duration::ZERO, options),
            now: Duration::ZERO,
            told: vec![],
            sent: vec![],
            asterisk: MessageBuffer::new(1_400),
            heard_at: Duration::ZERO,
            waiting: VecDeque::new(),
            accepted: 0,
            cleared: 0,
            taken: 0,
        }
    }

    fn state(&self) -> impl PartialEq + std::fmt::Debug {
        let stream = &self.stream;
        let received = (stream.dropped(), stream.dropped_digits(), stream.ignored(), stream.rate());
        let sent = (stream.played(self.now), stream.queued(), stream.is_drained(self.now));
        (received, sent, stream.ended().cloned(), stream.poll_timeout(self.now))
    }

    fn operate(&mut self, operation: &Operation, bytewise: bool) {
        match operation {
            Operation::Feed(bytes) => self.feed(bytes, bytewise),
            Operation::FeedWord(word) => self.feed(&word.bytes(), bytewise),
            Operation::Later(milliseconds) => self.now += Duration::from_millis((*milliseconds).into()),
            Operation::Due => self.now += self.stream.poll_timeout(self.now).unwrap_or_default(),
            Operation::Events => self.events(),
            Operation::Transmit(n) => self.transmit((*n).into()),
            Operation::TransmitAll => {
                self.ends(AudioStream::handle_timeout);
                self.transmit(usize::MAX);
                self.events();
                assert_ne!(self.stream.poll_timeout(self.now), Some(Duration::ZERO), "still due");
            }
            Operation::Send(count) => self.send(self.stream.rate(), *count),
            Operation::SendAt(n) => self.send(SampleRate::ALL[usize::from(*n) % SampleRate::ALL.len()], 10),
            Operation::Clear => {
                let cleared = self.stream.clear(self.now);
                self.were_cleared(cleared.dropped);
                assert_eq!(cleared.played, self.stream.played(self.now));
                assert_eq!(cleared.in_flight, self.stream.in_flight(self.now));
            }
            Operation::End => self.ends(AudioStream::end),
            Operation::Eof => self.ends(|stream, _| stream.handle_eof()),
        }
        self.holds();
    }

    fn feed(&mut self, bytes: &[u8], bytewise: bool) {
        for piece in bytes.chunks(if bytewise { 1 } else { bytes.len().max(1) }) {
            self.ends(|stream, now| stream.handle_input(now, piece));
        }
    }

    /// Does what may end the stream, which drops all that waits.
    fn ends(&mut self, act: impl FnOnce(&mut AudioStream, Duration)) {
        let of_ours = |stream: &AudioStream| stream.queued() + stream.in_flight(self.now);
        let before = of_ours(&self.stream);
        act(&mut self.stream, self.now);
        self.were_cleared(before - of_ours(&self.stream));
    }

    fn were_cleared(&mut self, count: u64) {
        self.cleared += count;
        // the frame that was being written when the stream ended may have left in part
        let count = usize::try_from(count).expect("it waited in memory");
        self.waiting.truncate(self.waiting.len().saturating_sub(count));
    }

    fn send(&mut self, rate: SampleRate, count: u16) {
        let number = |n: u64| i16::try_from(n % 32_767 + 1).expect("it is below");
        let samples: Vec<i16> = (0..u64::from(count)).map(|n| number(self.accepted + n)).collect();
        let (channel, queued) = (self.stream.rate(), self.stream.queued());
        match self.stream.send(self.now, rate, &samples) {
            Ok(taken) => {
                assert!(rate == channel && taken <= samples.len());
                self.accepted += taken as u64;
                self.waiting.extend(&samples[..taken]);
            }
            Err(_) => assert_eq!(self.stream.queued(), queued, "a refusal changed the state"),
        }
    }

    fn transmit(&mut self, most: usize) {
        let mut left = most;
        while let Some(bytes) = self.stream.poll_transmit(self.now) {
            let n = bytes.len().min(left);
            if n == 0 {
                return;
            }
            let is_rest = n == bytes.len();
            self.sent.extend_from_slice(&bytes[..n]);
            self.asterisk.handle_input(&bytes[..n]);
            self.stream.transmitted(n);
            left -= n;
            let audio = match self.asterisk.next_message().expect("a message that Asterisk takes") {
                None => None,
                Some(Message::End) => Some((SampleRate::default(), vec![])),
                Some(Message::Audio { rate, samples }) => Some((rate, samples.iter().collect())),
                Some(other) => panic!("a message that Asterisk refuses: {other:?}"),
            };
            assert_eq!(audio.is_some(), is_rest, "not one message");
            if let Some((rate, samples)) = audio {
                assert!(!self.asterisk.is_inside(), "more than one message");
                self.was_sent(rate, &samples);
            }
        }
        assert!(!self.asterisk.is_inside() || self.stream.ended().is_some(), "a message without its end");
    }

    fn was_sent(&mut self, rate: SampleRate, samples: &[i16]) {
        self.heard_at = self.heard_at.max(self.now) + rate.duration(samples.len() as u64);
        let most = self.now + AHEAD + Duration::from_micros(1);
        assert!(self.heard_at <= most, "sent {:?} before its time", self.heard_at - self.now);
        let ours = samples.iter().take_while(|&&sample| sample != 0).count();
        assert!(self.waiting.drain(..ours).eq(samples[..ours].iter().copied()), "not in order");
        assert!(samples[ours..].iter().all(|&sample| sample == 0));
    }

    fn events(&mut self) {
        let mut count = 0;
        while let Some(event) = self.stream.poll_event() {
            assert_ne!(self.told.last(), Some(&Told::Ended), "something after the end");
            count += 1;
            let told = match event {
                AudioEvent::Identified(_) => Told::Identified,
                AudioEvent::Audio(frame) => {
                    self.taken += frame.samples().len() as u64;
                    Told::Audio(frame.position(), frame.sample_rate(), frame.samples().len())
                }
                AudioEvent::Digit(digit) => Told::Digit(digit),
                AudioEvent::Drained => Told::Drained,
                AudioEvent::Ended(_) => Told::Ended,
                other => panic!("an event that the tests do not know: {other:?}"),
            };
            assert_eq!(told == Told::Identified, self.told.is_empty() && self.stream.uuid().is_some());
            self.told.push(told);
        }
        assert!(count <= 20 + 64 + 3, "{count} events waited");
    }

    fn holds(&mut self) {
        let stream = &self.stream;
        let sent = stream.played(self.now) + stream.in_flight(self.now);
        assert_eq!(sent + stream.queued() + self.cleared, self.accepted, "samples that nobody accounts for");
        if self.stream.ended().is_some() {
            assert_eq!(self.stream.poll_transmit(self.now), None);
            assert_eq!(self.stream.poll_timeout(self.now), None);
        }
    }

    /// All that is queued is heard, a stream that is silent is kept, and after an end nothing more happens.
    fn come_to_rest(&mut self) {
        for _ in 0..200 {
            self.operate(&Operation::Due, false);
            self.operate(&Operation::TransmitAll, false);
        }
        self.now += AHEAD; // of a stream that has ended
        assert!(self.stream.is_drained(self.now));
        self.operate(&Operation::Eof, false);
        self.operate(&Operation::Events, false);
        assert_eq!(self.told.last(), Some(&Told::Ended));
    }
}

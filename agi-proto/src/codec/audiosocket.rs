//! The messages of AudioSocket, the protocol of a call's audio over TCP, as Asterisk's `res_audiosocket.c` speaks it.
//!
//! ```text
//! message = kind length payload          kind: 1 byte; length: 2 bytes, big-endian, of the payload
//!
//! kind    sent by    payload
//! 00      both       none: the end. A close of the connection is the same
//! 01      Asterisk   16 bytes, first of all: the UUID that the dialplan or `EXEC AudioSocket` was called with
//! 03      Asterisk   1 byte, ASCII: a digit that was pressed, sent when it is released
//! 10      both       audio: signed 16-bit samples, little-endian, mono, 8 kHz
//! 11-18   both       the same at 12, 16, 24, 32, 44.1, 48, 96, 192 kHz, by newer versions
//! ff      nobody     an error: in the protocol's text only
//! ```
//!
//! ```
//! use agi_proto::SampleRate;
//! use agi_proto::audiosocket::{Message, MessageBuffer, encode_audio, encode_end};
//!
//! let mut sent = Vec::new();
//! assert_eq!(encode_audio(SampleRate::Hz8000, &[1, -1], &mut sent), 2);
//! encode_end(&mut sent);
//! assert_eq!(sent, [0x10, 0, 4, 1, 0, 0xff, 0xff, 0, 0, 0]);
//!
//! let mut received = MessageBuffer::new(1_400);
//! received.handle_input(&sent);
//! let Some(Message::Audio { rate, samples }) = received.next_message()? else { unreachable!() };
//! assert_eq!((rate.hertz(), samples.iter().collect::<Vec<_>>()), (8_000, vec![1, -1]));
//! assert_eq!(received.next_message()?, Some(Message::End));
//! # Ok::<(), agi_proto::audiosocket::MessageError>(())
//! ```

mod buffer;
mod samples;
mod uuid;
mod write;

pub use self::buffer::MessageBuffer;
pub use self::samples::Samples;
pub use self::uuid::{Uuid, UuidError};
pub use self::write::{MAX_SAMPLES, asterisk, encode_audio, encode_end};
use crate::codec::audio::SampleRate;

/// The bytes before a payload: its kind and its length.
pub(crate) const HEADER: usize = 3;

const END: u8 = 0x00;
const UUID: u8 = 0x01;
const DIGIT: u8 = 0x03;
const AUDIO: u8 = 0x10;
const ERROR: u8 = 0xff;

/// A message of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// The end of the audio.
    End,
    /// The call that the connection belongs to.
    Uuid(Uuid),
    /// A digit that was pressed, in ASCII; Asterisk passes on any byte that its channel delivered.
    Digit(u8),
    /// Audio.
    Audio {
        /// The rate.
        rate: SampleRate,
        /// The samples; one at least.
        samples: Samples<'a>,
    },
    /// An error that the other side reports, by its code if there is one.
    Error(Option<u8>),
    /// A message of a kind that is not known here, and can be skipped.
    Other {
        /// The kind.
        kind: u8,
    },
}

impl Message<'_> {
    /// Returns the kind, the first byte.
    pub const fn kind(&self) -> u8 {
        match *self {
            Self::End => END,
            Self::Uuid(_) => UUID,
            Self::Digit(_) => DIGIT,
            Self::Audio { rate, .. } => AUDIO + rate as u8,
            Self::Error(_) => ERROR,
            Self::Other { kind } => kind,
        }
    }
}

/// A message that neither side may send. Final: nobody knows where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A payload is longer than the limit of the [`MessageBuffer`].
    #[error("AudioSocket message {kind:#04x}: {length} bytes are more than {limit}")]
    TooLong {
        /// The kind of the message.
        kind: u8,
        /// The length that its header states.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A payload has a length that its kind cannot have: a UUID is 16 bytes, a digit 1, audio at least 2.
    #[error("AudioSocket message {kind:#04x}: its kind cannot have {length} bytes")]
    Length {
        /// The kind of the message.
        kind: u8,
        /// The length that its header states.
        length: usize,
    },
    /// Audio ends inside a sample.
    #[error("AudioSocket message {kind:#04x}: {length} bytes of audio end inside a sample")]
    HalfSample {
        /// The kind of the message.
        kind: u8,
        /// The length that its header states.
        length: usize,
    },
}

/// A kind's place among the rates.
fn rate(kind: u8) -> Option<SampleRate> {
    SampleRate::ALL.get(usize::from(kind.checked_sub(AUDIO)?)).copied()
}

/// Returns the first message of the bytes and its whole length; `None` if it has not wholly come. A wrong length is an
/// error before the payload comes.
fn parse(bytes: &[u8], limit: usize) -> Result<Option<(Message<'_>, usize)>, MessageError> {
    let Some((&[kind, high, low], rest)) = bytes.split_first_chunk() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if kind == END {
        return Ok(Some((Message::End, HEADER))); // Asterisk does not look at its length either
    }
    if length > limit {
        return Err(MessageError::TooLong { kind, length, limit });
    }
    let is_audio = rate(kind).is_some();
    let fits = match kind {
        UUID => length == 16,
        DIGIT => length == 1,
        _ => !is_audio || length > 0,
    };
    if !fits {
        return Err(MessageError::Length { kind, length });
    }
    if is_audio && length % 2 != 0 {
        return Err(MessageError::HalfSample { kind, length });
    }
    let Some(payload) = rest.get(..length) else { return Ok(None) };
    let message = match (kind, payload) {
        (UUID, payload) => {
            Message::Uuid(Uuid::from_bytes(payload.try_into().expect("its length was checked")))
        }
        (DIGIT, payload) => Message::Digit(payload[0]),
        (ERROR, payload) => Message::Error(payload.first().copied()),
        (kind, payload) => match rate(kind) {
            Some(rate) => Message::Audio { rate, samples: Samples::new(payload) },
            None => Message::Other { kind },
        },
    };
    Ok(Some((message, HEADER + length)))
}

#[cfg(test)]
mod tests;

//! Messages that the other side takes. None of these functions can write any other: an empty one, one that ends inside a
//! sample, or one of a kind that only the other side sends.

use alloc::vec::Vec;

use super::{AUDIO, END, HEADER};
use crate::codec::audio::SampleRate;

/// How many samples [`encode_audio`] puts into a message: 1,400 bytes, so that a message is one segment of TCP. Asterisk
/// ends the audio if a payload comes more than some 5 ms after its header.
pub const MAX_SAMPLES: usize = (1_400 - HEADER) / 2;

/// Appends one message of the first samples, [`MAX_SAMPLES`] at most, and returns how many these are. Of no samples it
/// appends nothing.
///
/// Write the message in one piece. A channel whose Asterisk lacks the codec of the rate is hung up, so answer in the rate
/// that comes in.
pub fn encode_audio(rate: SampleRate, samples: &[i16], out: &mut Vec<u8>) -> usize {
    audio(rate, samples, MAX_SAMPLES, out)
}

/// Appends the message that ends the audio. Asterisk goes on in the dialplan, or answers `EXEC`, and closes.
pub fn encode_end(out: &mut Vec<u8>) {
    out.extend_from_slice(&[END, 0, 0]);
}

/// Asterisk's own messages, for whoever plays Asterisk.
pub mod asterisk {
    use alloc::vec::Vec;

    use super::super::{DIGIT, UUID, Uuid};
    use super::SampleRate;
    use crate::values::digit::Digit;

    /// Appends the first message of a connection.
    pub fn encode_uuid(uuid: Uuid, out: &mut Vec<u8>) {
        out.extend_from_slice(&[UUID, 0, 16]);
        out.extend_from_slice(uuid.as_bytes());
    }

    /// Appends a digit that was pressed.
    pub fn encode_digit(digit: Digit, out: &mut Vec<u8>) {
        out.extend_from_slice(&[DIGIT, 0, 1, digit.as_char() as u8]);
    }

    /// Appends one message of the first samples, 32,767 at most, and returns how many these are: Asterisk sends a frame of
    /// its channel as a whole, however long it is.
    pub fn encode_audio(rate: SampleRate, samples: &[i16], out: &mut Vec<u8>) -> usize {
        super::audio(rate, samples, usize::from(u16::MAX / 2), out)
    }
}

/// `most` is at most 32,767.
fn audio(rate: SampleRate, samples: &[i16], most: usize, out: &mut Vec<u8>) -> usize {
    let samples = &samples[..samples.len().min(most)];
    if samples.is_empty() {
        return 0;
    }
    let [.., high, low] = (samples.len() * 2).to_be_bytes();
    out.extend_from_slice(&[AUDIO + rate as u8, high, low]);
    if cfg!(target_endian = "little") {
        out.extend_from_slice(bytemuck::cast_slice(samples));
    } else {
        out.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    }
    samples.len()
}

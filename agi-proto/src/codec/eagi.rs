//! The audio of EAGI: samples in frames, from bytes in whatever pieces.
//!
//! What it is that is heard, and when nothing is, the adapters' own pages say.
//!
//! ```
//! use agi_proto::eagi::FrameBuffer;
//!
//! let mut frames = FrameBuffer::new(8_000);
//! let mut input: &[u8] = &[0; 400];
//! while let Some(space) = frames.space() {
//!     // as a read would
//!     let read = space.len().min(input.len()).min(100);
//!     space[..read].copy_from_slice(&input[..read]);
//!     frames.advance(read);
//!     input = &input[read..];
//! }
//! assert_eq!(frames.take().unwrap().samples().len(), 160);
//! ```

use alloc::vec;
use alloc::vec::Vec;

pub use crate::codec::audio::AudioFrame;

/// Collects the bytes of a frame: read into [`space`](Self::space) and tell how much by
/// [`advance`](Self::advance), until the frame is whole or nothing more comes; then [`take`](Self::take) it.
#[derive(Clone, Debug)]
pub struct FrameBuffer {
    rate: u32,
    position: u64,
    bytes: Vec<u8>,
    filled: usize,
    samples: Vec<i16>,
}

impl FrameBuffer {
    /// Returns a buffer for frames of 20 ms, of so many samples a second: the rate of the format that Asterisk was asked for,
    /// see [`SampleRate::from_format`](crate::SampleRate::from_format).
    ///
    /// # Panics
    ///
    /// If that is 0.
    pub fn new(rate: u32) -> Self {
        assert_ne!(rate, 0, "a rate of no samples");
        let samples = (rate as usize / 50).max(1);
        Self { rate, position: 0, bytes: vec![0; samples * 2], filled: 0, samples: Vec::new() }
    }

    /// Space for what is missing of the frame; `None` when it is whole.
    pub fn space(&mut self) -> Option<&mut [u8]> {
        Some(&mut self.bytes[self.filled..]).filter(|space| !space.is_empty())
    }

    /// So many bytes were read into the space.
    ///
    /// # Panics
    ///
    /// If there was not so much.
    pub fn advance(&mut self, read: usize) {
        assert!(read <= self.bytes.len() - self.filled, "more than there was space for");
        self.filled += read;
    }

    /// What has been collected; `None` where that is not one sample.
    pub fn take(&mut self) -> Option<AudioFrame<'_>> {
        let pairs = self.bytes[..self.filled].chunks_exact(2);
        self.samples.clear();
        self.samples.extend(pairs.map(|pair| i16::from_ne_bytes([pair[0], pair[1]])));
        self.filled = 0;
        let position = self.position;
        self.position += self.samples.len() as u64;
        Some(AudioFrame::new(&self.samples, position, self.rate)).filter(|frame| !frame.samples().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives bytes in pieces of one size, and what frames come of them: first sample, length, milliseconds.
    fn frames(bytes: &[u8], piece: usize, rate: u32) -> Vec<(i16, usize, u128)> {
        let (mut frames, mut rest, mut found) = (FrameBuffer::new(rate), bytes, Vec::new());
        loop {
            while let Some(space) = frames.space() {
                let (now, later) = rest.split_at(piece.min(space.len()).min(rest.len()));
                space[..now.len()].copy_from_slice(now);
                frames.advance(now.len());
                rest = later;
                if now.is_empty() {
                    break;
                }
            }
            match frames.take() {
                Some(frame) => {
                    found.push((frame.samples()[0], frame.samples().len(), frame.time().as_millis()));
                }
                None => return found,
            }
        }
    }

    #[test]
    fn frames_do_not_depend_on_the_pieces() {
        // half a sample at the end is none
        let bytes: Vec<u8> = (0..350_i16).flat_map(i16::to_ne_bytes).chain([7]).collect();
        for piece in 1..=bytes.len() {
            assert_eq!(frames(&bytes, piece, 8_000), [(0, 160, 0), (160, 160, 20), (320, 30, 40)]);
        }
        assert_eq!(frames(&bytes, 100, 16_000), [(0, 320, 0), (320, 30, 20)]);
        assert_eq!(frames(&[1], 1, 8_000), []);
    }
}

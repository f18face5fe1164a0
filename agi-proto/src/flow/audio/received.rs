//! The queue towards the application: bounded, because Asterisk ends the call if nobody reads, however slow the
//! application is.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use crate::codec::audio::{AudioFrame, SampleRate};
use crate::codec::audiosocket::Samples;
use crate::values::digit::Digit;

/// A frame counts as this much at least, so that a flood of tiny ones is bounded too.
const LEAST: Duration = Duration::from_millis(5);

/// Nobody presses so many keys in the time that the audio queue holds.
pub(super) const MAX_DIGITS: usize = 64;

/// What has come and was not taken yet, in order.
#[derive(Debug)]
pub(super) struct Received {
    items: VecDeque<Item>,
    /// What the audio in the queue lasts.
    held: Duration,
    limit: Duration,
    digits: usize,
    rate: SampleRate,
    /// How many samples came so far, at the rate of the last ones.
    position: u64,
    dropped: u64,
    dropped_digits: u64,
    /// The frame that was taken last.
    current: Vec<i16>,
    /// Its memory is used again.
    spare: Vec<i16>,
}

#[derive(Debug)]
enum Item {
    Audio { rate: SampleRate, position: u64, samples: Vec<i16> },
    Digit(Digit),
}

/// What was taken.
pub(super) enum Taken<'a> {
    Audio(AudioFrame<'a>),
    Digit(Digit),
}

impl Received {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            items: VecDeque::new(),
            held: Duration::ZERO,
            limit,
            digits: 0,
            rate: SampleRate::default(),
            position: 0,
            dropped: 0,
            dropped_digits: 0,
            current: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Queues a frame, and drops the oldest ones as long as there is more than the limit.
    pub(super) fn audio(&mut self, rate: SampleRate, audio: Samples<'_>) {
        if rate != self.rate {
            self.position = rate.samples(self.rate.duration(self.position));
            self.rate = rate;
        }
        let cost = cost(rate, audio.len());
        while self.held + cost > self.limit && self.drop_oldest() {}
        let mut samples = mem::take(&mut self.spare);
        samples.clear();
        audio.append_to(&mut samples);
        self.items.push_back(Item::Audio { rate, position: self.position, samples });
        self.position += audio.len() as u64;
        self.held += cost;
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(at) = self.items.iter().position(|item| matches!(item, Item::Audio { .. })) else {
            return false;
        };
        if let Some(Item::Audio { rate, samples, .. }) = self.items.remove(at) {
            self.held -= cost(rate, samples.len());
            self.dropped += samples.len() as u64;
            self.spare = samples;
        }
        true
    }

    pub(super) fn digit(&mut self, digit: Digit) {
        if self.digits == MAX_DIGITS {
            self.dropped_digits += 1;
        } else {
            self.digits += 1;
            self.items.push_back(Item::Digit(digit));
        }
    }

    pub(super) fn take(&mut self) -> Option<Taken<'_>> {
        Some(match self.items.pop_front()? {
            Item::Digit(digit) => {
                self.digits -= 1;
                Taken::Digit(digit)
            }
            Item::Audio { rate, position, samples } => {
                self.held -= cost(rate, samples.len());
                self.spare = mem::replace(&mut self.current, samples);
                Taken::Audio(AudioFrame::new(&self.current, position, rate.hertz()))
            }
        })
    }

    /// The rate of the last audio; 8 kHz before any.
    pub(super) fn rate(&self) -> SampleRate {
        self.rate
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn dropped_digits(&self) -> u64 {
        self.dropped_digits
    }
}

fn cost(rate: SampleRate, samples: usize) -> Duration {
    rate.duration(samples as u64).max(LEAST)
}

//! The queue towards Asterisk, and the clock by which it goes out.
//!
//! One number holds the schedule: when all that was sent will have been heard. A frame may be sent as soon as that moment,
//! the frame included, is at most `ahead` away, and moves it by exactly one frame. So a timer that is late moves nothing,
//! as long as there is audio ahead; and after a longer stall the next frame is heard at once, and what the stall missed is
//! not made up for in one burst.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::codec::audio::SampleRate;
use crate::codec::audiosocket::{MAX_SAMPLES, encode_audio};

/// What goes out at a time: as much as Asterisk itself sends at a time, and a phone.
pub(super) const FRAME: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Playout {
    /// What waits, by rate; usually of one rate.
    queue: VecDeque<Run>,
    /// When something was queued last.
    queued_at: Duration,
    /// What was sent and may not have been heard yet, oldest first.
    flight: VecDeque<Flight>,
    /// When all that was sent will have been heard.
    heard_at: Duration,
    /// The last frame was not wholly written yet, so nobody hears it.
    is_held: bool,
    ahead: Duration,
    limit: Duration,
    /// Samples that were heard, without those in flight.
    played: u64,
    frame: Vec<i16>,
}

#[derive(Debug)]
struct Run {
    rate: SampleRate,
    samples: VecDeque<i16>,
}

/// A frame that is being heard, or will be.
#[derive(Debug)]
struct Flight {
    begin: Duration,
    rate: SampleRate,
    /// Without the silence that fills the frame.
    samples: u64,
}

impl Playout {
    /// `ahead` is a frame at least: with less, nothing could go out.
    pub(super) fn new(ahead: Duration, limit: Duration) -> Self {
        Self {
            queue: VecDeque::new(),
            queued_at: Duration::ZERO,
            flight: VecDeque::new(),
            heard_at: Duration::ZERO,
            is_held: false,
            ahead: ahead.max(FRAME),
            limit,
            played: 0,
            frame: Vec::new(),
        }
    }

    /// Queues as many of the samples as there is room for, and returns how many.
    pub(super) fn queue(&mut self, now: Duration, rate: SampleRate, samples: &[i16]) -> usize {
        let held: Duration = self.queue.iter().map(Run::duration).sum();
        let room = rate.samples(self.limit.saturating_sub(held));
        let samples = &samples[..samples.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        if samples.is_empty() {
            return 0;
        }
        self.queued_at = now;
        match self.queue.back_mut().filter(|run| run.rate == rate) {
            Some(run) => run.samples.extend(samples),
            None => self.queue.push_back(Run { rate, samples: samples.iter().copied().collect() }),
        }
        samples.len()
    }

    /// Drops what waits, and returns how many samples that is.
    pub(super) fn clear(&mut self) -> u64 {
        let queued = self.queued();
        self.queue.clear();
        queued
    }

    /// Drops what waits, and the last frame unless it was written.
    pub(super) fn stop(&mut self) {
        self.queue.clear();
        if core::mem::take(&mut self.is_held) {
            self.flight.pop_back();
        }
    }

    /// Appends the next frame if it is due, as one message or, at high rates, several.
    pub(super) fn send(&mut self, now: Duration, out: &mut Vec<u8>) -> bool {
        if self.due().is_none_or(|due| now < due) {
            return false;
        }
        self.settle(now); // keeps few in flight, though input may wake a transport before every timer
        let Some(run) = self.queue.front_mut() else { return false };
        let rate = run.rate;
        let count = run.samples.len().min(frame_samples(rate));
        self.frame.clear();
        self.frame.extend(run.samples.drain(..count));
        if run.samples.is_empty() {
            self.queue.pop_front();
        }
        self.encode(rate, out);
        true
    }

    /// Appends a frame of silence.
    pub(super) fn send_silence(&mut self, rate: SampleRate, out: &mut Vec<u8>) {
        self.frame.clear();
        self.encode(rate, out);
    }

    /// Fills the frame up with silence, and lets it be heard after all before it; [`hold`](Self::hold) knows whether that is
    /// over.
    fn encode(&mut self, rate: SampleRate, out: &mut Vec<u8>) {
        self.flight.push_back(Flight { begin: self.heard_at, rate, samples: self.frame.len() as u64 });
        self.heard_at += FRAME;
        self.is_held = true;
        let whole = frame_samples(rate);
        self.frame.resize(whole, 0);
        // equal parts, so that no message is tiny
        for part in self.frame.chunks(whole.div_ceil(whole.div_ceil(MAX_SAMPLES))) {
            encode_audio(rate, part, out);
        }
    }

    /// The last frame is still to be written: if its time has come, it will be heard from now on.
    pub(super) fn hold(&mut self, now: Duration) {
        if let Some(last) = self.flight.back_mut().filter(|last| self.is_held && last.begin < now) {
            last.begin = now;
            self.heard_at = now + FRAME;
        }
    }

    /// The last frame was written.
    pub(super) fn written(&mut self) {
        self.is_held = false;
    }

    /// When the next frame may go out; `None` if nothing waits.
    ///
    /// What does not fill a frame waits for more, until all before has nearly been heard: then it is the end of a
    /// sentence, or its rest comes too late anyhow.
    pub(super) fn due(&self) -> Option<Duration> {
        let first = self.queue.front()?;
        let whole = (self.heard_at + FRAME).saturating_sub(self.ahead);
        if first.samples.len() >= frame_samples(first.rate) || self.queue.len() > 1 {
            return Some(whole);
        }
        Some(self.heard_at.saturating_sub(FRAME).max(self.queued_at + FRAME).max(whole))
    }

    /// Counts what was heard, and returns whether that was the last of it.
    pub(super) fn settle(&mut self, now: Duration) -> bool {
        let before = self.played;
        let heard = self.written_frames().take_while(|flight| flight.begin + FRAME <= now).count();
        self.played += self.flight.drain(..heard).map(|flight| flight.samples).sum::<u64>();
        self.played > before && self.is_silent()
    }

    /// Whether nothing waits, and nothing of ours is in flight.
    pub(super) fn is_silent(&self) -> bool {
        self.queue.is_empty() && self.flight.iter().all(|flight| flight.samples == 0)
    }

    /// When the last of what was queued will have been heard; `None` if that is not known yet, or nothing plays.
    pub(super) fn drained_at(&self) -> Option<Duration> {
        let last = self.flight.iter().rfind(|flight| flight.samples > 0)?;
        (self.queue.is_empty() && !self.is_held).then_some(last.begin + FRAME)
    }

    fn written_frames(&self) -> impl Iterator<Item = &Flight> {
        self.flight.iter().take(self.flight.len() - usize::from(self.is_held))
    }

    /// Samples that were heard.
    pub(super) fn played(&self, now: Duration) -> u64 {
        let heard =
            |flight: &Flight| flight.rate.samples(now.saturating_sub(flight.begin)).min(flight.samples);
        self.played + self.written_frames().map(heard).sum::<u64>()
    }

    /// Samples that were sent and not heard.
    pub(super) fn in_flight(&self, now: Duration) -> u64 {
        let sent = self.played + self.flight.iter().map(|flight| flight.samples).sum::<u64>();
        sent - self.played(now)
    }

    /// Samples that wait.
    pub(super) fn queued(&self) -> u64 {
        self.queue.iter().map(|run| run.samples.len() as u64).sum()
    }
}

impl Run {
    fn duration(&self) -> Duration {
        self.rate.duration(self.samples.len() as u64)
    }
}

/// A frame is a fiftieth of a second.
fn frame_samples(rate: SampleRate) -> usize {
    rate.hertz() as usize / 50
}

//! The audio of one call over AudioSocket, as the service has it: who it belongs to, what comes in, and what goes out when.

mod event;
mod output;
mod playout;
mod received;
mod state;

use core::time::Duration;

pub use self::event::{AudioEnd, AudioError, AudioEvent, AudioOptions, Cleared, SendError};
use self::output::Output;
use self::playout::Playout;
use self::received::{Received, Taken};
use self::state::State;
use crate::codec::audio::SampleRate;
use crate::codec::audiosocket::{MessageBuffer, Uuid};

/// Asterisk ends the audio if neither side has sent anything for 2 seconds. Half of that leaves room for a stall.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// The service's side of one AudioSocket connection, without any I/O and without a clock.
///
/// Every `now` is the time since one moment of your choice, on a clock that never goes back. Four kinds of methods:
///
/// * **Input** from the transport: [`handle_input`](Self::handle_input), [`handle_eof`](Self::handle_eof),
///   [`handle_timeout`](Self::handle_timeout).
/// * **Output** to it: [`poll_event`](Self::poll_event), [`poll_transmit`](Self::poll_transmit) with
///   [`transmitted`](Self::transmitted), [`poll_timeout`](Self::poll_timeout).
/// * **The application's calls**: [`send`](Self::send), [`clear`](Self::clear), [`end`](Self::end).
/// * **Getters**.
///
/// The contract is the one of a [`Session`](crate::Session): after any input and any call, take the events, then write what
/// `poll_transmit` returns until it returns `None`, then wait for input, but no longer than `poll_timeout` says. Always
/// read, however slow the application is: Asterisk ends the audio when it cannot write.
///
/// ```
/// use std::time::Duration;
/// use agi_proto::audiosocket::{Uuid, asterisk};
/// use agi_proto::{AudioEvent, AudioOptions, AudioStream, SampleRate};
///
/// let now = Duration::ZERO;
/// let mut audio = AudioStream::new(now, AudioOptions::default());
/// let mut received = Vec::new();
/// asterisk::encode_uuid(Uuid::from_bytes([7; 16]), &mut received);
/// audio.handle_input(now, &received);
/// assert_eq!(audio.poll_event(), Some(AudioEvent::Identified(Uuid::from_bytes([7; 16]))));
///
/// // a fifth of a second: three frames go at once, the others at their time
/// assert_eq!(audio.send(now, SampleRate::Hz8000, &[1000; 1600]), Ok(1600));
/// let mut sent = 0;
/// while let Some(message) = audio.poll_transmit(now) {
///     let length = message.len(); // a write would take so many bytes
///     audio.transmitted(length);
///     sent += 1;
/// }
/// assert_eq!(sent, 3);
/// assert_eq!(audio.poll_timeout(now), Some(Duration::from_millis(20)));
///
/// // 50 ms later the caller begins to speak
/// let cleared = audio.clear(Duration::from_millis(50));
/// assert_eq!((cleared.played, cleared.in_flight, cleared.dropped), (400, 80, 1120));
/// ```
#[derive(Debug)]
pub struct AudioStream {
    state: State,
    options: AudioOptions,
    input: MessageBuffer,
    received: Received,
    playout: Playout,
    output: Output,
    uuid: Option<Uuid>,
    /// When either side sent something last.
    active: Duration,
    ignored: u64,
    uuid_to_tell: bool,
    drained_to_tell: bool,
    end_to_tell: bool,
}

impl AudioStream {
    /// Returns the stream of a connection that Asterisk has just opened.
    pub fn new(now: Duration, options: AudioOptions) -> Self {
        Self {
            state: State::Identifying { until: now.saturating_add(options.identify) },
            options,
            input: MessageBuffer::new(options.message_bytes),
            received: Received::new(options.received),
            playout: Playout::new(options.ahead, options.queued),
            output: Output::default(),
            uuid: None,
            active: now,
            ignored: 0,
            uuid_to_tell: false,
            drained_to_tell: false,
            end_to_tell: false,
        }
    }

    // ---- input ----

    /// Takes received bytes, by copying them.
    pub fn handle_input(&mut self, now: Duration, input: &[u8]) {
        if !self.is_ended() {
            self.active = now;
            self.input.handle_input(input);
            self.on_input();
        }
    }

    /// Notes that the stream from Asterisk has ended, or was reset, which is how it ends when Asterisk closes while audio
    /// is on its way to it. A write that fails is the same: read what is still there before, if that is possible.
    pub fn handle_eof(&mut self) {
        self.on_eof();
    }

    /// Call this when the duration returned by [`poll_timeout`](Self::poll_timeout) has elapsed. Calling it at any other
    /// time does no harm.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.playout.settle(now) && matches!(self.state, State::Open) {
            self.drained_to_tell = true;
        }
        self.on_timeout(now);
    }

    // ---- output ----

    /// Returns what happened. `None` means that more input or time is needed.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<AudioEvent<'_>> {
        if core::mem::take(&mut self.uuid_to_tell) {
            return self.uuid.map(AudioEvent::Identified);
        }
        if core::mem::take(&mut self.drained_to_tell) {
            return Some(AudioEvent::Drained);
        }
        match (self.received.take(), &self.state) {
            (Some(Taken::Audio(frame)), _) => Some(AudioEvent::Audio(frame)),
            (Some(Taken::Digit(digit)), _) => Some(AudioEvent::Digit(digit)),
            (None, State::Ended(end)) if core::mem::take(&mut self.end_to_tell) => {
                Some(AudioEvent::Ended(end.clone()))
            }
            (None, _) => None,
        }
    }

    /// Returns bytes to write now: one message, or the rest of it. Write it in one piece, without delaying it for more
    /// (`TCP_NODELAY`), and report to [`transmitted`](Self::transmitted) how much was written. A frame leaves the queue
    /// only here, so a connection that takes nothing piles nothing up.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Duration) -> Option<&[u8]> {
        if self.output.is_empty() {
            self.fill(now);
        }
        if !self.output.is_empty() {
            self.playout.hold(now);
            self.active = now;
        }
        self.output.poll()
    }

    /// Notes that `n` of the bytes that [`poll_transmit`](Self::poll_transmit) returned were written.
    ///
    /// # Panics
    ///
    /// If `n` is more than it returned.
    pub fn transmitted(&mut self, n: usize) {
        self.output.transmitted(n);
        if self.output.is_empty() {
            self.playout.written();
        }
    }

    /// Returns how long to wait for input before [`handle_timeout`](Self::handle_timeout) and
    /// [`poll_transmit`](Self::poll_transmit) are due; `None` is forever. Zero is at once.
    #[must_use]
    pub fn poll_timeout(&self, now: Duration) -> Option<Duration> {
        self.deadline().map(|at| at.saturating_sub(now))
    }

    // ---- the application's calls ----

    /// Queues samples to be heard after all that was queued before, and returns how many of them it took: fewer than there
    /// are if the queue is [full](AudioOptions::queued).
    ///
    /// They go out in frames of 20 ms, each at its time. The last of them, if they do not fill a frame, wait for more as
    /// long as that cannot be heard, then silence fills the frame.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing was queued then.
    pub fn send(&mut self, now: Duration, rate: SampleRate, samples: &[i16]) -> Result<usize, SendError> {
        match self.state {
            State::Identifying { .. } => return Err(SendError::NotIdentified),
            State::Ending { .. } | State::Ended(_) => return Err(SendError::Ended),
            State::Open => {}
        }
        let channel = self.rate();
        if rate != channel {
            return Err(SendError::WrongRate { sent: rate, channel });
        }
        let taken = self.playout.queue(now, rate, samples);
        if taken > 0 {
            self.drained_to_tell = false; // not any more
        }
        Ok(taken)
    }

    /// Drops what is queued and not sent, for example because the caller has begun to speak. What is
    /// [ahead](AudioOptions::ahead) will still be heard, then comes [`AudioEvent::Drained`].
    pub fn clear(&mut self, now: Duration) -> Cleared {
        let dropped = self.playout.clear();
        // nothing will be heard any more that could report it
        self.drained_to_tell |= dropped > 0 && self.playout.is_silent();
        Cleared { played: self.played(now), in_flight: self.in_flight(now), dropped }
    }

    /// Ends the audio: what is queued is dropped, Asterisk is told, and [`AudioEvent::Ended`] comes when it has closed the
    /// connection. Then `EXEC` is answered, and the channel is as before.
    pub fn end(&mut self, now: Duration) {
        self.on_our_end(now);
    }

    // ---- getters ----

    /// Returns the rate of the channel, in which samples are to be sent: the rate of the audio that came last, and 8 kHz
    /// before any has come, which every Asterisk takes.
    pub fn rate(&self) -> SampleRate {
        self.received.rate()
    }

    /// Returns how many of the samples that were [sent](Self::send) the caller has heard by now, as far as this side's
    /// clock can know: what the network and the phone delay comes on top.
    pub fn played(&self, now: Duration) -> u64 {
        self.playout.played(now)
    }

    /// Returns how many samples were sent [ahead](AudioOptions::ahead), and will be heard whatever happens.
    pub fn in_flight(&self, now: Duration) -> u64 {
        self.playout.in_flight(now)
    }

    /// Returns how many samples wait to be sent. Those [in flight](Self::in_flight) are not among them.
    pub fn queued(&self) -> u64 {
        self.playout.queued()
    }

    /// Returns whether all that was sent has been heard, and nothing waits.
    pub fn is_drained(&self, now: Duration) -> bool {
        self.queued() == 0 && self.in_flight(now) == 0
    }

    /// Returns how many received samples were dropped, because the application did not take them in time.
    pub fn dropped(&self) -> u64 {
        self.received.dropped()
    }

    /// Returns how many digits were dropped: if more than 64 wait, the newest.
    pub fn dropped_digits(&self) -> u64 {
        self.received.dropped_digits()
    }

    /// Returns how many messages were skipped: of an unknown kind, or a digit that is not one.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Returns the reason for the end, once the stream has ended, even if received audio still waits.
    pub fn ended(&self) -> Option<&AudioEnd> {
        match &self.state {
            State::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// Returns the UUID, once it has come.
    pub fn uuid(&self) -> Option<Uuid> {
        self.uuid
    }

    fn is_ended(&self) -> bool {
        self.ended().is_some()
    }
}

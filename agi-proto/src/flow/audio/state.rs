//! The states of a stream, and every transition between them.

use core::time::Duration;

use super::{AudioEnd, AudioError, AudioStream, KEEP_ALIVE};
use crate::codec::audiosocket::{Message, encode_end};
use crate::values::digit::Digit;

/// Where a stream is.
///
/// ```text
///                 UUID                 end()                    end of the stream,
///  Identifying ----------> Open ------------------> Ending ----------------------> Ended (by us)
///   |   |                   |                        ^          00, deadline
///   |   |                   | end of the stream, 00: closed by Asterisk
///   |   |                   | no valid message, end inside a message: lost
///   |   |                   +-----------------------------------------------------> Ended
///   |   +--- end() -----------------------------------+
///   +------- another message, end of the stream, deadline: lost ------------------> Ended
/// ```
#[derive(Clone, Debug)]
pub(super) enum State {
    /// The UUID has not come; it must by then.
    Identifying { until: Duration },
    /// Audio goes both ways.
    Open,
    /// This side has ended it, and waits for Asterisk to close.
    Ending {
        /// Whether the message that says so is in the output.
        said: bool,
        /// For so long.
        until: Duration,
    },
    /// Nothing comes and nothing goes any more.
    Ended(AudioEnd),
}

impl AudioStream {
    /// Takes every message that has wholly come.
    pub(super) fn on_input(&mut self) {
        loop {
            let message = match self.input.next_message() {
                Ok(Some(message)) => message,
                Ok(None) => return,
                Err(error) => {
                    self.on_end(AudioEnd::Lost(AudioError::Message(error)));
                    return;
                }
            };
            match (&self.state, message) {
                (State::Ended(_), _) => return,
                (State::Identifying { .. }, Message::Uuid(uuid)) => {
                    self.uuid = Some(uuid);
                    self.uuid_to_tell = true;
                    self.state = State::Open;
                }
                (State::Identifying { .. }, message) => {
                    let error = AudioError::NotIdentified { kind: message.kind() };
                    self.on_end(AudioEnd::Lost(error));
                }
                (_, Message::Uuid(uuid)) => self.on_end(AudioEnd::Lost(AudioError::SecondUuid(uuid))),
                (_, Message::End) => self.on_end(AudioEnd::Closed),
                (_, Message::Error(code)) => self.on_end(AudioEnd::Lost(AudioError::Reported(code))),
                (_, Message::Audio { rate, samples }) => self.received.audio(rate, samples),
                (_, Message::Digit(code)) => match Digit::from_code(code.into()) {
                    Some(digit) => self.received.digit(digit),
                    None => self.ignored += 1,
                },
                (_, Message::Other { .. }) => self.ignored += 1,
            }
        }
    }

    pub(super) fn on_eof(&mut self) {
        let end = match self.state {
            State::Identifying { .. } => AudioEnd::Lost(AudioError::ClosedEarly),
            _ if self.input.is_inside() => AudioEnd::Lost(AudioError::Truncated),
            _ => AudioEnd::Closed,
        };
        self.on_end(end);
    }

    pub(super) fn on_timeout(&mut self, now: Duration) {
        match self.state {
            State::Identifying { until } if now >= until => {
                self.on_end(AudioEnd::Lost(AudioError::NoUuid(self.options.identify)));
            }
            // closing the connection says the same
            State::Ending { until, .. } if now >= until => self.on_end(AudioEnd::Us),
            _ => {}
        }
    }

    /// This side ends it: what is queued is dropped, a message that has begun goes out whole.
    pub(super) fn on_our_end(&mut self, now: Duration) {
        if let State::Identifying { .. } | State::Open = self.state {
            self.playout.clear();
            self.state = State::Ending { said: false, until: now.saturating_add(self.options.end) };
        }
    }

    /// Puts the next frame into the output, which is empty, if one is due.
    pub(super) fn fill(&mut self, now: Duration) {
        match &mut self.state {
            State::Open => {
                let out = self.output.buffer();
                if !self.playout.send(now, out) && now >= self.active + KEEP_ALIVE {
                    self.playout.send_silence(self.received.rate(), out);
                }
            }
            State::Ending { said, .. } if !*said => {
                *said = true;
                encode_end(self.output.buffer());
            }
            State::Identifying { .. } | State::Ending { .. } | State::Ended(_) => {}
        }
    }

    /// The one way to the end. However the stream ends after this side has ended it, that was by us.
    fn on_end(&mut self, end: AudioEnd) {
        let end = match self.state {
            State::Ended(_) => return,
            State::Ending { .. } => AudioEnd::Us,
            _ => end,
        };
        self.playout.stop();
        self.output.clear();
        self.end_to_tell = true;
        self.state = State::Ended(end);
    }

    /// When [`poll_timeout`](Self::poll_timeout) is over.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Identifying { until } | State::Ending { until, .. } => Some(until),
            State::Open => {
                // if Asterisk does not take what there is, there is no use in more
                let send = self.output.is_empty().then(|| {
                    let alive = self.active + KEEP_ALIVE;
                    self.playout.due().map_or(alive, |due| due.min(alive))
                });
                send.into_iter().chain(self.playout.drained_at()).min()
            }
            State::Ended(_) => None,
        }
    }
}

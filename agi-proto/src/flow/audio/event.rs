//! What a stream reports and what it is told.

use core::time::Duration;

#[cfg(doc)]
use super::AudioStream;
use crate::codec::audio::{AudioFrame, SampleRate};
use crate::codec::audiosocket::{MessageError, Uuid};
use crate::values::digit::Digit;

/// Something that [`AudioStream::poll_event`] reports.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum AudioEvent<'a> {
    /// The UUID has come, first of all. If no call waits for it, drop the connection.
    Identified(Uuid),
    /// The caller was heard.
    Audio(AudioFrame<'a>),
    /// A digit was pressed. It is reported when it is released, and to nobody else.
    Digit(Digit),
    /// All that was queued has been heard or [cleared](AudioStream::clear), as far as this side's clock can know; reported
    /// once for each time that the queue ran dry, unless more was queued meanwhile.
    Drained,
    /// The stream has ended; reported once, after everything that came before.
    Ended(AudioEnd),
}

/// The reason for the end of a stream: what the stream alone can know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AudioEnd {
    /// Asterisk closed it: usually the caller hung up, which the AGI side of the call reports. It does the same when a
    /// frame could not be passed on, or after 2 seconds in which neither side sent anything.
    Closed,
    /// This side ended it by [`AudioStream::end`]; the channel lives on.
    Us,
    /// What came was not AudioSocket, or only part of it.
    Lost(AudioError),
}

/// A stream that did not end as it should. Final: the connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// Nothing came that identifies the connection, for [so long](AudioOptions::identify).
    #[error("AudioSocket: no UUID came for {0:?}")]
    NoUuid(Duration),
    /// The connection was closed before its UUID came: a port scan or a health check.
    #[error("AudioSocket: the connection was closed before its UUID came")]
    ClosedEarly,
    /// Something else came in place of the UUID.
    #[error("AudioSocket: message {kind:#04x} came in place of the UUID")]
    NotIdentified {
        /// The kind of the message.
        kind: u8,
    },
    /// A second UUID came.
    #[error("AudioSocket: a second UUID came, {0}")]
    SecondUuid(Uuid),
    /// A message that Asterisk does not send.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The stream ended inside a message: the connection was reset, or this side read so slowly that Asterisk could write
    /// only part of a frame, which ends it.
    #[error("AudioSocket: the stream ended inside a message")]
    Truncated,
    /// Asterisk reported an error, with this code. The protocol provides for it; no version does so.
    #[error("AudioSocket: Asterisk reported the error {0:?}")]
    Reported(Option<u8>),
}

/// A reason not to queue samples. Nothing was queued, and the stream is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The channel has another rate: resample, or make the sound at that rate.
    #[error("audio: samples of {sent} cannot be sent to a channel of {channel}")]
    WrongRate {
        /// The rate of the samples.
        sent: SampleRate,
        /// The rate of the channel, see [`AudioStream::rate`].
        channel: SampleRate,
    },
    /// The UUID has not come yet.
    #[error("audio: the connection is not identified yet")]
    NotIdentified,
    /// The stream has ended, or is ending.
    #[error("audio: the stream has ended")]
    Ended,
}

/// Bounds and times of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudioOptions {
    /// How long the UUID may take to come. Default 5 seconds: Asterisk sends it at once, and a lost segment of TCP takes
    /// up to 3.
    pub identify: Duration,
    /// How much received audio waits for the application; beyond that the oldest is dropped. Default 1 second.
    pub received: Duration,
    /// How much audio waits to be sent. Default 10 seconds.
    pub queued: Duration,
    /// How much audio is sent before its time: barge-in cannot take it back, and a stall of the executor up to one frame
    /// less than this is not heard. Default 60 ms; 20 ms at least.
    pub ahead: Duration,
    /// How long Asterisk may take to close after [`AudioStream::end`]. Default 5 seconds; it takes some 20 ms.
    pub end: Duration,
    /// Bytes of a received message. Default 16,384: twice the 20 ms that Asterisk sends at the highest rate.
    pub message_bytes: usize,
}

impl Default for AudioOptions {
    fn default() -> Self {
        Self {
            identify: Duration::from_secs(5),
            received: Duration::from_secs(1),
            queued: Duration::from_secs(10),
            ahead: Duration::from_millis(60),
            end: Duration::from_secs(5),
            message_bytes: 16_384,
        }
    }
}

/// What barge-in stopped, in samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// Heard so far, since the begin of the stream: [`AudioStream::played`].
    pub played: u64,
    /// Sent already, and still to be heard.
    pub in_flight: u64,
    /// Dropped: nobody will hear them.
    pub dropped: u64,
}

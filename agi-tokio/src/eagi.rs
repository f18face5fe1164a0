//! EAGI: what the caller says, as samples, while the conversation goes on.
//!
//! Where the dialplan has `EAGI(program)` in place of `AGI(program)`, Asterisk gives the
//! [program](crate::process) one more descriptor, 3, from which the caller's voice can be read:
//!
//! ```no_run
//! use agi_tokio::Channel;
//! use agi_tokio::eagi::Audio;
//! use agi_tokio::process::{self, Failure, Stdio};
//!
//! async fn listen(mut channel: Channel<Stdio>) -> Result<(), Failure> {
//!     channel.answer().await?;
//!     let mut audio = Audio::open(&mut channel)?;
//!     while let Some(frame) = audio.next_frame().await? {
//!         let loudest = frame.samples().iter().map(|sample| sample.unsigned_abs()).max();
//!         println!("{:?}: {loudest:?}", frame.time());
//!     }
//!     Ok(())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Failure> {
//!     process::run(listen).await
//! }
//! ```
//!
//! # What is heard when
//!
//! * Signed linear samples of 16 bits in the host's byte order, 8,000 a second, one channel: a frame of 20 ms
//!   (320 bytes) every 20 ms. The channel variable `EAGI_AUDIO_FORMAT` (Asterisk 13.17, 14.6, 15 and later), set
//!   before `EAGI()`, may name another format: for `slin16` and the like tell the
//!   [rate](Audio::sample_rate); for what is not linear, such as `ulaw`, read [bytes](Audio::into_inner).
//! * **While a command plays or waits for digits** (`STREAM FILE`, `GET DATA`, `GET OPTION`, `WAIT FOR DIGIT`, `SAY
//!   NUMBER`, `SAY DIGITS`, `SAY ALPHA`, `SAY PHONETIC`) and between commands, audio keeps coming. It is only what
//!   the caller says; what Asterisk plays is not in it.
//! * **During all other commands nothing comes**, and what the caller says meanwhile is lost: `EXEC`, `RECORD
//!   FILE`, `CONTROL STREAM FILE`, `SAY DATE` and `SAY TIME`, `RECEIVE TEXT`, `SPEECH RECOGNIZE`.
//! * **Of silence nothing may come**: a phone that sends no packets leaves a gap, not zeros. So the
//!   [time](AudioFrame::time) of a frame counts what was heard; it is not the time of day.
//! * **What is not read** piles up in a pipe of 64 KiB, about 4 seconds. When that is full, Asterisk throws
//!   away what is newer, and does not wait.
//! * **After the hangup**, and after the end of the conversation ([`close`](Channel::close), or the drop of the
//!   channel), nothing comes any more, but Asterisk keeps the pipe open: as long as the conversation goes on, or
//!   until the program exits. [`Audio`] ends all the same; but where the dialplan has set `AGISIGHUP=no`, no hangup
//!   ends it, only the end of the conversation.
//!
//! A command and the audio can be waited for at the same time: [`Audio`] borrows nothing of the channel, so
//! a `select!` or a task of its own will do.

use std::convert::Infallible;
use std::fs::File;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};

pub use agi_proto::eagi::AudioFrame;
use agi_proto::eagi::FrameBuffer;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot::Receiver;

use crate::Channel;
use crate::process::{self, Stdio};

/// The caller's voice, frame by frame.
#[derive(Debug)]
pub struct Audio<R = Descriptor> {
    input: R,
    frames: FrameBuffer,
}

impl Audio {
    /// Opens what Asterisk gave this program.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported) where the dialplan has `AGI()` rather than `EAGI()`; what
    /// the operating system says.
    pub fn open(channel: &mut Channel<Stdio>) -> io::Result<Self> {
        if !channel.environment().is_enhanced() {
            let why = "no audio: the dialplan runs this with AGI() and not with EAGI()";
            return Err(io::Error::new(ErrorKind::Unsupported, why));
        }
        // listens first and asks then: the hangup comes before one or the other
        let hangup = signal(SignalKind::hangup())?;
        let ended = channel.is_hung_up() || channel.get_mut().has_heard_hangup();
        let end = channel.get_mut().end();
        // a descriptor's mere number could not be had without `unsafe`
        let pipe = process::Descriptor::new(File::open("/dev/fd/3")?.into())?;
        Ok(Self::new(Descriptor { pipe, hangup, end, ended }))
    }
}

impl<R> Audio<R> {
    /// Audio from anywhere: a file, or bytes in memory.
    pub fn new(input: R) -> Self {
        Self { input, frames: FrameBuffer::new(8_000) }
    }

    /// How many samples a second there are, where the format is not Asterisk's own (`slin`) but, say,
    /// `slin16`: 16,000. To be told before the first frame is read.
    ///
    /// # Panics
    ///
    /// If it is 0.
    pub fn sample_rate(self, rate: u32) -> Self {
        Self { frames: FrameBuffer::new(rate), ..self }
    }

    /// The bytes as they come. What was read of a frame that is not complete is lost.
    pub fn into_inner(self) -> R {
        self.input
    }
}

impl<R: AsyncRead + Unpin> Audio<R> {
    /// Waits for the next 20 ms; the last frame may be shorter. `None` when no more will come: the caller
    /// hung up (unless the dialplan has set `AGISIGHUP=no`), the conversation has ended, or Asterisk is gone. It may be
    /// dropped and called again; nothing is lost.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn next_frame(&mut self) -> io::Result<Option<AudioFrame<'_>>> {
        while let Some(space) = self.frames.space() {
            match self.input.read(space).await? {
                0 => break,
                read => self.frames.advance(read),
            }
        }
        Ok(self.frames.take())
    }
}

/// Descriptor 3, with an end where no more will come. See [`Audio::into_inner`].
#[derive(Debug)]
pub struct Descriptor {
    pipe: process::Descriptor,
    hangup: Signal,
    /// Fails at the end of the conversation.
    end: Receiver<Infallible>,
    ended: bool,
}

impl AsyncRead for Descriptor {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // what the caller said last may still be there, so the end counts only where there is nothing
        let read = Pin::new(&mut self.pipe).poll_read(cx, buf);
        if read.is_pending() {
            // once it has ended, the latter may not be asked again
            if !self.ended {
                self.ended =
                    self.hangup.poll_recv(cx).is_ready() || Pin::new(&mut self.end).poll(cx).is_ready();
            }
            if self.ended {
                return Poll::Ready(Ok(()));
            }
        }
        read
    }
}

//! A transport and the session that it carries, driven together.

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use agi_proto::{Event, Filled, Leniency, Limits, Session};

use super::race::within;
use crate::log::ConversationLog;
use crate::runtime::yield_now;
use crate::transport::{HangupSignal, is_gone};
use crate::{Error, Runtime, Transport};

/// The time to listen for the last words of a peer that takes no more bytes: a connection that was reset has them at
/// once, another kind of stream might never end.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// After this many reads that did not wait, the other tasks have their turn. A socket that always has something to read
/// is never waited for, so a peer that does not stop could hold up its thread, and the timer that is to end it.
const READS_AT_ONCE: u8 = 16;

/// A transport and its session.
///
/// It is the loop of [`agi_proto`]'s contract, cut where the application's calls differ: poll the session until it
/// needs input, take a [`turn`](Self::turn), again. A turn may be dropped at any await: a single write or read has
/// either happened, and the session knows it at once, or it has not happened.
pub(crate) struct Conversation<T> {
    pub(crate) transport: T,
    pub(crate) session: Session,
    pub(crate) log: ConversationLog,
    /// What was written may still lie in a buffer of the stream's own.
    unflushed: bool,
    /// The peer takes no more bytes.
    mute: bool,
    /// The failure of the transport during a wait that cannot fail: the next command reports it.
    broken: Option<io::Error>,
    /// The time since when nothing has come, while the session limits its wait. It outlives a turn that was dropped:
    /// otherwise calls that are all dropped sooner would delay the end of the wait forever.
    quiet_since: Option<Instant>,
    /// Reads that did not wait since others had their turn.
    reads: u8,
    /// The peer has sent something.
    pub(crate) heard: bool,
}

impl<T: Transport> Conversation<T> {
    pub(crate) fn new(transport: T, limits: Limits, leniency: Leniency) -> Self {
        Self {
            transport,
            session: Session::with_config(nonce(), limits, leniency),
            log: ConversationLog::default(),
            unflushed: false,
            mute: false,
            broken: None,
            quiet_since: None,
            reads: 0,
            heard: false,
        }
    }

    /// Keeps the failure of a transport for the next command.
    pub(crate) fn put_off(&mut self, error: Error) {
        if let Error::Io(error) = error {
            self.broken = Some(error);
        }
    }

    /// Reports a failure that was kept, once.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        self.broken.take().map_or(Ok(()), |error| Err(Error::Io(error)))
    }

    /// Waits for the environment. `false`: the peer closed without a byte.
    pub(crate) async fn open(&mut self) -> Result<bool, Error> {
        loop {
            match self.session.poll_event()? {
                Some(Event::Closed) => return Ok(false),
                Some(_) => continue,
                None => {}
            }
            // anything that came along after the environment was forged: polling found that
            if self.session.environment().is_some() {
                return Ok(true);
            }
            self.turn().await?;
        }
    }

    /// Writes what there is to write and waits for input.
    ///
    /// In this order, because polling the session queues output, too: a command that waited for the end of a barrier, or
    /// a question of the session's own.
    pub(crate) async fn turn(&mut self) -> Result<(), Error> {
        self.transmit().await?;
        self.receive().await
    }

    async fn transmit(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_transmit(cx)).await
    }

    fn poll_transmit(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.mute {
            let Some(bytes) = self.session.poll_transmit() else { break };
            match ready!(self.transport.poll_write(cx, bytes)) {
                Ok(0) => self.mute = true,
                Ok(written) => {
                    self.log.wrote(bytes, written);
                    self.session.transmitted(written);
                    self.unflushed = true;
                }
                Err(error) => self.write_failed(error)?,
            }
        }
        if self.unflushed {
            match ready!(self.transport.poll_flush(cx)) {
                Ok(()) => self.unflushed = false,
                Err(error) => self.write_failed(error)?,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn write_failed(&mut self, error: io::Error) -> Result<(), Error> {
        self.unflushed = false;
        self.mute = true;
        if is_gone(&error) {
            // what it sent before it left is still to be read
            return Ok(());
        }
        self.session.handle_eof();
        Err(Error::Io(error))
    }

    /// Waits for input, or for as long as the session wants to wait for it.
    async fn receive(&mut self) -> Result<(), Error> {
        if self.session.wants_quick_ack() {
            self.transport.acknowledge();
        }
        if self.reads >= READS_AT_ONCE {
            self.reads = 0;
            yield_now().await;
        }
        let patience = if self.mute { Some(LAST_WORDS) } else { self.session.poll_timeout() };
        let patience = patience.map(|patience| {
            let now = T::Runtime::now();
            let since = *self.quiet_since.get_or_insert(now);
            patience.saturating_sub(now.saturating_duration_since(since))
        });
        let read = poll_fn(|cx| self.poll_read(cx));
        let read = match patience {
            None => read.await,
            // boxed, because it is large and rarely needed
            Some(patience) => match Box::pin(within::<T::Runtime, _>(patience, read)).await {
                Some(read) => read,
                None if self.mute => Ok(0),
                None => {
                    self.quiet_since = None;
                    self.session.handle_timeout();
                    return Ok(());
                }
            },
        };
        self.quiet_since = None;
        match read {
            Ok(0) => self.session.handle_eof(),
            Ok(_) => {}
            Err(error) if HangupSignal::is(&error) => self.session.handle_hangup(),
            Err(error) => {
                self.session.handle_eof();
                if !is_gone(&error) {
                    return Err(Error::Io(error));
                }
            }
        }
        Ok(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let (session, log) = (&mut self.session, &self.log);
        let read = self.transport.poll_read(cx, |bytes, is_full| {
            log.read(bytes);
            session.handle_input(bytes, Filled::when(is_full));
        });
        self.reads = if read.is_ready() { self.reads.saturating_add(1) } else { 0 };
        self.heard |= matches!(read, Poll::Ready(Ok(1..)));
        read
    }

    /// Waits for the hangup or for the end of the stream.
    pub(crate) async fn wait_for_hangup(&mut self) -> Result<(), Error> {
        self.session.abandon();
        while !self.session.is_hung_up() && !self.session.is_closed() {
            match self.session.poll_event()? {
                Some(Event::Hangup) => self.log.hangup(),
                Some(_) => {}
                None => {
                    self.transport.acknowledge();
                    self.turn().await?;
                }
            }
        }
        Ok(())
    }

    /// Ends the conversation without cutting off Asterisk's last words: it writes a `HANGUP` when it sees that we are
    /// done, and would log an error if that met a closed socket.
    pub(crate) async fn close(&mut self, deadline: Duration) -> Result<(), Error> {
        self.session.finish();
        // When the time is over, `within` has tried to read once more before it looked at the clock: nothing unread is
        // left, at which the kernel would send a reset instead of an orderly end.
        let lingered = within::<T::Runtime, _>(deadline, self.linger()).await;
        lingered.unwrap_or_else(|| Err(Error::Io(io::ErrorKind::TimedOut.into())))
    }

    async fn linger(&mut self) -> Result<(), Error> {
        // whatever fails here, the end of the peer's direction decides
        let _ = self.transmit().await;
        let _ = poll_fn(|cx| self.transport.poll_shutdown(cx)).await;
        while !self.session.is_closed() {
            if self.reads >= READS_AT_ONCE {
                self.reads = 0;
                yield_now().await;
            }
            match poll_fn(|cx| self.poll_drain(cx)).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if HangupSignal::is(&error) => {}
                Err(error) if is_gone(&error) => break,
                Err(error) => return Err(Error::Io(error)),
            }
        }
        self.session.handle_eof();
        while let Ok(Some(_)) = self.session.poll_event() {}
        self.log.end();
        Ok(())
    }

    /// Reads past the session, which would discard the bytes anyway: malformed data is harmless here.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let log = &self.log;
        let read = self.transport.poll_read(cx, |bytes, _| log.read(bytes));
        self.reads = if read.is_ready() { self.reads.saturating_add(1) } else { 0 };
        read
    }
}

/// Returns a number that nobody who shapes a call's data can guess.
///
/// `RandomState` is keyed from the operating system's randomness, another key each time, and SipHash does not betray its
/// key: not even somebody who has seen the numbers of other calls can tell this one.
pub fn nonce() -> u64 {
    RandomState::new().hash_one(())
}

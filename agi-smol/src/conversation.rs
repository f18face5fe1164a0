//! A stream and the session that it carries, driven together.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use agi_proto::{Event, Leniency, Limits, Session};
use async_io::Timer;
use futures_io::{AsyncRead, AsyncWrite};
use futures_lite::future::yield_now;
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};

use crate::Error;
use crate::log::Log;
use crate::race::within;

/// How long to listen for the last words of a peer that takes no more bytes: a connection that was reset
/// gives them at once, another kind of stream might never end.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// After so many reads others have their turn. A socket that always has something to read is never waited
/// for, so that a peer which does not stop could hold up its thread, and the timer that is to end it.
const READS_AT_ONCE: u8 = 16;

/// How much is read at once: an environment and a reply come by one read, as a rule.
const READ: usize = 1024;

/// A stream and its session.
///
/// What it does is the loop of [`agi_proto`]'s contract, cut where the application's calls differ: poll the
/// session until it needs input, take a [`turn`](Self::turn), again. A turn may be dropped at any await: a
/// single `write` or `read` has either happened and is told to the session at once, or it has not happened.
pub(crate) struct Conversation<S> {
    pub(crate) stream: S,
    pub(crate) session: Session,
    pub(crate) log: Log,
    /// What was written may still lie in a buffer of the stream's own.
    unflushed: bool,
    /// The peer takes no more bytes.
    mute: bool,
    /// What broke the transport while something was waited for that cannot fail: the next command tells.
    broken: Option<io::Error>,
    /// Since when nothing has come that the session waits for only so long. It outlives a turn that was dropped:
    /// else calls that are all dropped sooner would put the end of the wait off for ever.
    quiet_since: Option<Instant>,
    /// Reads since others had their turn.
    reads: u8,
    /// Acknowledges what was received at once, where the stream knows such a thing.
    acknowledge: fn(&S),
}

impl<S> Conversation<S> {
    pub(crate) fn new(stream: S, limits: Limits, leniency: Leniency) -> Self {
        Self::over_tcp(stream, limits, leniency, |_| {})
    }

    /// A conversation over TCP. Asterisk writes some things in two pieces, and the second one waits until the
    /// first is acknowledged, which Linux puts off for 40 ms unless told otherwise.
    pub(crate) fn over_tcp(stream: S, limits: Limits, leniency: Leniency, acknowledge: fn(&S)) -> Self {
        let session = Session::with(nonce(), limits, leniency);
        Self {
            stream,
            session,
            log: Log::default(),
            unflushed: false,
            mute: false,
            broken: None,
            quiet_since: None,
            reads: 0,
            acknowledge,
        }
    }

    /// Keeps the failure of a transport for the next command.
    pub(crate) fn put_off(&mut self, error: Error) {
        if let Error::Io(error) = error {
            self.broken = Some(error);
        }
    }

    /// Tells what was put off, once.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        self.broken.take().map_or(Ok(()), |error| Err(Error::Io(error)))
    }

    fn write_failed(&mut self, error: io::Error) -> Result<(), Error> {
        self.unflushed = false;
        self.mute = true;
        if is_gone(&error) {
            // what it sent before it went is still to be read
            return Ok(());
        }
        self.session.handle_eof();
        Err(Error::Io(error))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// Waits for the environment. `false`: the peer closed without a byte.
    pub(crate) async fn open(&mut self) -> Result<bool, Error> {
        let mut came = false;
        loop {
            match self.session.poll_event()? {
                Some(Event::Environment(_)) => came = true,
                Some(Event::Closed) => return Ok(false),
                Some(_) => {}
                // if anything came along behind the environment, it was forged: polling found that
                None if came => return Ok(true),
                None => self.turn().await?,
            }
        }
    }

    /// Writes what there is to write and waits for input.
    ///
    /// In this order, for polling the session queues output too: what waited for the end of a barrier, or a
    /// question of the session's own.
    pub(crate) async fn turn(&mut self) -> Result<(), Error> {
        self.transmit().await?;
        self.receive().await
    }

    async fn transmit(&mut self) -> Result<(), Error> {
        while !self.mute {
            let Some(bytes) = self.session.poll_transmit() else { break };
            match self.stream.write(bytes).await {
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
            match self.stream.flush().await {
                Ok(()) => self.unflushed = false,
                Err(error) => self.write_failed(error)?,
            }
        }
        Ok(())
    }

    /// Waits for input, or for as long as the session wants to wait for it.
    async fn receive(&mut self) -> Result<(), Error> {
        if self.session.expects_more() {
            (self.acknowledge)(&self.stream);
        }
        let patience = if self.mute { Some(LAST_WORDS) } else { self.session.poll_timeout() };
        self.pause().await;
        let mut timer = patience.map(|patience| {
            let since = *self.quiet_since.get_or_insert_with(Instant::now);
            Timer::after(patience.saturating_sub(since.elapsed()))
        });
        let read = poll_fn(|cx| match self.poll_read(cx) {
            Poll::Ready(read) => Poll::Ready(Some(read)),
            Poll::Pending => match &mut timer {
                Some(timer) => Pin::new(timer).poll(cx).map(|_| None),
                None => Poll::Pending,
            },
        });
        let read = read.await;
        self.quiet_since = None;
        let read = match read {
            Some(read) => read,
            None if self.mute => Ok(0),
            None => {
                self.session.handle_timeout();
                return Ok(());
            }
        };
        match read {
            Ok(0) => self.session.handle_eof(),
            Ok(_) => {}
            Err(error) => {
                self.session.handle_eof();
                if !is_gone(&error) {
                    return Err(Error::Io(error));
                }
            }
        }
        Ok(())
    }

    /// Reads once, through space that is there only while it reads: a call that waits, as most do for most of
    /// their time, keeps no buffer.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0; READ];
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut space))?;
        if read > 0 {
            self.log.read(&space[..read]);
            self.session.handle_input(&space[..read]);
        }
        if read == READ {
            self.session.handle_more();
        }
        Poll::Ready(Ok(read))
    }

    /// Lets others have their turn, once in a while.
    async fn pause(&mut self) {
        self.reads += 1;
        if self.reads >= READS_AT_ONCE {
            self.reads = 0;
            yield_now().await;
        }
    }

    /// Waits for the hangup or for the end of the stream.
    pub(crate) async fn hung_up(&mut self) -> Result<(), Error> {
        self.session.abandon();
        while !self.session.is_hung_up() && !self.session.is_closed() {
            match self.session.poll_event()? {
                Some(Event::Hangup) => self.log.hangup(),
                Some(_) => {}
                None => {
                    (self.acknowledge)(&self.stream);
                    self.turn().await?;
                }
            }
        }
        Ok(())
    }

    /// Ends the conversation without cutting Asterisk's last words off: it writes a `HANGUP` when it sees
    /// that we are done, and would log an error if that met a closed socket.
    pub(crate) async fn close(&mut self, deadline: Duration) -> Result<(), Error> {
        self.session.finish();
        // When time is up, `within` has tried to read once more before it looked at the clock: nothing
        // unread is left, at which the kernel would send a reset instead of an orderly end.
        let lingered = within(deadline, self.linger()).await;
        lingered.unwrap_or_else(|| Err(Error::Io(io::ErrorKind::TimedOut.into())))
    }

    async fn linger(&mut self) -> Result<(), Error> {
        // whatever fails here, what the peer still says decides
        let _ = self.transmit().await;
        let _ = self.stream.close().await;
        while !self.session.is_closed() {
            // Not told to the session, which would drop it: so it is no matter whether it can be
            // understood, and the same space is read into again and again.
            self.pause().await;
            match self.stream.read(self.session.read_buf()).await {
                Ok(0) => break,
                Ok(read) => self.log.read(&self.session.read_buf()[..read]),
                Err(error) if is_gone(&error) => break,
                Err(error) => return Err(Error::Io(error)),
            }
        }
        self.session.handle_eof();
        while let Ok(Some(_)) = self.session.poll_event() {}
        self.log.end();
        Ok(())
    }
}

/// Whether an error means that the peer is gone, which is how a conversation ends when Asterisk closes
/// while a command is on its way to it.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

/// A number that nobody who shapes a call's data can guess.
///
/// `RandomState` is keyed from the operating system's randomness, another key each time, and SipHash does
/// not betray its key: not even who has seen the numbers of other calls can tell this one. That saves a
/// dependency on a source of random numbers.
fn nonce() -> u64 {
    RandomState::new().build_hasher().finish()
}

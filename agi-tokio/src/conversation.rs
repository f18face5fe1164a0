//! A stream and the session that it carries, driven together.

use std::fmt;
use std::future::poll_fn;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use agi_proto::{Event, Leniency, Limits, Session};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::Error;
use crate::log::Log;

/// How long to listen for the last words of a peer that takes no more bytes: a connection that was reset
/// gives them at once, another kind of stream might never end.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How much is read at once: an environment and a reply come by one read, as a rule.
const READ: usize = 2048;

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
    /// Acknowledges what was received at once, where the stream knows such a thing.
    acknowledge: fn(&S),
}

impl<S> Conversation<S> {
    pub(crate) fn new(stream: S, limits: Limits, leniency: Leniency) -> Self {
        let session = Session::with(nonce(), limits, leniency);
        Self {
            stream,
            session,
            log: Log::default(),
            unflushed: false,
            mute: false,
            broken: None,
            quiet_since: None,
            acknowledge: |_| {},
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

impl Conversation<TcpStream> {
    /// A conversation over TCP. Asterisk writes some things in two pieces, and the second one waits until the
    /// first is acknowledged, which Linux puts off for 40 ms unless told otherwise.
    pub(crate) fn over_tcp(stream: TcpStream, limits: Limits, leniency: Leniency) -> Self {
        let mut conversation = Self::new(stream, limits, leniency);
        #[cfg(target_os = "linux")]
        {
            // where it fails the answer comes later, and that is all
            conversation.acknowledge = |stream| drop(stream.set_quickack(true));
        }
        conversation
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
        let patience = patience.map(|patience| {
            let since = *self.quiet_since.get_or_insert_with(Instant::now);
            patience.saturating_sub(since.elapsed())
        });
        let read = poll_fn(|cx| self.poll_read(cx));
        let read = match patience {
            None => read.await,
            // boxed, for it is large and rarely needed
            Some(patience) => match Box::pin(timeout(patience, read)).await {
                Ok(read) => read,
                Err(_) if self.mute => Ok(0),
                Err(_) => {
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
            Err(error) if HungUp::is(&error) => self.session.handle_hangup(),
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
        let mut space = [MaybeUninit::uninit(); READ];
        let mut buf = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
        let bytes = buf.filled();
        if !bytes.is_empty() {
            self.log.read(bytes);
            self.session.handle_input(bytes);
        }
        if bytes.len() == READ {
            self.session.handle_more();
        }
        Poll::Ready(Ok(bytes.len()))
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
        // When time is up, `timeout` has tried to read once more before it looked at the clock: nothing
        // unread is left, at which the kernel would send a reset instead of an orderly end.
        timeout(deadline, self.linger())
            .await
            .unwrap_or_else(|_| Err(Error::Io(io::ErrorKind::TimedOut.into())))
    }

    async fn linger(&mut self) -> Result<(), Error> {
        // whatever fails here, what the peer still says decides
        let _ = self.transmit().await;
        let _ = self.stream.shutdown().await;
        while !self.session.is_closed() {
            // Not told to the session, which would drop it: so it is no matter whether it can be
            // understood, and the same space is read into again and again.
            match self.stream.read(self.session.read_buf()).await {
                Ok(0) => break,
                Ok(read) => self.log.read(&self.session.read_buf()[..read]),
                Err(error) if HungUp::is(&error) => {}
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

/// Has the system ask after a peer of which nothing comes, at its own times: one whose machine died says nothing,
/// and its call would never end.
#[cfg(unix)]
pub(crate) fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_keepalive(stream, true)?)
}

/// What a stream fails a read with to say that it was told of a hangup beside its bytes. It goes on being
/// read.
#[derive(Debug)]
pub(crate) struct HungUp;

impl HungUp {
    fn is(error: &io::Error) -> bool {
        matches!(error.get_ref(), Some(inner) if inner.is::<Self>())
    }
}

impl fmt::Display for HungUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the caller hung up")
    }
}

impl std::error::Error for HungUp {}

impl From<HungUp> for io::Error {
    fn from(hung_up: HungUp) -> Self {
        Self::new(io::ErrorKind::Interrupted, hung_up)
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

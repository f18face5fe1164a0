//! The channel: what a handler steers its call with.

mod facts;
mod methods;

use std::time::Duration;

use agi_proto::commands::ChannelStatus;
use agi_proto::{Command, Event, Leniency, Limits};
use futures_io::{AsyncRead, AsyncWrite};

use crate::Error;
use crate::conversation::Conversation;
#[cfg(unix)]
use crate::generic::{acknowledge, keep_alive};
use crate::lease::Lease;
use crate::race::within;
use crate::stream::TcpStream;

/// How long [`Channel::close`] waits for Asterisk to close as well. Asterisk does at once, unless a command
/// runs that was given up.
pub(crate) const LINGER: Duration = Duration::from_secs(5);

/// One call, as Asterisk hands it over: commands go out, replies come back.
///
/// There is a method for each command, and [`call`](Self::call) for commands with options and of one's own.
/// All of them
///
/// * wait for the reply as long as it takes: a `Dial` may last for hours. For a limit let it
///   [race](futures_lite::future::or) with a [`Timer`](async_io::Timer);
/// * **may be dropped at any time**, and the next call still gets its own reply. `STREAM FILE`, `GET DATA`,
///   `GET OPTION` and `WAIT FOR DIGIT` are stopped by the next one, so such a limit is a way to cut a prompt
///   short; [`resync`](Self::resync) stops it at once. Others, such as `SAY DATE`, run to their end, and the next
///   one waits for that;
/// * end with an error for which [`is_hangup`](agi_proto::Error::is_hangup) holds when the call is over,
///   so that `?` ends a handler.
///
/// A handler of a [`Server`](crate::Server) owns its channel; when it has ended, in whichever way, and the channel was
/// dropped, the server ends the conversation properly. Who makes a channel with [`start`](Self::start) ends it with
/// [`close`](Self::close).
///
/// # The stream
///
/// Any that [`futures_io`] has traits for, on any executor: TCP, Unix, TLS, pipes, memory. Its
/// [`poll_close`](AsyncWrite::poll_close) has to end its writing side, for so Asterisk learns that the script
/// is done. `smol::net::TcpStream` does that. **`smol::Async<TcpStream>` and `async_std::net::TcpStream` do
/// not**, they only flush: make a `smol::net::TcpStream` of the one, and an `agi_async_std::Connection` of the
/// other.
pub struct Channel<S = TcpStream> {
    lease: Lease<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    /// Takes a connection from Asterisk, and waits for the environment that it begins with.
    ///
    /// `None` means that the peer closed without a byte: somebody looked whether the port is open. There is
    /// no deadline: set one by a [`Timer`](async_io::Timer) where strangers can connect.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`](agi_proto::Error::Protocol) where what came is no environment,
    /// [`Error::Io`](agi_proto::Error::Io) where the stream failed.
    pub async fn start(stream: S) -> Result<Option<Self>, Error> {
        Self::start_with(stream, Limits::default(), Leniency::default()).await
    }

    /// As [`start`](Self::start), within limits and with leniencies of one's own.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub async fn start_with(stream: S, limits: Limits, leniency: Leniency) -> Result<Option<Self>, Error> {
        Self::open(Conversation::new(stream, limits, leniency)).await
    }

    /// As [`start`](Self::start), over TCP as a [`Server`](crate::Server) has it, where that is what
    /// Asterisk connected to: a command does not wait for the acknowledgement of the one before, and on Linux
    /// a `HANGUP` that Asterisk writes after something else comes without a delay of 40 ms. And on Unix the system
    /// asks after a caller of whom nothing comes (`SO_KEEPALIVE`, at its own times).
    ///
    /// The acknowledgements cost a system call only where something is waited for that Asterisk may hold back.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    #[cfg(unix)]
    pub async fn start_tcp(stream: S) -> Result<Option<Self>, Error>
    where
        S: std::os::fd::AsFd,
    {
        rustix::net::sockopt::set_tcp_nodelay(&stream, true).map_err(|error| Error::Io(error.into()))?;
        keep_alive(&stream).map_err(Error::Io)?;
        let (limits, leniency) = (Limits::default(), Leniency::default());
        Self::open(Conversation::over_tcp(stream, limits, leniency, |stream| acknowledge(stream))).await
    }

    async fn open(conversation: Conversation<S>) -> Result<Option<Self>, Error> {
        let mut conversation = Box::new(conversation);
        let opened = conversation.open().await?;
        Ok(opened.then(|| Self::new(Lease::owned(conversation))))
    }

    /// Sends a command and waits for its reply.
    ///
    /// ```no_run
    /// use agi_smol::agi_proto::commands::StreamFile;
    /// use agi_smol::{Channel, Error, EscapeDigits};
    ///
    /// # async fn example(channel: &mut Channel) -> Result<(), Error> {
    /// let congrats = StreamFile::new("demo-congrats", EscapeDigits::new("#")?);
    /// let half_way = channel.call(congrats.offset(8_000)).await?;
    /// # let _ = half_way;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error`], whose page says for each kind whether one may go on.
    pub async fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
        let conversation = &mut *self.lease;
        conversation.check()?;
        // a call that was dropped left its command behind
        conversation.session.abandon();
        let settled = conversation.session.is_settled();
        let pending = match conversation.session.send(&command) {
            Ok(pending) => pending,
            Err(error) => return Err(conversation.session.refusal(error)),
        };
        conversation.log.command(&command, settled);
        loop {
            match conversation.session.poll_event()? {
                Some(Event::Response(response)) => {
                    conversation.log.reply(&response);
                    return Ok(pending.decode(response)?);
                }
                Some(Event::Hangup) => conversation.log.hangup(),
                Some(Event::Closed) => return Err(conversation.session.end()),
                Some(_) => {}
                None => conversation.turn().await?,
            }
        }
    }

    /// Waits for the caller to hang up, or for Asterisk to close the conversation: beside something else that
    /// the handler waits for. It may be dropped and called again; nothing is lost.
    ///
    /// ```no_run
    /// # async fn look_up() -> String { String::new() }
    /// # async fn example(channel: &mut agi_smol::Channel) -> Result<(), agi_smol::Error> {
    /// use smol::future::or;
    ///
    /// let balance = async { Some(look_up().await) };
    /// let hung_up = async {
    ///     channel.hung_up().await;
    ///     None
    /// };
    /// let Some(balance) = or(balance, hung_up).await else { return Ok(()) };
    /// channel.set_variable("BALANCE", balance).await
    /// # }
    /// ```
    ///
    /// Where the dialplan has set `AGISIGHUP=no`, Asterisk does not tell: then only the next command that needs a
    /// live channel finds out. A broken protocol or transport ends the wait too, and the next command says what it was.
    pub async fn hung_up(&mut self) {
        if let Err(error) = self.lease.hung_up().await {
            // perhaps no command follows that would tell
            tracing::warn!(%error, "the wait for the hangup ended otherwise");
            self.lease.put_off(error);
        }
    }

    /// Waits as [`hung_up`](Self::hung_up) does, also where the dialplan has set `AGISIGHUP=no` and Asterisk
    /// does not tell: asks once in each `interval` with a `CHANNEL STATUS`, which a dead channel answers with 511.
    ///
    /// That costs a round trip each time, and two of Asterisk's manager events; an interval of some seconds
    /// is right. It may be dropped and called again; nothing is lost.
    pub async fn hung_up_polling(&mut self, interval: Duration) {
        while within(interval, self.hung_up()).await.is_none() {
            if let Err(error) = self.call(ChannelStatus::new()).await {
                match error.is_hangup() {
                    true => tracing::debug!(%error, "the channel is gone"),
                    false => tracing::warn!(%error, "the wait for the hangup ended otherwise"),
                }
                self.lease.put_off(error);
                return;
            }
        }
    }

    /// Pairs replies again now, rather than with the next command: stops what a dropped call left running,
    /// where Asterisk can stop it, and waits until nothing is owed.
    ///
    /// Where no call was dropped, this proves that nothing but replies is on the way.
    ///
    /// # Errors
    ///
    /// [`Error`], but for the kinds that blame a command.
    pub async fn resync(&mut self) -> Result<(), Error> {
        let conversation = &mut *self.lease;
        conversation.check()?;
        conversation.session.abandon();
        if let Err(error) = conversation.session.resync() {
            return Err(conversation.session.refusal(error));
        }
        loop {
            match conversation.session.poll_event()? {
                Some(Event::Closed) => return Err(conversation.session.end()),
                Some(Event::Hangup) => {
                    conversation.log.hangup();
                    continue;
                }
                Some(_) => continue,
                None => {}
            }
            if conversation.session.is_settled() {
                return Ok(());
            }
            conversation.turn().await?;
        }
    }

    /// Ends the conversation, and the dialplan goes on. Waits up to 5 seconds for Asterisk to close too: who
    /// just drops the stream makes Asterisk log a write error.
    ///
    /// A server does this when its handler has ended. A handler that has more to do then calls this before, so that
    /// the call need not wait for it; but then the dialplan is not told how it went, and the status variable stays as
    /// it was.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](agi_proto::Error::Io), with the kind `TimedOut` where Asterisk did not close in time.
    /// The stream is closed all the same.
    pub async fn close(self) -> Result<(), Error> {
        self.close_within(LINGER).await
    }

    /// As [`close`](Self::close), with a deadline of one's own.
    ///
    /// # Errors
    ///
    /// As for [`close`](Self::close).
    pub async fn close_within(mut self, deadline: Duration) -> Result<(), Error> {
        self.lease.close(deadline).await
    }
}

impl<S> Channel<S> {
    pub(crate) fn new(lease: Lease<S>) -> Self {
        Self { lease }
    }
}

//! Channels over streams of your own.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::time::Duration;

use agi_proto::{Leniency, Limits};

use crate::driver::conversation::Conversation;
use crate::driver::lease::Lease;
use crate::driver::race::{Won, race, within};
use crate::runtime::{Carries, CarriesTcp};
use crate::{BoxError, CallOutcome, Channel, Error, Handler, LINGER, Runtime, Transport};

/// Makes a [`Channel`] of a stream that Asterisk speaks on, without a server.
///
/// ```no_run
/// use agi_tokio::{ChannelBuilder, Error, Leniency};
///
/// # async fn example(stream: tokio::net::UnixStream) -> Result<(), Error> {
/// let channel = ChannelBuilder::new().leniency(Leniency::ALL).start(stream).await?;
/// let Some(mut channel) = channel else { return Ok(()) };
/// channel.answer().await?;
/// channel.close().await
/// # }
/// ```
#[derive(Debug)]
pub struct ChannelBuilder<R> {
    limits: Limits,
    leniency: Leniency,
    environment_timeout: Option<Duration>,
    runtime: std::marker::PhantomData<fn() -> R>,
}

impl<R: Runtime> ChannelBuilder<R> {
    /// Returns a builder with the default limits, no leniency and no deadline.
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            leniency: Leniency::default(),
            environment_timeout: None,
            runtime: std::marker::PhantomData,
        }
    }

    /// Limits how many of the peer's bytes the channel keeps.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets deviations of a peer that is not Asterisk pass.
    pub fn leniency(mut self, leniency: Leniency) -> Self {
        self.leniency = leniency;
        self
    }

    /// Limits the time until the whole environment has come. There is no limit by default: set one if strangers can
    /// connect.
    pub fn environment_timeout(mut self, timeout: Duration) -> Self {
        self.environment_timeout = Some(timeout);
        self
    }

    /// Waits for the environment, with which every call begins.
    ///
    /// `None` means that the peer closed without a byte, for example because it only looked whether the port is open.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`](agi_proto::Error::Protocol) for bytes that are not an environment,
    /// [`Error::Io`](agi_proto::Error::Io) if the stream failed, with the kind `TimedOut` after the
    /// [deadline](Self::environment_timeout).
    pub async fn start<S>(self, stream: S) -> Result<Option<Channel<R::Transport>>, Error>
    where
        R: Carries<S>,
    {
        self.open(R::carry(stream)).await
    }

    /// Waits for the environment on a TCP connection, whose options it sets as a [`Server`](crate::Server) does: a command
    /// does not wait for the acknowledgement of the one before, a `HANGUP` that Asterisk writes after something else comes
    /// without a delay of 40 ms (on Linux), and the system asks after a peer that is silent (`SO_KEEPALIVE`, at its own
    /// intervals).
    ///
    /// The acknowledgements cost a system call only while something is awaited that Asterisk may hold back.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub async fn start_tcp<S>(self, stream: S) -> Result<Option<Channel<R::Transport>>, Error>
    where
        R: CarriesTcp<S>,
    {
        self.open(R::carry_tcp(stream).map_err(Error::Io)?).await
    }

    /// Takes one call without a server: waits for the environment, runs the handler, and ends the conversation as soon as
    /// the channel is dropped, though the handler may go on.
    ///
    /// It is not an error if the peer closes without a byte, nor if the handler's error only says that the call is over
    /// (see [`is_hangup`](agi_proto::Error::is_hangup)).
    ///
    /// # Errors
    ///
    /// Those of the handler, and those of [`start`](Self::start).
    pub async fn run<S, A>(
        self,
        stream: S,
        handler: impl Handler<Channel<R::Transport>, A>,
    ) -> Result<(), BoxError>
    where
        R: Carries<S>,
    {
        let Some(conversation) = self.converse(R::carry(stream)).await? else { return Ok(()) };
        let (lease, returned) = Lease::lent(conversation);
        let channel = Channel::new(lease);
        let request = channel.request();
        // The handler may go on without its channel, and wait for something that comes of the end, such as the end of the
        // audio. The conversation stays until the handler has ended, because dropping its stream may have an effect.
        let mut closing = pin!(async {
            let Ok(mut conversation) = returned.await else {
                // the handler took the stream for itself
                return (None, Ok(()));
            };
            let closed = conversation.close(LINGER).await;
            // lingering gives up before this if the peer does not take the rest of a command
            let _ = poll_fn(|cx| conversation.transport.poll_shutdown(cx)).await;
            (Some(conversation), closed)
        });
        let (outcome, ended) = {
            let mut handling = pin!(handler.handle(channel, request));
            match race(handling.as_mut(), closing.as_mut()).await {
                Won::First(outcome) => (outcome, None),
                Won::Second(ended) => (handling.await, Some(ended)),
            }
        };
        let (_conversation, closed) = match ended {
            Some(ended) => ended,
            None => closing.await,
        };
        match outcome.map_err(Into::into) {
            Err(error) if CallOutcome::of::<io::Error>(&*error) != CallOutcome::Hangup => Err(error),
            _ => Ok(closed?),
        }
    }

    async fn open<T: Transport>(self, transport: T) -> Result<Option<Channel<T>>, Error> {
        let conversation = self.converse(transport).await?;
        Ok(conversation.map(|conversation| Channel::new(Lease::owned(conversation))))
    }

    async fn converse<T: Transport>(self, transport: T) -> Result<Option<Box<Conversation<T>>>, Error> {
        let mut conversation = Box::new(Conversation::new(transport, self.limits, self.leniency));
        let opened = match self.environment_timeout {
            None => conversation.open().await?,
            Some(limit) => within::<T::Runtime, _>(limit, conversation.open())
                .await
                .unwrap_or_else(|| Err(Error::Io(ErrorKind::TimedOut.into())))?,
        };
        Ok(opened.then_some(conversation))
    }
}

impl<R: Runtime> Default for ChannelBuilder<R> {
    fn default() -> Self {
        Self::new()
    }
}

//! The channel: the handle by which a handler steers its call.

mod facts;
mod methods;

use std::time::Duration;

use agi_proto::commands::ChannelStatus;
use agi_proto::{Command, EncodeError, Event, Rejection};

use crate::driver::lease::Lease;
use crate::driver::race::within;
use crate::log::TARGET;
use crate::runtime::yield_now;
use crate::{Error, Transport};

/// The time that [`Channel::close`] waits for Asterisk to close, too. Asterisk does at once, unless a command that was
/// given up still runs.
pub const LINGER: Duration = Duration::from_secs(5);

/// One call, as Asterisk hands it over: commands go out, replies come back.
///
/// There is a method for each command, and [`call`](Self::call) for commands with options and for your own. All of them
///
/// * wait for the reply as long as it takes: a `Dial` may last for hours. For a limit, put a time-out of your runtime
///   around them;
/// * **may be dropped at any time**, and the next call still gets its own reply. `STREAM FILE`, `GET DATA`,
///   `GET OPTION` and `WAIT FOR DIGIT` are stopped by the next command, so a time-out around `stream_file` cuts the
///   prompt short; [`resync`](Self::resync) stops it at once. Others, such as `SAY DATE`, run to their end, and the next
///   command waits for that;
/// * end with an error for which [`is_hangup`](agi_proto::Error::is_hangup) holds when the call is over, so that `?` ends
///   a handler.
///
/// A handler of a [`Server`](crate::Server) owns its channel; after it has ended, in whichever way, and the channel was
/// dropped, the server ends the conversation properly. If you make a channel with a
/// [`ChannelBuilder`](crate::ChannelBuilder), end it with [`close`](Self::close).
pub struct Channel<T> {
    lease: Lease<T>,
}

impl<T: Transport> Channel<T> {
    /// Sends a command and waits for its reply.
    ///
    /// ```no_run
    /// use agi_tokio::agi_proto::commands::StreamFile;
    /// use agi_tokio::{Channel, Error, EscapeDigits};
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
    /// [`Error`], whose page says for each kind whether one may go on. An error that needed no I/O lets the other tasks
    /// of the thread run first, so that a loop that retries does not starve them.
    pub async fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
        let conversation = &mut *self.lease;
        let pending = {
            // a call that was dropped left its command behind
            conversation.session.abandon();
            let is_synced = conversation.session.is_synced();
            match conversation.check().and_then(|()| send(&mut conversation.session, &command)) {
                Ok(pending) => {
                    conversation.log.command(&command, is_synced);
                    pending
                }
                Err(error) => {
                    yield_now().await;
                    return Err(error);
                }
            }
        };
        loop {
            match conversation.session.poll_event()? {
                Some(Event::Response(response)) => {
                    conversation.log.reply(&response);
                    return Ok(pending.decode(response)?);
                }
                Some(Event::Hangup) => conversation.log.hangup(),
                Some(Event::Closed) => return Err(conversation.session.close_error()),
                Some(_) => {}
                None => conversation.turn().await?,
            }
        }
    }

    /// Waits for the caller to hang up, or for Asterisk to close the conversation: beside something else that the handler
    /// waits for. It may be dropped and called again; nothing is lost.
    ///
    /// ```no_run
    /// # async fn look_up() -> String { String::new() }
    /// # async fn example(channel: &mut agi_tokio::Channel) -> Result<(), agi_tokio::Error> {
    /// let balance = tokio::select! {
    ///     balance = look_up() => balance,
    ///     () = channel.wait_for_hangup() => return Ok(()),
    /// };
    /// channel.set_variable("BALANCE", balance).await
    /// # }
    /// ```
    ///
    /// If the dialplan has set `AGISIGHUP=no`, Asterisk does not report the hangup: then only the next command that needs
    /// a live channel finds out, and so does [`wait_for_hangup_polling`](Self::wait_for_hangup_polling). After `Dial` with
    /// the option `g` the caller may still be there though the other side has hung up: that is not a hangup of this
    /// channel.
    ///
    /// A broken protocol or transport ends the wait, too, and the next command reports it.
    pub async fn wait_for_hangup(&mut self) {
        if self.is_hung_up() || self.is_closed() {
            yield_now().await;
            return;
        }
        if let Err(error) = self.lease.wait_for_hangup().await {
            // perhaps no command follows that would report it
            tracing::warn!(target: TARGET, %error, "waiting for the hangup failed");
            self.lease.put_off(error);
            yield_now().await;
        }
    }

    /// Waits as [`wait_for_hangup`](Self::wait_for_hangup) does, also if the dialplan has set `AGISIGHUP=no` and Asterisk
    /// does not report the hangup: asks once in each `interval` whether the channel [is alive](Self::is_alive).
    ///
    /// That costs a round trip each time, and two of Asterisk's manager events; an interval of some seconds is right. It
    /// may be dropped and called again; nothing is lost.
    pub async fn wait_for_hangup_polling(&mut self, interval: Duration) {
        while within::<T::Runtime, _>(interval, self.wait_for_hangup()).await.is_none() {
            match self.is_alive().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(target: TARGET, %error, "waiting for the hangup failed");
                    self.lease.put_off(error);
                    return;
                }
            }
        }
    }

    /// Asks Asterisk whether the channel is still alive, by a `CHANNEL STATUS`. It is in an interception routine, too.
    ///
    /// [`is_hung_up`](Self::is_hung_up) returns what is known already. It does not know of a hangup that Asterisk has not
    /// reported: one during `EXEC`, whose reply comes before the `HANGUP`, and any at all if the dialplan has set
    /// `AGISIGHUP=no`. So ask after `EXEC Dial`, for example.
    ///
    /// # Errors
    ///
    /// [`Error`], except for the kinds for which [`is_hangup`](agi_proto::Error::is_hangup) holds: those are `Ok(false)`.
    pub async fn is_alive(&mut self) -> Result<bool, Error> {
        match self.call(ChannelStatus::new()).await {
            Ok(_) => Ok(!self.is_hung_up()),
            // an interception routine
            Err(Error::Rejected(Rejection::DeadChannel { hung_up: false, .. })) => Ok(true),
            Err(error) if error.is_hangup() => {
                tracing::debug!(target: TARGET, %error, "the channel is not alive any more");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Pairs replies again now, instead of with the next command: stops the command that a dropped call left running, if
    /// Asterisk can stop it, and waits until no reply is owed.
    ///
    /// If no call was dropped, this proves that nothing but replies is on the way.
    ///
    /// # Errors
    ///
    /// [`Error`], except for the kinds that blame a command.
    pub async fn resync(&mut self) -> Result<(), Error> {
        let conversation = &mut *self.lease;
        conversation.session.abandon();
        let begun = match conversation.check() {
            Ok(()) => conversation.session.resync().map_err(|error| conversation.session.send_error(error)),
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            yield_now().await;
            return Err(error);
        }
        loop {
            match conversation.session.poll_event()? {
                Some(Event::Closed) => return Err(conversation.session.close_error()),
                Some(Event::Hangup) => {
                    conversation.log.hangup();
                    continue;
                }
                Some(_) => continue,
                None => {}
            }
            if conversation.session.is_synced() {
                return Ok(());
            }
            conversation.turn().await?;
        }
    }

    /// Ends the conversation, and the dialplan goes on. Waits up to 5 seconds for Asterisk to close, too; dropping the
    /// stream instead makes Asterisk log a write error.
    ///
    /// A server does this when its handler has ended. A handler that has more to do then calls this before, so that the
    /// call need not wait for it; but then the dialplan is not told how it went, and the status variable stays as it was.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](agi_proto::Error::Io), with the kind `TimedOut` if Asterisk did not close in time. The stream is
    /// closed all the same.
    pub async fn close(self) -> Result<(), Error> {
        self.close_within(LINGER).await
    }

    /// Ends the conversation as [`close`](Self::close) does, with your own deadline.
    ///
    /// # Errors
    ///
    /// As for [`close`](Self::close).
    pub async fn close_within(mut self, deadline: Duration) -> Result<(), Error> {
        self.lease.close(deadline).await
    }
}

/// Queues a command; a refusal after the end becomes the reason of the end.
fn send<C: Command>(
    session: &mut agi_proto::Session,
    command: &C,
) -> Result<agi_proto::Pending<C::Reply>, Error> {
    session.send(command).map_err(|error: EncodeError| session.send_error(error))
}

impl<T> Channel<T> {
    pub(crate) fn new(lease: Lease<T>) -> Self {
        Self { lease }
    }
}

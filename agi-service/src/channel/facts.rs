//! The call's facts, and the stream.

use std::fmt;

use agi_proto::{Environment, Request};

use super::Channel;
use crate::Transport;

/// The facts that are known without asking Asterisk.
impl<T: Transport> Channel<T> {
    /// What Asterisk told about the call when it handed it over.
    ///
    /// It is borrowed from the channel, so what a command is to be given of it is copied first. Its values are bytes;
    /// where a method takes text, its command takes those as they are:
    ///
    /// ```no_run
    /// use agi_tokio::agi_proto::commands::DatabaseGet;
    ///
    /// # async fn example(channel: &mut agi_tokio::Channel) -> Result<(), agi_tokio::Error> {
    /// let number = channel.environment().caller_id().unwrap_or_default().to_owned();
    /// let name = channel.call(DatabaseGet::new("cidname", &number)).await?;
    /// # let _ = name;
    /// # Ok(())
    /// # }
    /// ```
    pub fn environment(&self) -> &Environment {
        self.lease.session.environment().expect("a channel begins with its environment")
    }

    /// What the dialplan asked for: the path, query and arguments of its `AGI()`. A handler that also takes a
    /// [`Request`] gets it with what a [`Router`](crate::Router) captured.
    pub fn request(&self) -> Request {
        Request::new(self.environment())
    }

    /// Whether the channel is known to be hung up. Commands that run on a dead channel still work then
    /// (variables, the database, `EXEC`, `VERBOSE`); all others are rejected.
    pub fn is_hung_up(&self) -> bool {
        self.lease.session.is_hung_up()
    }

    /// Returns whether the channel seems to have been hung up before the call began, as it is in the extension `h` and in
    /// a hangup handler: no hangup was reported, and no command ran that needs a live channel. A server reports such a
    /// call as [`CallOutcome::Refused`](crate::CallOutcome::Refused). See [`Session::began_dead`](agi_proto::Session::began_dead).
    pub fn began_dead(&self) -> bool {
        self.lease.session.began_dead()
    }

    /// Whether Asterisk is known to have closed the conversation: no command works any more.
    pub fn is_closed(&self) -> bool {
        self.lease.session.is_closed()
    }

    /// Whether the log may show the values that are set in variables and in the database, and what the
    /// caller enters. Those may be PINs, and are hidden unless told otherwise.
    pub fn reveal_values(&mut self, reveal: bool) {
        self.lease.log.redactor.reveal(reveal);
    }

    /// Returns the stream, for its addresses and options. Reading from it or writing to it breaks the conversation.
    pub fn get_ref(&self) -> &T::Stream {
        self.lease.transport.stream()
    }

    /// Returns the stream. See [`get_ref`](Self::get_ref).
    pub fn get_mut(&mut self) -> &mut T::Stream {
        self.lease.transport.stream_mut()
    }

    /// Returns the stream; bytes that were read of it and not used are lost. A server that lent it does not close it.
    pub fn into_inner(self) -> T::Stream {
        self.lease.keep().transport.into_stream()
    }
}

impl<T: Transport> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("channel", &self.environment().channel())
            .field("unique_id", &self.environment().unique_id())
            .field("hung_up", &self.is_hung_up())
            .finish_non_exhaustive()
    }
}

//! FastAGI: a thread for each call, up to a limit.

mod accept;
mod calls;
mod run;

use std::error::Error as StdError;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use agi_proto::{Leniency, Limits};

use self::calls::Calls;
pub use self::calls::Shutdown;
use self::run::Options;
use crate::Channel;
use crate::channel::LINGER;

/// AGI's own port, which Asterisk takes where the URL names none.
const PORT: u16 = 4573;
/// Pauses after a failed accept, each twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A FastAGI server: it accepts Asterisk's connections and runs a handler for each call, on a thread of its
/// own.
///
/// ```no_run
/// use agi_blocking::{Channel, Error, Server};
///
/// fn hello(channel: &mut Channel) -> Result<(), Error> {
///     channel.answer()?;
///     channel.stream_file("hello-world", "")?;
///     Ok(())
/// }
///
/// Server::bind_default()?.serve(hello)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// * **At most so many calls at once** ([`max_calls`](Self::max_calls)). A caller beyond that waits in the
///   kernel's queue until another call ends; Asterisk gives up after two seconds for which it was not even
///   queued.
/// * **A handler's panic** ends its own call only.
/// * **A handler's error** is logged, unless it is an [`Error`](crate::Error), or was caused by one, for which
///   [`is_hangup`](agi_proto::Error::is_hangup) holds: then the caller hung up and all is well. Errors that
///   hide their cause (`#[error(transparent)]`, `anyhow::Error` without a context) are logged always.
/// * **Every call ends with [`Channel::close`]**, whatever became of its handler.
/// * **A peer that does not send its environment** within the
///   [time for it](Self::environment_deadline) is let go; one that connects and closes is not even logged.
/// * **[`Shutdown`]** ends the server and lets calls come to their end.
///
/// What it has to say goes to [`tracing`], in a span `call` with the call's channel and unique id.
///
/// AGI has no authentication: whoever can connect can pose as Asterisk. Bind an address that only Asterisk
/// reaches.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    calls: Arc<Calls>,
    max_calls: usize,
    drain: Duration,
    options: Options,
}

impl Server {
    /// Listens on an address.
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::bind`].
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::from_listener(TcpListener::bind(address)?)
    }

    /// Takes connections from a listener that is there already, such as one of systemd's. Makes it
    /// non-blocking.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn from_listener(listener: TcpListener) -> io::Result<Self> {
        // poll(2) may announce a connection that is gone by the time of the accept
        listener.set_nonblocking(true)?;
        let options = Options {
            limits: Limits::default(),
            leniency: Leniency::default(),
            environment_deadline: Duration::from_secs(30),
            linger: LINGER,
        };
        let calls = Arc::new(Calls::new()?);
        Ok(Self { listener, calls, max_calls: 256, drain: Duration::from_secs(30), options })
    }

    /// Listens on 127.0.0.1, AGI's port 4573: for an Asterisk on this machine.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_default() -> io::Result<Self> {
        Self::bind((Ipv4Addr::LOCALHOST, PORT))
    }

    /// How many calls run at once: 256 unless told otherwise, and at least one. Each takes a thread and two file
    /// descriptors.
    pub fn max_calls(mut self, max_calls: usize) -> Self {
        self.max_calls = max_calls.max(1);
        self
    }

    /// How long a peer may take for its whole environment: 30 seconds unless told otherwise.
    pub fn environment_deadline(mut self, deadline: Duration) -> Self {
        self.options.environment_deadline = deadline;
        self
    }

    /// How long calls may go on after [`Shutdown::shutdown`]: 30 seconds unless told otherwise.
    pub fn drain(mut self, deadline: Duration) -> Self {
        self.drain = deadline;
        self
    }

    /// How long a call that ends waits for Asterisk to close: 5 seconds unless told otherwise. See
    /// [`Channel::close`].
    pub fn linger(mut self, deadline: Duration) -> Self {
        self.options.linger = deadline;
        self
    }

    /// How much of a peer's bytes a call keeps.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Which oddities of a peer that is no Asterisk are let pass.
    pub fn leniency(mut self, leniency: Leniency) -> Self {
        self.options.leniency = leniency;
        self
    }

    /// The address that it listens on.
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What ends this server, from any thread.
    pub fn shutdown_handle(&self) -> Shutdown {
        Shutdown::new(&self.calls)
    }

    /// Serves calls until [`Shutdown::shutdown`], then lets those that run come to their end.
    ///
    /// A failed accept is logged and survived: after a pause it goes on.
    ///
    /// # Errors
    ///
    /// None so far but that poll(2) fails, which it does only for want of memory.
    pub fn serve<H, E>(self, handler: H) -> io::Result<()>
    where
        H: Fn(&mut Channel) -> Result<(), E> + Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let handler = Arc::new(handler);
        let mut pause = FIRST_PAUSE;
        while self.calls.wait_for_room(self.max_calls) {
            let begun = match self.accept() {
                Ok(Some(stream)) => self.begin(stream, &handler),
                Ok(None) => continue,
                Err(error) => Err(error),
            };
            match begun {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    tracing::error!(%error, "no call could be accepted");
                    self.calls.pause(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        // from here on nobody waits in the queue of a server that will not come
        drop(self.listener);
        self.calls.end(self.drain, self.options.linger);
        Ok(())
    }
}

//! FastAGI: a thread for each call, up to a limit.

mod accept;
mod calls;
mod handed;
mod run;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use agi_service::{Counters, Options, panics, tcp};

use self::calls::Registry;
pub use self::calls::Shutdown;
pub use self::handed::Calls;
use crate::{BoxHandler, Handler};
use agi_service::log::TARGET;

/// How many calls run at once, unless a server is told otherwise.
const MAX_CALLS: usize = 256;
/// How many connections are still taken from the queue in the end: as many as Linux keeps there, unless told otherwise.
const LAST: usize = if cfg!(test) { 8 } else { 4096 };
/// Pauses after a failed accept, each twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
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
/// Server::bind_local()?.serve(hello)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// * **A connection** must come from a network that is [allowed](Self::allow), and send its environment
///   [in time](Self::environment_timeout). One that is closed without a byte is no
///   fault: it is counted as a [`Probe`](crate::CallOutcome::Probe).
/// * **A call** must be [admitted](Self::admit), and find fewer than [as many](Self::max_calls) others; else it
///   is [refused or waits](Self::when_full) in the kernel's queue. Asterisk gives up after two seconds in
///   which there was no room in that queue either.
/// * **When the handler has returned**, failed or panicked, the dialplan is told
///   [how it went](Self::status_variable), and the call ends with [`Channel::close`](crate::Channel::close).
///   The other calls do not notice.
/// * **A PBX that died** without ending its connections is noticed by TCP's keep-alive probes, after the system's own
///   times: two hours, as a rule. They never end a call whose PBX answers them.
/// * **A handler's error** is logged, unless it is an [`Error`](crate::Error), or was caused by one, for which
///   [`is_hangup`](agi_proto::Error::is_hangup) holds: then the caller hung up and all is well.
/// * **[Counters](Self::counters)** say at any time how many there are.
/// * **[`Shutdown`]** ends the server and lets calls come to their end.
///
/// What it has to say goes to [`tracing`], in a span `call` with the call's channel, unique id and script: at
/// the level of debugging also each command, its reply and how long that took, and with the target
/// `agi::wire` at the level of traces the bytes.
///
/// AGI has no authentication: whoever can connect can pose as Asterisk. Bind an address that only Asterisk
/// reaches.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    calls: Arc<Registry>,
    options: Options,
}

/// Options. A call takes a thread and two file descriptors.
impl Server {
    agi_service::server_options!(self => self.options);
}

impl Server {
    /// Listens on an address, with the longest queue that the system allows.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::from_listener(tcp::listen(address)?)
    }

    /// Takes connections from a listener that is there already, such as one of systemd's. Makes it
    /// non-blocking. How many may wait in its queue is for whoever made it to say.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn from_listener(listener: TcpListener) -> io::Result<Self> {
        // poll(2) may announce a connection that is gone by the time of the accept
        listener.set_nonblocking(true)?;
        let mut options = Options::default();
        options.max_calls = MAX_CALLS;
        Ok(Self { listener, calls: Arc::new(Registry::new()?), options })
    }

    /// Listens on 127.0.0.1, AGI's port 4573: for an Asterisk on this machine.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_local() -> io::Result<Self> {
        Self::bind((Ipv4Addr::LOCALHOST, tcp::PORT))
    }

    /// How many connections were accepted and refused, are active, and ended in which way: to be kept, and
    /// read at any time.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.calls.counters)
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
    pub fn serve<A: 'static>(self, handler: impl Handler<A>) -> io::Result<()> {
        panics::note_places();
        let (handler, options) = (BoxHandler::new(handler), Arc::new(self.options.clone()));
        let mut pause = FIRST_PAUSE;
        // those that come while the server stops may come as fast as they are taken
        let mut last = LAST;
        while self.calls.wait_for_room() {
            if self.calls.is_stopping() {
                match last.checked_sub(1) {
                    Some(left) => last = left,
                    None => break,
                }
            }
            let begun = match self.accept() {
                Ok(Some((stream, peer))) => self.begin(stream, peer, &options, &handler),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            match begun {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    let evicted = self.calls.evict_oldest();
                    tracing::warn!(target: TARGET, %error, ?pause, evicted, "accept: no connection can be taken");
                    if self.calls.pause(pause) {
                        break;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        // from here on nobody waits in the queue of a server that will not come
        drop(self.listener);
        self.calls.end(options.shutdown_timeout, options.linger);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;
    use crate::Channel;

    #[test]
    fn not_all_that_wait_in_the_queue_are_taken_before_the_end() {
        // nobody may connect, so that none of them is a call
        let allowed = "192.0.2.0/24".parse().expect("a network");
        let server = Server::bind("127.0.0.1:0").expect("a free port").allow(allowed);
        let (address, counters) = (server.local_addr().expect("bound"), server.counters());
        server.shutdown_handle().shutdown();
        let queued =
            [(); LAST + 1].map(|()| TcpStream::connect(address).expect("there is room in the queue"));
        server.serve(Channel::noop).expect("no error");
        assert_eq!(counters.counts().accepted(), LAST);
        drop(queued);
    }
}

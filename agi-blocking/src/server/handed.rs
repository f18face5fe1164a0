//! Calls on streams that no listener of ours accepted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use agi_service::log::TARGET;
use agi_service::{Counters, Options, panics};

use super::calls::Registry;
use super::run::Call;
use super::{MAX_CALLS, Shutdown};
use crate::{BoxHandler, Handler, Stream};

/// Serves streams that Asterisk speaks on as a [`Server`](crate::Server) serves connections, from wherever they come: a
/// listener of your own, a Unix socket, TLS, memory.
///
/// ```no_run
/// use std::os::unix::net::{UnixListener, UnixStream};
/// use std::sync::Arc;
/// use std::thread;
///
/// use agi_blocking::{Calls, Channel, Error, Options};
///
/// fn hello(channel: &mut Channel<UnixStream>) -> Result<(), Error> {
///     channel.stream_file("hello-world", "").map(drop)
/// }
///
/// fn serve(listener: UnixListener) -> std::io::Result<()> {
///     let calls = Arc::new(Calls::new(Options::default(), hello)?);
///     for stream in listener.incoming() {
///         let (calls, stream) = (Arc::clone(&calls), stream?);
///         thread::spawn(move || calls.serve(stream, ([127, 0, 0, 1], 0).into()));
///     }
///     Ok(())
/// }
/// # let _ = serve;
/// ```
#[derive(Debug)]
pub struct Calls<S> {
    calls: Arc<Registry>,
    options: Arc<Options>,
    handler: BoxHandler<S>,
}

impl<S: Stream + 'static> Calls<S> {
    /// Makes ready to serve calls by a handler: 256 at once, unless the options limit them to fewer.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    pub fn new<A: 'static>(options: Options, handler: impl Handler<A, S>) -> io::Result<Self> {
        panics::note_places();
        let max_calls = options.max_calls.min(MAX_CALLS);
        let options = Arc::new(options.max_calls(max_calls));
        Ok(Self { calls: Arc::new(Registry::new()?), options, handler: BoxHandler::new(handler) })
    }

    /// Returns the counters: how many streams were accepted and refused, are active, and ended in which way.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.calls.counters)
    }

    /// Returns the handle by which to shut down; [`wait`](Self::wait) for the calls to end then.
    pub fn shutdown_handle(&self) -> Shutdown {
        Shutdown::new(&self.calls)
    }

    /// Serves one stream on this thread, from its environment to its end, as the options say.
    ///
    /// The peer's address is for the admission, the log and the list of allowed networks.
    pub fn serve(&self, stream: S, peer: SocketAddr) {
        self.calls.counters.accept();
        if !self.options.allows(peer.ip()) {
            self.calls.counters.refuse();
            tracing::warn!(target: TARGET, %peer, "connection: this peer may not connect");
            return;
        }
        let guard = self.calls.enter(None);
        let call = Call { peer, options: Arc::clone(&self.options), cut: Arc::clone(&self.calls.cut) };
        let outcome = call.run(stream, &guard, &self.handler);
        guard.leave(outcome);
    }

    /// Waits until all calls have ended: for as long as [`shutdown_timeout`](Options::shutdown_timeout) says of their own
    /// accord, then their conversations are closed as soon as the handler or Asterisk does something.
    pub fn wait(&self) {
        self.calls.end(self.options.shutdown_timeout, self.options.linger);
    }
}

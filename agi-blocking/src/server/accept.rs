//! Connections, and the threads that take them.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;

use agi_service::{Options, tcp};
use rustix::event::{PollFd, PollFlags, poll};

use super::Server;
use super::run::Call;
use crate::BoxHandler;
use agi_service::log::TARGET;

impl Server {
    /// Waits for a connection; `None` when the server is to stop, and nobody is left in the queue.
    pub(super) fn accept(&self) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        let wake = self.calls.wake();
        loop {
            let mut both = [
                PollFd::new(&self.listener, PollFlags::IN),
                PollFd::from_borrowed_fd(wake.as_fd(), PollFlags::IN),
            ];
            match poll(&mut both, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let [queued, stopping] = both.map(|one| !one.revents().is_empty());
            // the queue comes first, for what is in it would be reset when the listener is closed
            if stopping && !queued {
                return Ok(None);
            }
            match self.listener.accept() {
                Ok(accepted) => return Ok(Some(accepted)),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => return Err(error),
                },
            }
        }
    }

    pub(super) fn begin(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        options: &Arc<Options>,
        handler: &BoxHandler,
    ) -> io::Result<()> {
        self.calls.counters.accept();
        let begun = self.spawn(stream, peer, options, handler);
        if begun.is_err() {
            self.calls.counters.refuse();
        }
        begun
    }

    fn spawn(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        options: &Arc<Options>,
        handler: &BoxHandler,
    ) -> io::Result<()> {
        if !options.allows(peer.ip()) {
            self.calls.counters.refuse();
            tracing::warn!(target: TARGET, %peer, "connection: this peer may not connect");
            return Ok(());
        }
        // some systems hand the listener's mode down
        stream.set_nonblocking(false)?;
        tcp::prepare(&stream)?;
        let guard = self.calls.enter(Some(stream.try_clone()?));
        let call = Call { peer, options: Arc::clone(options), cut: Arc::clone(&self.calls.cut) };
        let handler = handler.clone();
        thread::Builder::new().name("agi-call".into()).spawn(move || {
            let outcome = call.run(stream, &guard, &handler);
            guard.leave(outcome);
        })?;
        Ok(())
    }
}

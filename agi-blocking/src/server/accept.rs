//! Connections, and the threads that take them.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;

use agi_proto::service::Options;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::sockopt::set_socket_keepalive;

use super::Server;
use super::run::Call;
use crate::BoxHandler;

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
            tracing::warn!(%peer, "this peer may not connect");
            return Ok(());
        }
        // some systems hand the listener's mode down
        stream.set_nonblocking(false)?;
        // a command is one short write, which must not wait for an acknowledgement
        stream.set_nodelay(true)?;
        // a call may be silent for hours, and a PBX that lost its power does not say so
        set_socket_keepalive(&stream, true)?;
        let guard = self.calls.enter(&stream, options.max_calls)?;
        let call = Call {
            peer,
            busy: guard.is_refusal(),
            options: Arc::clone(options),
            counters: Arc::clone(&self.calls.counters),
            cut: Arc::clone(&self.calls.cut),
        };
        let handler = handler.clone();
        thread::Builder::new()
            .name("agi-call".into())
            .spawn(move || guard.leave(call.run(stream, &handler)))?;
        Ok(())
    }
}

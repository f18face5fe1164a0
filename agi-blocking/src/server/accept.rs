//! Connections, and the threads that take them.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};

use super::Server;
use super::run::run;
use crate::Channel;

impl Server {
    /// Waits for a connection; `None` to look again whether there is still one to be waited for.
    pub(super) fn accept(&self) -> io::Result<Option<TcpStream>> {
        let wake = self.calls.wake();
        let mut both = [
            PollFd::new(&self.listener, PollFlags::IN),
            PollFd::from_borrowed_fd(wake.as_fd(), PollFlags::IN),
        ];
        match poll(&mut both, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if !both[1].revents().is_empty() {
            return Ok(None);
        }
        match self.listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionAborted => Ok(None),
                _ => Err(error),
            },
        }
    }

    pub(super) fn begin<H, E>(&self, stream: TcpStream, handler: &Arc<H>) -> io::Result<()>
    where
        H: Fn(&mut Channel) -> Result<(), E> + Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        // some systems hand the listener's mode down
        stream.set_nonblocking(false)?;
        // a command is one short write, which must not wait for an acknowledgement
        stream.set_nodelay(true)?;
        let guard = self.calls.enter(&stream)?;
        let (handler, options) = (Arc::clone(handler), self.options);
        thread::Builder::new().name("agi-call".into()).spawn(move || {
            // declared first, so dropped last: the call counts until its socket is closed
            let _guard = guard;
            run(stream, options, &*handler);
        })?;
        Ok(())
    }
}

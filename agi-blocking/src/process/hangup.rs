//! SIGHUP, as something that can be waited for together with input.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::SigId;
use signal_hook::consts::SIGHUP;
use signal_hook::low_level::{pipe, unregister};

/// A socket that is readable once SIGHUP has come, or the conversation has ended.
///
/// Nobody ever reads it, so it stays readable: a call is hung up once, and everybody who asks is to know.
#[derive(Debug)]
pub(super) struct Hangup {
    pub(super) socket: UnixStream,
    registration: SigId,
}

impl Hangup {
    pub(super) fn new() -> io::Result<Self> {
        let (socket, signalled) = UnixStream::pair()?;
        Ok(Self { socket, registration: pipe::register(SIGHUP, signalled)? })
    }

    /// Waits for the signal no longer: closes the other end, at which whoever has a duplicate of ours wakes.
    pub(super) fn end(&self) {
        unregister(self.registration);
    }
}

impl Drop for Hangup {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a wait has come to; neither when it was too long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// There are bytes, or their end.
    pub(crate) input: bool,
    /// SIGHUP has come.
    pub(crate) hangup: bool,
}

/// Waits for input and, if it is still to be waited for, for the hangup.
pub(crate) fn wait(
    input: impl AsFd,
    hangup: Option<&UnixStream>,
    timeout: Option<Duration>,
) -> io::Result<Ready> {
    let socket = hangup.map_or(input.as_fd(), AsFd::as_fd);
    let mut both = [
        PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN),
        PollFd::from_borrowed_fd(socket, PollFlags::IN),
    ];
    let polled = if hangup.is_some() { &mut both[..] } else { &mut both[..1] };
    poll_for(polled, timeout)?;
    let [input, hangup] = both.map(|one| !one.revents().is_empty());
    Ok(Ready { input, hangup })
}

/// Waits until something can be written. `false`: it was too long.
pub(super) fn writable(output: impl AsFd, timeout: Option<Duration>) -> io::Result<bool> {
    let mut output = [PollFd::new(&output, PollFlags::OUT)];
    poll_for(&mut output, timeout)?;
    Ok(!output[0].revents().is_empty())
}

fn poll_for(polled: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
    // longer than the clock reaches is for ever
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    // any signal may interrupt it, and then it is as with every other read
    poll(polled, timeout.as_ref())?;
    Ok(())
}

//! A descriptor of unknown kind, read and written as its kind allows.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A pipe, a socket, a terminal or a file.
///
/// It is not made non-blocking, which would make it so for everybody who shares it: a shell would find its
/// terminal changed. In place of that it is asked before each read and write whether that would wait.
#[derive(Debug)]
pub(crate) enum Descriptor {
    /// What can be waited for.
    Polled(AsyncFd<File>),
    /// What never waits, such as a file.
    Ready(File),
}

impl Descriptor {
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let file = File::from(descriptor);
        #[allow(
            deprecated,
            reason = "its successor is too new, and a `File` is no unsound kind of descriptor"
        )]
        match AsyncFd::new(file.try_clone()?) {
            Ok(polled) => Ok(Self::Polled(polled)),
            // epoll(7) says so of what is always ready
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(Self::Ready(file)),
            Err(error) => Err(error),
        }
    }
}

fn is_ready(file: &File, what: PollFlags) -> io::Result<bool> {
    let mut one = [PollFd::new(file, what)];
    // a signal that comes meanwhile, and a hangup is one, interrupts even what does not wait
    let ready = retry_on_intr(|| poll(&mut one, Some(&Timespec::default())))?;
    Ok(ready > 0)
}

impl AsyncRead for Descriptor {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut file = match self.get_mut() {
            Self::Ready(file) => &*file,
            Self::Polled(descriptor) => loop {
                let mut waited = ready!(descriptor.poll_read_ready(cx))?;
                if is_ready(descriptor.get_ref(), PollFlags::IN)? {
                    break descriptor.get_ref();
                }
                waited.clear_ready();
            },
        };
        let read = file.read(buf.initialize_unfilled())?;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Descriptor {
    /// Writes all of it: a command at a time is far less than a pipe holds.
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut file = match self.get_mut() {
            Self::Ready(file) => &*file,
            Self::Polled(descriptor) => loop {
                let mut waited = ready!(descriptor.poll_write_ready(cx))?;
                if is_ready(descriptor.get_ref(), PollFlags::OUT)? {
                    break descriptor.get_ref();
                }
                waited.clear_ready();
            },
        };
        Poll::Ready(file.write(buf))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Ends when it is dropped, and not before.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Polled(descriptor) => descriptor.get_ref().as_fd(),
            Self::Ready(file) => file.as_fd(),
        }
    }
}

//! Services on tokio, in tokio's time.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::line::{Shared, finish, lock};
use crate::caller::{Call, Caller, Scripted};

/// The service's end of a call in memory, for tokio. Its time is tokio's: where that clock is
/// [paused](tokio::time::pause), as it is in [`Caller::run_tokio`], waiting takes no time.
///
/// Dropped, it is closed.
pub struct AsyncLine {
    shared: Shared,
    began: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    reader: Option<Waker>,
}

impl AsyncLine {
    fn new(shared: Shared) -> Self {
        Self { shared, began: Instant::now(), sleep: None, reader: None }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }
}

impl AsyncRead for AsyncLine {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = &mut *self;
        loop {
            let now = line.now();
            let mut scripted = lock(&line.shared);
            scripted.handle_timeout(now);
            if scripted.reset {
                return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
            }
            if let Some(bytes) = scripted.poll_transmit() {
                let n = bytes.len().min(buf.remaining());
                buf.put_slice(&bytes[..n]);
                scripted.transmitted(n);
                return Poll::Ready(Ok(()));
            }
            if scripted.is_closed() {
                return Poll::Ready(Ok(()));
            }
            let Some(due) = scripted.poll_timeout() else { return Poll::Ready(Ok(())) };
            drop(scripted);
            // tokio's timers tick in milliseconds, and must not be early
            let due = line.began + Duration::from_millis(u64::try_from(due.as_millis()).unwrap_or(0) + 1);
            let sleep = line.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if sleep.deadline() != due {
                sleep.as_mut().reset(due);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                line.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
    }
}

impl AsyncWrite for AsyncLine {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let now = self.now();
        {
            let mut scripted = lock(&self.shared);
            if scripted.reset {
                return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
            }
            if scripted.is_over() {
                return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
            }
            scripted.handle_input(buf, now);
        }
        self.wake_reader();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = self.now();
        lock(&self.shared).handle_eof(now);
        self.wake_reader();
        Poll::Ready(Ok(()))
    }
}

impl Drop for AsyncLine {
    fn drop(&mut self) {
        let now = self.now();
        lock(&self.shared).handle_eof(now);
    }
}

/// Runs a service to its end, or to its panic.
async fn caught<F: Future>(service: F) -> thread::Result<F::Output> {
    let mut service = pin!(service);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| service.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

impl Caller {
    /// Calls an async service in memory, on the tokio runtime that this runs in. What the service waits for
    /// takes the time of that runtime: use `#[tokio::test(start_paused = true)]`.
    ///
    /// # Panics
    ///
    /// If the call goes otherwise than the script says.
    pub async fn call_tokio<F: Future>(self, service: impl FnOnce(AsyncLine) -> F) -> Call<F::Output> {
        let shared = Arc::new(Mutex::new(Scripted::new(self)));
        let returned = caught(service(AsyncLine::new(shared.clone()))).await;
        finish(&shared, returned).checked()
    }

    /// Calls an async service in memory, on a tokio runtime of its own whose time is simulated: timers of the
    /// service's own too.
    ///
    /// That runtime has no I/O, for simulated time does not wait for a socket. A service that asks a database gets
    /// another one for this, or is called over TCP.
    ///
    /// # Panics
    ///
    /// If the call goes otherwise than the script says.
    #[track_caller]
    pub fn run_tokio<F: Future>(self, service: impl FnOnce(AsyncLine) -> F) -> Call<F::Output> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without I/O needs nothing of the system");
        let shared = Arc::new(Mutex::new(Scripted::new(self)));
        let returned = runtime.block_on(async {
            let line = AsyncLine::new(shared.clone());
            caught(service(line)).await
        });
        finish(&shared, returned).checked()
    }
}

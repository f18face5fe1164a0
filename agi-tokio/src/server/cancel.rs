//! Telling calls to end.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::sync::Notify;

use super::call::Shared;

/// What a server shares with its calls to make them end.
#[derive(Default)]
pub(super) struct Cancel {
    is_told: AtomicBool,
    notify: Notify,
}

impl Cancel {
    /// Ends once the calls are told to end.
    ///
    /// A call is polled for each of its commands, and this with it. So it registers once, which is enough in a
    /// task, whose waker stays the same, and then only looks.
    pub(super) async fn told(&self) {
        let mut notified = pin!(self.notify.notified());
        let mut registered = false;
        poll_fn(|cx| {
            if !registered {
                registered = true;
                // before it looks, so that whoever tells in between is not missed
                let _ = notified.as_mut().poll(cx);
            }
            if self.is_told.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Tells the calls to end when it is dropped, and so also when the server is.
pub(super) struct Canceller(pub(super) Arc<Shared>);

impl Drop for Canceller {
    fn drop(&mut self) {
        let cancel = &self.0.cancel;
        cancel.is_told.store(true, Ordering::Release);
        cancel.notify.notify_waiters();
    }
}

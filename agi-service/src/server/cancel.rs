//! Telling calls to end.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use event_listener::{Event, listener};

/// The word that ends calls, which a server shares with them.
#[derive(Default)]
pub(super) struct Cancel {
    is_told: AtomicBool,
    event: Event,
}

impl Cancel {
    /// Tells the calls to end.
    pub(super) fn tell(&self) {
        self.is_told.store(true, Ordering::Release);
        self.event.notify(usize::MAX);
    }

    /// Waits until the calls are told to end.
    ///
    /// A call is polled for each of its commands, and this with it. So it registers once, which is enough in a task, whose
    /// waker stays the same, and then only looks.
    pub(super) async fn told(&self) {
        // before it looks, so that nobody who tells in between is missed
        listener!(self.event => told);
        let mut told = pin!(told);
        let mut registered = false;
        poll_fn(|cx| {
            if !registered {
                registered = true;
                let _ = told.as_mut().poll(cx);
            }
            if self.is_told.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

//! Panics of what a server runs for others.

use alloc::boxed::Box;
use alloc::string::String;
use core::any::Any;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a future to its end, or to its panic. After that it may only be dropped.
///
/// # Errors
///
/// What it panicked with; see [`panic_message`].
pub async fn isolated<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Result<F::Output, Box<dyn Any + Send>> {
    poll_fn(|cx| {
        // after a panic the future is only dropped, and nothing else that it touched is ours
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => core::task::Poll::Ready(Err(panic)),
        }
    })
    .await
}

/// What a panic says.
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("not a text")
}

//! Panics of handlers: caught, and logged with their place.

use std::any::Any;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Once;
use std::task::Poll;

use crate::CallOutcome;
use crate::log::TARGET;

thread_local! {
    /// The place of this thread's last panic.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has the place of each panic noted, for the log. The panic hook that is set already is called as before.
pub fn note_places() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(ToString::to_string);
            PLACE.with_borrow_mut(|last| *last = place);
            next(info);
        }));
    });
}

/// Runs a future to its end, or to its panic. After that it may only be dropped.
///
/// # Errors
///
/// The payload of the panic, for [`log`].
pub async fn catch_unwind<F: Future + ?Sized>(
    mut future: Pin<&mut F>,
) -> Result<F::Output, Box<dyn Any + Send>> {
    poll_fn(|cx| {
        // after a panic the future is only dropped, and nothing else that it touched is ours
        match panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

/// Runs code of the user's that may panic; a panic is logged as `what`, and is how the call ends.
pub fn guard(what: &str, run: impl FnOnce() -> CallOutcome) -> CallOutcome {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| log(what, panic))
}

/// Logs a panic that was caught on this thread.
pub fn log(what: &str, panic: Box<dyn Any + Send>) -> CallOutcome {
    let place = PLACE.with_borrow_mut(Option::take);
    tracing::error!(target: TARGET, panic = message(&*panic), place, "{what}");
    // Dropping the payload may panic again. The second payload is leaked so that this ends.
    if let Err(next) = panic::catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        mem::forget(next);
    }
    CallOutcome::Panicked
}

/// Returns the text of a panic.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("not a text")
}

//! Two futures, of which the first to end counts.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use crate::Runtime;

/// The future that ended first.
pub(crate) enum Won<A, B> {
    First(A),
    Second(B),
}

/// Waits for whichever ends first; if both have ended, the first counts.
///
/// Both stay where they are: a future that is passed by value is in memory twice, and a handler's may be large.
pub(crate) async fn race<A, B>(mut first: A, mut second: B) -> Won<A::Output, B::Output>
where
    A: Future + Unpin,
    B: Future + Unpin,
{
    poll_fn(|cx| {
        if let Poll::Ready(output) = Pin::new(&mut first).poll(cx) {
            return Poll::Ready(Won::First(output));
        }
        Pin::new(&mut second).poll(cx).map(Won::Second)
    })
    .await
}

/// Waits for a future for a limited time. `None`: the time is over, and the future was polled once more before the clock
/// was looked at.
pub(crate) async fn within<R: Runtime, F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    match race(pin!(future), pin!(R::sleep(limit))).await {
        Won::First(output) => Some(output),
        Won::Second(()) => None,
    }
}

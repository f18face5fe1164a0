//! Two futures, of which the first to end counts.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// What ended first.
pub(crate) enum Won<A, B> {
    First(A),
    Second(B),
}

/// Waits for whichever ends first; where both have ended, the first counts.
///
/// Both stay where they are: a future that is passed by value is in memory twice, and a handler's may be
/// large.
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

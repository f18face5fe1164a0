//! Two futures, of which the first to end counts.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// What ended first.
pub(crate) enum Won<A, B> {
    First(A),
    Second(B),
}

/// Waits for whichever ends first, and drops the other; where both have ended, the first counts.
pub(crate) async fn race<A: Future, B: Future>(first: A, second: B) -> Won<A::Output, B::Output> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|cx| {
        if let Poll::Ready(output) = first.as_mut().poll(cx) {
            return Poll::Ready(Won::First(output));
        }
        second.as_mut().poll(cx).map(Won::Second)
    })
    .await
}

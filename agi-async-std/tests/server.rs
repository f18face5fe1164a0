//! The server, and calls that end in every way.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../../agi-service/tests/running/calls.rs"]
mod calls;
#[path = "../../agi-service/tests/running/mod.rs"]
mod running;

use std::future::Future;

use agi_async_std as adapter;

fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    async_std::task::spawn(future);
}

fn block_on<F: Future>(future: F) -> F::Output {
    async_std::task::block_on(future)
}

//! No file descriptor left for a call.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../../agi-service/tests/running/files.rs"]
mod files;
#[path = "../../agi-service/tests/running/mod.rs"]
mod running;

use std::future::Future;
use std::sync::LazyLock;

use agi_tokio as adapter;
use tokio::runtime::Runtime;

/// The runtime of all tests.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    RUNTIME.spawn(future);
}

fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

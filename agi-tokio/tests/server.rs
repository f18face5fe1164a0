//! The server, and calls that end in every way.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../../agi-service/tests/running/calls.rs"]
mod calls;
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

/// Otherwise each call would panic, and be cut.
#[test]
fn runtime_without_timers_is_noticed_before_the_first_call() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let server = adapter::Server::bind("127.0.0.1:0").await.unwrap();
        let serving = tokio::spawn(server.serve(async |channel: adapter::Channel| channel.close().await));
        tokio::task::yield_now().await;
        assert!(serving.is_finished(), "it waits for calls");
        assert!(serving.await.unwrap_err().is_panic());
    });
}

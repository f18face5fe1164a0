//! FastAGI services for tests: a server on a port of its own, whose handler's results come back to the test.
//!
//! ```no_run
//! use agi_tests::asterisk::{Asterisk, Call, Version};
//! use agi_tests::service::{block_on, service};
//!
//! // a handler that gives the channel itself leaves the conversation to the test
//! let (url, channels) = service(async |channel| channel);
//! let call = Asterisk::shared(Version::V22).call(&Call::to(url));
//! let mut channel = channels.next();
//! block_on(channel.noop()).unwrap();
//! # drop(call);
//! ```

use std::future::Future;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use agi_tokio::{Channel, Error, Server};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// How long anything may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(20);

/// What the handlers of a [`service`] gave, in the order in which they ended. Dropping it ends the service.
pub struct Results<T> {
    results: Receiver<Option<T>>,
    server: JoinHandle<()>,
}

impl<T> Results<T> {
    /// What the next handler gave.
    ///
    /// # Panics
    ///
    /// If that handler panicked, or none ended within 20 seconds.
    #[must_use]
    pub fn next(&self) -> T {
        match self.results.recv_timeout(STUCK) {
            Ok(Some(result)) => result,
            Ok(None) => panic!("a handler panicked, or was cancelled"),
            Err(error) => panic!("no handler ended in time: {error}"),
        }
    }
}

impl<T> Drop for Results<T> {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Runs a handler for each call to the URL that it gives.
///
/// The server is the one of [`agi_tokio`], which sets no variable of its own here: it closes a call when its channel is dropped.
///
/// # Panics
///
/// If it cannot listen.
pub fn service<F, Fut, T>(handler: F) -> (String, Results<T>)
where
    F: Fn(Channel) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = T> + Send,
    T: Send + 'static,
{
    let server = block_on(Server::bind(("127.0.0.1", 0))).expect("a free port of 127.0.0.1");
    // tests count the commands of a call
    let server = server.status_variable(None);
    let url = format!("agi://{}", server.local_addr().expect("it has just been bound"));
    let (sender, results) = mpsc::sync_channel(1000);
    let handler = Arc::new(handler);
    let server = runtime().spawn(async move {
        let handler = move |channel| {
            let (handler, mut promise) = (handler.clone(), Promise(Some(sender.clone())));
            async move {
                let result = handler(channel).await;
                promise.keep(result);
                Ok::<(), Error>(())
            }
        };
        server.serve(handler).await;
    });
    (url, Results { results, server })
}

/// Runs a future on the runtime of the services, on this thread. It may not be used within a handler.
///
/// # Panics
///
/// If that takes longer than 20 seconds.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let result = runtime().block_on(async { tokio::time::timeout(STUCK, future).await });
    result.unwrap_or_else(|_| panic!("still not done after {STUCK:?}"))
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("threads and descriptors for a runtime"))
}

/// A result that somebody waits for, also when it never comes.
struct Promise<T>(Option<SyncSender<Option<T>>>);

impl<T> Promise<T> {
    fn keep(&mut self, result: T) {
        if let Some(sender) = self.0.take() {
            // the test may have seen enough
            let _ = sender.send(Some(result));
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(None);
        }
    }
}

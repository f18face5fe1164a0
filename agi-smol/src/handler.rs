//! What a server runs for each call.

use std::error::Error as StdError;
use std::future::Future;

#[cfg(feature = "server")]
use smol::net::TcpStream;

use crate::{Channel, Error};

/// What a server runs for each call.
///
/// Every `async fn` and every closure that takes a [`Channel`] and gives a `Result` is one:
///
/// ```no_run
/// use agi_smol::{Channel, Error, Server};
///
/// # async fn example() -> std::io::Result<()> {
/// let server = Server::bind_default().await?;
/// let prompt = String::from("demo-congrats");
/// server
///     .serve(move |mut channel: Channel| {
///         let prompt = prompt.clone();
///         async move {
///             channel.answer().await?;
///             channel.stream_file(&prompt, "#").await?;
///             Ok::<(), Error>(())
///         }
///     })
///     .await
/// # }
/// ```
///
/// The call lasts until the channel is dropped. The handler may pass it on to a task of its own.
pub trait Handler<#[cfg(feature = "server")] S = TcpStream, #[cfg(not(feature = "server"))] S>:
    Send + Sync + 'static
{
    /// What a handler fails with. The server logs it, unless it is or comes from (see
    /// [`Error::source`](StdError::source)) an [`Error`] that only says that the call is over.
    type Error: Into<Box<dyn StdError + Send + Sync>>;

    /// Handles one call.
    fn handle(&self, channel: Channel<S>) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<S, F, Fut, E> Handler<S> for F
where
    F: Fn(Channel<S>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    type Error = E;

    fn handle(&self, channel: Channel<S>) -> impl Future<Output = Result<(), E>> + Send {
        self(channel)
    }
}

/// Whether a handler's error only says that the call is over.
pub(crate) fn is_hangup(error: &(dyn StdError + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.filter_map(|error| error.downcast_ref::<Error>()).any(Error::is_hangup)
}

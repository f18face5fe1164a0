//! What a server runs for each call.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use agi_proto::Request;
use tokio::net::TcpStream;

use crate::Channel;

type BoxError = Box<dyn StdError + Send + Sync>;

/// What a [`Server`](crate::Server) runs for each call.
///
/// Every `async fn` and every closure that takes a [`Channel`], and a [`Request`] where it wants one, and
/// gives a `Result` is one:
///
/// ```no_run
/// use agi_tokio::{Channel, Error, Request, Server};
///
/// # async fn example() -> std::io::Result<()> {
/// let server = Server::bind_local().await?;
/// let prompt = String::from("demo-congrats");
/// server
///     .serve(move |mut channel: Channel, request: Request| {
///         let prompt = prompt.clone();
///         async move {
///             channel.answer().await?;
///             channel.stream_file(&prompt, "#").await?;
///             channel.set_variable("PLAYED_FOR", request.path()).await?;
///             Ok::<(), Error>(())
///         }
///     })
///     .await
/// # }
/// ```
///
/// [`with_state`] gives a handler what all calls share, [`layer`] wraps one in another, and a
/// [`Router`](crate::Router) chooses between many.
///
/// The call lasts until the channel is dropped. The handler may pass it on to a task of its own.
///
/// `Arguments` is what a function takes, so that functions of both kinds can be handlers; a type that
/// implements this itself leaves it out.
pub trait Handler<Arguments = (), S = TcpStream>: Send + Sync + 'static {
    /// What a handler fails with. The server logs it, unless it is or comes from (see
    /// [`Error::source`](StdError::source)) an [`Error`](crate::Error) that only says that the call is over.
    type Error: Into<Box<dyn StdError + Send + Sync>>;

    /// Handles one call.
    fn handle(
        &self,
        channel: Channel<S>,
        request: Request,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<S, F, Fut, E> Handler<(Channel<S>,), S> for F
where
    F: Fn(Channel<S>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: Into<BoxError>,
{
    type Error = E;

    fn handle(&self, channel: Channel<S>, _: Request) -> impl Future<Output = Result<(), E>> + Send {
        self(channel)
    }
}

impl<S, F, Fut, E> Handler<(Channel<S>, Request), S> for F
where
    F: Fn(Channel<S>, Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: Into<BoxError>,
{
    type Error = E;

    fn handle(&self, channel: Channel<S>, request: Request) -> impl Future<Output = Result<(), E>> + Send {
        self(channel, request)
    }
}

/// A handler of any type; a clone is the same one.
pub struct BoxHandler<S = TcpStream>(Arc<dyn Erased<S>>);

trait Erased<S>: Send + Sync {
    fn run(&self, channel: Channel<S>, request: Request) -> Running<'_>;
}

pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

struct Eraser<H, A>(H, PhantomData<fn(A)>);

impl<S, A, H> Erased<S> for Eraser<H, A>
where
    S: Send + 'static,
    A: 'static,
    H: Handler<A, S>,
{
    fn run(&self, channel: Channel<S>, request: Request) -> Running<'_> {
        Box::pin(async { self.0.handle(channel, request).await.map_err(Into::into) })
    }
}

impl<S: Send + 'static> BoxHandler<S> {
    /// Forgets a handler's type.
    pub fn new<A: 'static>(handler: impl Handler<A, S>) -> Self {
        Self(Arc::new(Eraser(handler, PhantomData)))
    }

    /// Handles one call: what a [`layer`] ends with, as a rule.
    ///
    /// # Errors
    ///
    /// The handler's.
    pub async fn run(&self, channel: Channel<S>, request: Request) -> Result<(), BoxError> {
        self.begin(channel, request).await
    }

    /// What is to be run for a call; nothing of the handler's own has run yet.
    pub(crate) fn begin(&self, channel: Channel<S>, request: Request) -> Running<'_> {
        self.0.run(channel, request)
    }
}

impl<S: Send + 'static> Handler<(), S> for BoxHandler<S> {
    type Error = BoxError;

    fn handle(&self, channel: Channel<S>, request: Request) -> impl Future<Output = Result<(), BoxError>> {
        self.0.run(channel, request)
    }
}

impl<S> Clone for BoxHandler<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> fmt::Debug for BoxHandler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxHandler").finish_non_exhaustive()
    }
}

/// A handler that is given a clone of what all its calls share: an `Arc`, a pool of connections.
///
/// ```
/// use std::sync::Arc;
/// use agi_tokio::{Channel, Error, Request, Router, with_state};
///
/// struct Prompts { welcome: String }
///
/// async fn welcome(mut channel: Channel, _: Request, prompts: Arc<Prompts>) -> Result<(), Error> {
///     channel.stream_file(&prompts.welcome, "#").await?;
///     Ok(())
/// }
///
/// let prompts = Arc::new(Prompts { welcome: "demo-congrats".into() });
/// let router: Router = Router::new().route("/welcome", with_state(prompts, welcome))?;
/// # Ok::<(), agi_tokio::agi_proto::service::RouteError>(())
/// ```
pub fn with_state<S, T, F, Fut, E>(
    state: T,
    handler: F,
) -> impl Fn(Channel<S>, Request) -> Fut + Send + Sync + 'static
where
    T: Clone + Send + Sync + 'static,
    F: Fn(Channel<S>, Request, T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: Into<BoxError>,
{
    move |channel, request| handler(channel, request, state.clone())
}

/// A handler that runs before another one, decides whether that runs, and sees how it ends.
///
/// ```
/// use agi_tokio::{BoxHandler, Channel, Request, Router, layer};
///
/// type BoxError = Box<dyn std::error::Error + Send + Sync>;
///
/// /// Takes calls from inside only.
/// async fn inside(channel: Channel, request: Request, next: BoxHandler) -> Result<(), BoxError> {
///     if request.environment().context().is_none_or(|context| *context != "internal") {
///         return Err("this is for internal calls".into());
///     }
///     next.run(channel, request).await
/// }
/// # async fn menu(_: Channel) -> Result<(), BoxError> { Ok(()) }
///
/// let router: Router = Router::new().route("/menu", layer(inside, menu))?;
/// # Ok::<(), agi_tokio::agi_proto::service::RouteError>(())
/// ```
pub fn layer<S, A, L, Fut, E>(
    layer: L,
    handler: impl Handler<A, S>,
) -> impl Fn(Channel<S>, Request) -> Fut + Send + Sync + 'static
where
    S: Send + 'static,
    A: 'static,
    L: Fn(Channel<S>, Request, BoxHandler<S>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: Into<BoxError>,
{
    let next = BoxHandler::new(handler);
    move |channel, request| layer(channel, request, next.clone())
}

//! Handlers: the code that a server runs for each call.

mod router;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use agi_proto::Request;

pub use self::router::{Replaceable, Router};

/// An error of any type, from a handler.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What a server runs for each call.
///
/// Every `async fn` and every closure that takes a channel, and a [`Request`] where it wants one, and gives a
/// `Result` is one. [`with_state`] gives a handler what all calls share, [`layer`] wraps one in another, and a
/// [`Router`](Router) chooses between many.
///
/// A server's call lasts until the handler has ended and the channel is dropped, which the handler may pass on to a
/// task of its own. A handler that has more to do than the call closes its channel first.
///
/// `Arguments` is what a function takes, so that functions of both kinds can be handlers; a type that
/// implements this itself leaves it out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no handler of calls",
    label = "this cannot handle a call",
    note = "a handler is an `async fn` (or a closure) that takes the channel by value, and a `Request` behind it if it \
            wants one, and gives a `Result<(), E>` of an error `E` that `?` makes a `Box<dyn Error + Send + Sync>`",
    note = "what it gives must be `Send`: it keeps nothing over an `.await` that is not, such as an `Rc`"
)]
pub trait Handler<C, Arguments = ()>: Send + Sync + 'static {
    /// What a handler fails with. The server logs it, unless it is or comes from (see
    /// [`Error::source`](std::error::Error::source)) an [`Error`](agi_proto::Error) that only says that the call is
    /// over.
    type Error: Into<BoxError>;

    /// Handles one call.
    fn handle(&self, channel: C, request: Request) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<C, F, Fut, E> Handler<C, (C,)> for F
where
    F: Fn(C) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: Into<BoxError>,
{
    type Error = E;

    fn handle(&self, channel: C, _: Request) -> impl Future<Output = Result<(), E>> + Send {
        self(channel)
    }
}

impl<C, F, Fut, E> Handler<C, (C, Request)> for F
where
    F: Fn(C, Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: Into<BoxError>,
{
    type Error = E;

    fn handle(&self, channel: C, request: Request) -> impl Future<Output = Result<(), E>> + Send {
        self(channel, request)
    }
}

/// A handler of any type; a clone is the same one.
pub struct BoxHandler<C>(Arc<dyn Erased<C>>);

trait Erased<C>: Send + Sync {
    fn run(&self, channel: C, request: Request) -> HandlerFuture<'_>;
}

/// A handler at work.
pub type HandlerFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

struct Eraser<H, A>(H, PhantomData<fn(A)>);

impl<C, A, H> Erased<C> for Eraser<H, A>
where
    C: Send + 'static,
    A: 'static,
    H: Handler<C, A>,
{
    fn run(&self, channel: C, request: Request) -> HandlerFuture<'_> {
        // what the block is given stays beside what the handler makes of it, and a request is large
        let request = Box::new(request);
        Box::pin(async { self.0.handle(channel, unbox(request)).await.map_err(Into::into) })
    }
}

/// Frees the box at once, unlike `*`.
#[expect(clippy::boxed_local, reason = "it is to be freed")]
fn unbox(request: Box<Request>) -> Request {
    *request
}

impl<C: Send + 'static> BoxHandler<C> {
    /// Forgets a handler's type.
    pub fn new<A: 'static>(handler: impl Handler<C, A>) -> Self {
        Self(Arc::new(Eraser(handler, PhantomData)))
    }

    /// Handles one call, when it is awaited: what a [`layer`] ends with, as a rule.
    pub fn run(&self, channel: C, request: Request) -> HandlerFuture<'_> {
        self.0.run(channel, request)
    }
}

impl<C: Send + 'static> Handler<C> for BoxHandler<C> {
    type Error = BoxError;

    fn handle(&self, channel: C, request: Request) -> impl Future<Output = Result<(), BoxError>> {
        self.run(channel, request)
    }
}

impl<C> Clone for BoxHandler<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for BoxHandler<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxHandler").finish_non_exhaustive()
    }
}

/// A handler that is given a clone of what all its calls share: an `Arc`, a pool of connections.
pub fn with_state<C, T, F, Fut, E>(state: T, handler: F) -> impl Fn(C, Request) -> Fut + Send + Sync + 'static
where
    T: Clone + Send + Sync + 'static,
    F: Fn(C, Request, T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: Into<BoxError>,
{
    move |channel, request| handler(channel, request, state.clone())
}

/// A handler that runs before another one, decides whether that runs, and sees how it ends.
pub fn layer<C, A, L, Fut, E>(
    layer: L,
    handler: impl Handler<C, A>,
) -> impl Fn(C, Request) -> Fut + Send + Sync + 'static
where
    C: Send + 'static,
    A: 'static,
    L: Fn(C, Request, BoxHandler<C>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: Into<BoxError>,
{
    let next = BoxHandler::new(handler);
    move |channel, request| layer(channel, request, next.clone())
}

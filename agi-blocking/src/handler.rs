//! What a server runs for each call.

use std::fmt;
use std::marker::PhantomData;
use std::net::TcpStream;
use std::sync::Arc;

use agi_proto::Request;

use agi_service::BoxError;

use crate::Channel;

/// What a [`Server`](crate::Server) runs for each call, on a thread of its own.
///
/// Every function and every closure that takes a `&mut `[`Channel`], and a `&`[`Request`] where it wants one,
/// and gives a `Result` is one. A closure must name the types of what it takes:
///
/// ```no_run
/// use agi_blocking::{Channel, Request, Server};
///
/// let prompt = String::from("demo-congrats");
/// Server::bind_local()?.serve(move |channel: &mut Channel, request: &Request| {
///     channel.answer()?;
///     channel.stream_file(&prompt, "#")?;
///     channel.set_variable("PLAYED_FOR", request.path())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// [`with_state`] gives a handler what all calls share, [`layer`] wraps one in another, and a
/// [`Router`](crate::Router) chooses between many.
///
/// `Arguments` is what a function takes, so that functions of both kinds can be handlers; a type that
/// implements this itself leaves it out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no handler of calls",
    label = "this cannot handle a call",
    note = "a handler is a function (or a closure that is `Send + Sync + 'static`) that takes a `&mut Channel`, and a \
            `&Request` behind it if it wants one, and gives a `Result<(), E>` of an error `E` that `?` makes a \
            `Box<dyn Error + Send + Sync>`"
)]
pub trait Handler<Arguments = (), S = TcpStream>: Send + Sync + 'static {
    /// What a handler fails with. The server logs it, unless it is or comes from (see
    /// [`Error::source`](std::error::Error::source)) an [`Error`](crate::Error) that only says that the call is over.
    type Error: Into<BoxError>;

    /// Handles one call.
    ///
    /// # Errors
    ///
    /// Whatever the service wants logged.
    fn handle(&self, channel: &mut Channel<S>, request: &Request) -> Result<(), Self::Error>;
}

impl<F, E, S> Handler<fn(&mut Channel<S>), S> for F
where
    F: Fn(&mut Channel<S>) -> Result<(), E> + Send + Sync + 'static,
    E: Into<BoxError>,
{
    type Error = E;

    fn handle(&self, channel: &mut Channel<S>, _: &Request) -> Result<(), E> {
        self(channel)
    }
}

impl<F, E, S> Handler<fn(&mut Channel<S>, &Request), S> for F
where
    F: Fn(&mut Channel<S>, &Request) -> Result<(), E> + Send + Sync + 'static,
    E: Into<BoxError>,
{
    type Error = E;

    fn handle(&self, channel: &mut Channel<S>, request: &Request) -> Result<(), E> {
        self(channel, request)
    }
}

/// A handler of any type; a clone is the same one.
pub struct BoxHandler<S = TcpStream>(Arc<dyn Erased<S>>);

trait Erased<S>: Send + Sync {
    fn run(&self, channel: &mut Channel<S>, request: &Request) -> Result<(), BoxError>;
}

struct Eraser<H, A>(H, PhantomData<fn(A)>);

impl<S, A, H: Handler<A, S>> Erased<S> for Eraser<H, A> {
    fn run(&self, channel: &mut Channel<S>, request: &Request) -> Result<(), BoxError> {
        self.0.handle(channel, request).map_err(Into::into)
    }
}

impl<S: 'static> BoxHandler<S> {
    /// Forgets a handler's type.
    pub fn new<A: 'static>(handler: impl Handler<A, S>) -> Self {
        Self(Arc::new(Eraser(handler, PhantomData)))
    }

    /// Handles one call: what a [`layer`] does with the handler that it wraps.
    ///
    /// # Errors
    ///
    /// The handler's.
    pub fn run(&self, channel: &mut Channel<S>, request: &Request) -> Result<(), BoxError> {
        self.0.run(channel, request)
    }
}

impl<S: 'static> Handler<(), S> for BoxHandler<S> {
    type Error = BoxError;

    fn handle(&self, channel: &mut Channel<S>, request: &Request) -> Result<(), BoxError> {
        self.run(channel, request)
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

/// A handler that is lent what all its calls share.
///
/// ```
/// use agi_blocking::{Channel, Error, Request, Router, with_state};
///
/// struct Prompts { welcome: String }
///
/// fn welcome(channel: &mut Channel, _: &Request, prompts: &Prompts) -> Result<(), Error> {
///     channel.stream_file(&prompts.welcome, "#")?;
///     Ok(())
/// }
///
/// let prompts = Prompts { welcome: "demo-congrats".into() };
/// let router = Router::new().route("/welcome", with_state(prompts, welcome))?;
/// # Ok::<(), agi_blocking::RouteError>(())
/// ```
pub fn with_state<T, F, E, S>(
    state: T,
    handler: F,
) -> impl Fn(&mut Channel<S>, &Request) -> Result<(), E> + Send + Sync + 'static
where
    T: Send + Sync + 'static,
    F: Fn(&mut Channel<S>, &Request, &T) -> Result<(), E> + Send + Sync + 'static,
{
    move |channel, request| handler(channel, request, &state)
}

/// A handler that runs around another one, and decides whether that runs at all.
///
/// ```
/// use agi_blocking::{BoxHandler, Channel, Request, Router, layer};
///
/// type BoxError = Box<dyn std::error::Error + Send + Sync>;
///
/// /// Takes calls from inside only.
/// fn inside(channel: &mut Channel, request: &Request, next: &BoxHandler) -> Result<(), BoxError> {
///     if request.environment().context().is_none_or(|context| *context != "internal") {
///         return Err("this is for internal calls".into());
///     }
///     next.run(channel, request)
/// }
/// # fn menu(_: &mut Channel) -> Result<(), BoxError> { Ok(()) }
///
/// let router = Router::new().route("/menu", layer(inside, menu))?;
/// # Ok::<(), agi_blocking::RouteError>(())
/// ```
pub fn layer<A, L, E, S>(
    layer: L,
    handler: impl Handler<A, S>,
) -> impl Fn(&mut Channel<S>, &Request) -> Result<(), E> + Send + Sync + 'static
where
    A: 'static,
    S: 'static,
    L: Fn(&mut Channel<S>, &Request, &BoxHandler<S>) -> Result<(), E> + Send + Sync + 'static,
{
    let next = BoxHandler::new(handler);
    move |channel, request| layer(channel, request, &next)
}

//! Many services behind one server.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use crate::stream::TcpStream;
use crate::{BoxHandler, Channel, Handler};
use agi_proto::Request;
use agi_proto::service::{self, NotFound, RouteError};

/// Chooses a handler by the path of the script's URL.
///
/// In a pattern `{name}` captures one segment, or a part of one, and `{*name}` at its end captures the rest.
/// The more literal pattern wins. What was captured is in the handler's [`Request`], decoded:
///
/// ```no_run
/// use agi_smol::{Channel, Error, Request, Router, Server};
///
/// async fn menu(mut channel: Channel, request: Request) -> Result<(), Error> {
///     let language = request.param("language").expect("it is in the route");
///     channel.set_variable("CHANNEL(language)", language).await?;
///     // agi://host/menu/de?from=main
///     let from = request.query("from").unwrap_or_default();
///     channel.verbose(&format!("from {from}")).await
/// }
///
/// # async fn hello(_: Channel) -> Result<(), Error> { Ok(()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let router: Router = Router::new().route("/hello", hello)?.route("/menu/{language}", menu)?;
/// Server::bind_local().await?.serve(router).await
/// # }
/// ```
///
/// A path without a route ends with [`NotFound`], which the server tells the dialplan, unless there is a
/// [fallback](Self::fallback). To change routes while a server runs, give it a [`Replaceable`].
#[derive(Debug)]
pub struct Router<S = TcpStream> {
    routes: service::Router<BoxHandler<S>>,
}

impl<S> Clone for Router<S> {
    fn clone(&self) -> Self {
        Self { routes: self.routes.clone() }
    }
}

impl<S> Default for Router<S> {
    fn default() -> Self {
        Self { routes: service::Router::new() }
    }
}

impl<S: Send + 'static> Router<S> {
    /// Without any route.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route.
    ///
    /// # Errors
    ///
    /// [`RouteError`] where the pattern is malformed, or a route that is there already takes the same paths.
    pub fn route<A: 'static>(
        mut self,
        pattern: &str,
        handler: impl Handler<A, S>,
    ) -> Result<Self, RouteError> {
        self.routes.insert(pattern, BoxHandler::new(handler))?;
        Ok(self)
    }

    /// What handles the paths that no route takes.
    pub fn fallback<A: 'static>(mut self, handler: impl Handler<A, S>) -> Self {
        self.routes.set_fallback(BoxHandler::new(handler));
        self
    }

    /// Puts a [`layer`](crate::layer) around every handler that was added so far.
    pub fn layer<L, Fut, E>(self, layer: L) -> Self
    where
        L: Fn(Channel<S>, Request, BoxHandler<S>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self { routes: self.routes.map(|inner| BoxHandler::new(crate::layer(layer.clone(), inner))) }
    }
}

impl<S: Send + 'static> Handler<(), S> for Router<S> {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    async fn handle(&self, channel: Channel<S>, mut request: Request) -> Result<(), Self::Error> {
        match self.routes.find(&mut request) {
            Some(handler) => handler.run(channel, request).await,
            None => Err(NotFound::new(request.path()).into()),
        }
    }
}

/// A handler that can be replaced while a server runs it. A clone is the same one.
///
/// ```no_run
/// # use agi_smol::{Channel, Error, Replaceable, Router, Server};
/// # async fn old(_: Channel) -> Result<(), Error> { Ok(()) }
/// # async fn new(_: Channel) -> Result<(), Error> { Ok(()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let routes = Replaceable::new(Router::new().route("/menu", old)?);
/// smol::spawn(Server::bind_local().await?.serve(routes.clone())).detach();
/// routes.replace(Router::new().route("/menu", new)?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Replaceable<S = TcpStream> {
    handler: Arc<RwLock<BoxHandler<S>>>,
}

impl<S: Send + 'static> Replaceable<S> {
    /// Begins with a handler.
    pub fn new<A: 'static>(handler: impl Handler<A, S>) -> Self {
        Self { handler: Arc::new(RwLock::new(BoxHandler::new(handler))) }
    }

    /// Gives the calls that begin from now on to another handler. Those that run are not disturbed.
    pub fn replace<A: 'static>(&self, handler: impl Handler<A, S>) {
        *self.handler.write().unwrap_or_else(PoisonError::into_inner) = BoxHandler::new(handler);
    }

    fn now(&self) -> BoxHandler<S> {
        self.handler.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: Send + 'static> Handler<(), S> for Replaceable<S> {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    async fn handle(&self, channel: Channel<S>, request: Request) -> Result<(), Self::Error> {
        self.now().run(channel, request).await
    }
}

impl<S> Clone for Replaceable<S> {
    fn clone(&self) -> Self {
        Self { handler: self.handler.clone() }
    }
}

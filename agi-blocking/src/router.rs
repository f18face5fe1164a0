//! Many services behind one server.

use std::net::TcpStream;

use agi_proto::Request;
use agi_service::swap::Swap;
use agi_service::{BoxError, NotFound, RouteError, Routes};

use crate::{BoxHandler, Channel, Handler};

/// Chooses a handler by the path of the script's URL.
///
/// In a pattern `{name}` captures one segment, or a part of one, and `{*name}` at its end captures the rest.
/// The more literal pattern wins, segment by segment and for good: beside `/{a}.agi/x`, a path such as `/m.agi/y` is no
/// other route's. What was captured is in the handler's [`Request`], decoded:
///
/// ```no_run
/// use agi_blocking::{Channel, Error, Request, Router, Server};
///
/// fn menu(channel: &mut Channel, request: &Request) -> Result<(), Error> {
///     let language = request.param("language").expect("it is in the route");
///     channel.set_variable("CHANNEL(language)", language)?;
///     // agi://host/menu/de?from=main
///     let from = request.query("from").unwrap_or_default();
///     channel.verbose(&format!("from {from}"))
/// }
///
/// # fn hello(_: &mut Channel) -> Result<(), Error> { Ok(()) }
/// let router = Router::new().route("/hello", hello)?.route("/menu/{language}", menu)?;
/// Server::bind_local()?.serve(router)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A path without a route ends with [`NotFound`], which the server tells the dialplan, unless there is a
/// [fallback](Self::fallback). To change routes while a server runs, give it a [`Replaceable`].
#[derive(Debug)]
pub struct Router<S = TcpStream> {
    routes: Routes<BoxHandler<S>>,
}

impl<S> Clone for Router<S> {
    fn clone(&self) -> Self {
        Self { routes: self.routes.clone() }
    }
}

impl<S> Default for Router<S> {
    fn default() -> Self {
        Self { routes: Routes::new() }
    }
}

impl<S: 'static> Router<S> {
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
    pub fn layer<L, E>(self, layer: L) -> Self
    where
        L: Fn(&mut Channel<S>, &Request, &BoxHandler<S>) -> Result<(), E> + Clone + Send + Sync + 'static,
        E: Into<BoxError>,
    {
        Self { routes: self.routes.map(|inner| BoxHandler::new(crate::layer(layer.clone(), inner))) }
    }
}

impl<S: 'static> Handler<(), S> for Router<S> {
    type Error = BoxError;

    fn handle(&self, channel: &mut Channel<S>, request: &Request) -> Result<(), BoxError> {
        let mut request = request.clone();
        match self.routes.find(&mut request) {
            Some(handler) => handler.run(channel, &request),
            None => Err(NotFound::new(request.path()).into()),
        }
    }
}

/// A handler that can be replaced while a server runs it. A clone is the same one.
///
/// ```no_run
/// # use agi_blocking::{Channel, Error, Replaceable, Router, Server};
/// # fn old(_: &mut Channel) -> Result<(), Error> { Ok(()) }
/// # fn new(_: &mut Channel) -> Result<(), Error> { Ok(()) }
/// let routes = Replaceable::new(Router::new().route("/menu", old)?);
/// let (server, served) = (Server::bind_local()?, routes.clone());
/// std::thread::spawn(move || server.serve(served));
/// routes.replace(Router::new().route("/menu", new)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Replaceable<S = TcpStream> {
    handler: Swap<BoxHandler<S>>,
}

impl<S> Clone for Replaceable<S> {
    fn clone(&self) -> Self {
        Self { handler: self.handler.clone() }
    }
}

impl<S: 'static> Replaceable<S> {
    /// Begins with a handler.
    pub fn new<A: 'static>(handler: impl Handler<A, S>) -> Self {
        Self { handler: Swap::new(BoxHandler::new(handler)) }
    }

    /// Gives the calls that begin from now on to another handler. Those that run are not disturbed.
    pub fn replace<A: 'static>(&self, handler: impl Handler<A, S>) {
        self.handler.replace(BoxHandler::new(handler));
    }
}

impl<S: 'static> Handler<(), S> for Replaceable<S> {
    type Error = BoxError;

    fn handle(&self, channel: &mut Channel<S>, request: &Request) -> Result<(), BoxError> {
        self.handler.get().run(channel, request)
    }
}

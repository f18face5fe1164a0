//! Many services behind one server.

use std::future::Future;

use agi_proto::Request;

use super::{BoxError, BoxHandler, Handler, layer};
use crate::swap::Swap;
use crate::{NotFound, RouteError, Routes};

/// Chooses a handler by the path of the script's URL.
///
/// In a pattern `{name}` captures one segment, or a part of one, and `{*name}` at its end captures the rest.
/// The more literal pattern wins, segment by segment and for good: beside `/{a}.agi/x`, a path such as `/m.agi/y` is no
/// other route's. What was captured is in the handler's [`Request`], decoded.
///
/// A path without a route ends with [`NotFound`], which the server tells the dialplan, unless there is a
/// [fallback](Self::fallback). To change routes while a server runs, give it a [`Replaceable`].
#[derive(Debug)]
pub struct Router<C> {
    routes: Routes<BoxHandler<C>>,
}

impl<C> Clone for Router<C> {
    fn clone(&self) -> Self {
        Self { routes: self.routes.clone() }
    }
}

impl<C> Default for Router<C> {
    fn default() -> Self {
        Self { routes: Routes::new() }
    }
}

impl<C: Send + 'static> Router<C> {
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
        handler: impl Handler<C, A>,
    ) -> Result<Self, RouteError> {
        self.routes.insert(pattern, BoxHandler::new(handler))?;
        Ok(self)
    }

    /// What handles the paths that no route takes.
    pub fn fallback<A: 'static>(mut self, handler: impl Handler<C, A>) -> Self {
        self.routes.set_fallback(BoxHandler::new(handler));
        self
    }

    /// Puts a [`layer`] around every handler that was added so far.
    pub fn layer<L, Fut, E>(self, around: L) -> Self
    where
        L: Fn(C, Request, BoxHandler<C>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self { routes: self.routes.map(|inner| BoxHandler::new(layer(around.clone(), inner))) }
    }
}

impl<C: Send + 'static> Handler<C> for Router<C> {
    type Error = BoxError;

    async fn handle(&self, channel: C, mut request: Request) -> Result<(), BoxError> {
        match self.routes.find(&mut request) {
            Some(handler) => handler.run(channel, request).await,
            None => Err(NotFound::new(request.path()).into()),
        }
    }
}

/// A handler that can be replaced while a server runs it. A clone is the same one.
#[derive(Debug)]
pub struct Replaceable<C> {
    handler: Swap<BoxHandler<C>>,
}

impl<C: Send + 'static> Replaceable<C> {
    /// Begins with a handler.
    pub fn new<A: 'static>(handler: impl Handler<C, A>) -> Self {
        Self { handler: Swap::new(BoxHandler::new(handler)) }
    }

    /// Gives the calls that begin from now on to another handler. Those that run are not disturbed.
    pub fn replace<A: 'static>(&self, handler: impl Handler<C, A>) {
        self.handler.replace(BoxHandler::new(handler));
    }
}

impl<C: Send + 'static> Handler<C> for Replaceable<C> {
    type Error = BoxError;

    async fn handle(&self, channel: C, request: Request) -> Result<(), BoxError> {
        self.handler.get().run(channel, request).await
    }
}

impl<C> Clone for Replaceable<C> {
    fn clone(&self) -> Self {
        Self { handler: self.handler.clone() }
    }
}

//! One call from its connection to its end.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;

use agi_proto::BStr;
use async_channel::{Receiver, Sender};
use futures_io::{AsyncRead, AsyncWrite};
use tracing::Instrument;

use super::Options;
use crate::Channel;
use crate::conversation::Conversation;
use crate::handler::{Handler, is_hangup};
use crate::lease::Lease;
use crate::race::{Won, race, within};

/// What a call has of its server.
pub(super) struct Call {
    pub(super) options: Arc<Options>,
    /// Its sender is dropped when the call is to end.
    pub(super) cancelled: Receiver<Infallible>,
    /// Dropped when the call is over.
    pub(super) running: Sender<Infallible>,
}

impl Call {
    /// Sees a connection to its end.
    pub(super) async fn run<S, H>(self, stream: S, peer: SocketAddr, handler: Arc<H>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        H: Handler<S>,
    {
        let mut conversation =
            Box::new(Conversation::new(stream, self.options.limits, self.options.leniency));
        if self.open(&mut conversation, peer).await {
            let environment = conversation.session.environment().expect("it has just come");
            let text = |value: Option<&BStr>| value.map(ToString::to_string);
            let (name, unique_id) = (text(environment.channel()), text(environment.unique_id()));
            // at the level of errors, so that a filter that lets these through shows whose they are
            let span = tracing::error_span!("call", channel = name, unique_id, %peer);
            self.handle(conversation, &*handler).instrument(span).await;
        } else {
            self.close(conversation).await;
        }
        drop(self.running);
    }

    /// Waits for the environment, and says whether there is a call.
    async fn open<S>(&self, conversation: &mut Conversation<S>, peer: SocketAddr) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let environment = pin!(within(self.options.environment_deadline, conversation.open()));
        match race(environment, pin!(self.cancelled.recv())).await {
            Won::First(Some(Ok(true))) => return true,
            Won::First(Some(Ok(false))) => tracing::debug!(%peer, "closed without a byte"),
            Won::First(Some(Err(error))) => tracing::warn!(%peer, %error, "this is no call"),
            Won::First(None) => tracing::warn!(%peer, "the environment did not come in time"),
            Won::Second(_) => {}
        }
        false
    }

    /// Runs the handler, and ends the call when the handler is through with it.
    async fn handle<S, H>(&self, conversation: Box<Conversation<S>>, handler: &H)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        H: Handler<S>,
    {
        let (lease, returned) = Lease::lent(conversation);
        let channel = Channel::new(lease);
        {
            let work = pin!(async move { handler.handle(channel).await });
            match race(pin!(isolated(work)), pin!(self.cancelled.recv())).await {
                Won::First(Ok(Ok(()))) => tracing::debug!("the handler is done"),
                Won::First(Ok(Err(error))) => {
                    let error: Box<dyn StdError + Send + Sync> = error.into();
                    if is_hangup(&*error) {
                        tracing::debug!(error = &*error as &dyn StdError, "the call is over");
                    } else {
                        tracing::error!(error = &*error as &dyn StdError, "the handler failed");
                    }
                }
                Won::First(Err(panic)) => tracing::error!(panic = message(&*panic), "the handler panicked"),
                Won::Second(_) => tracing::debug!("the handler was cancelled"),
            }
        }
        // The channel is dropped by now, unless the handler gave it to another task. That one may have it
        // until the server ends.
        match race(pin!(returned.recv()), pin!(self.cancelled.recv())).await {
            Won::First(Ok(conversation)) => self.close(conversation).await,
            Won::First(Err(_)) => tracing::debug!("the handler has kept the stream"),
            Won::Second(_) => tracing::warn!("the channel is still in use and is left to whoever uses it"),
        }
    }

    async fn close<S>(&self, mut conversation: Box<Conversation<S>>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if let Err(error) = conversation.close(self.options.linger).await {
            tracing::debug!(%error, "the connection was not closed by both sides");
        }
    }
}

/// A future whose panic is a value.
async fn isolated<F: Future>(mut future: Pin<&mut F>) -> Result<F::Output, Box<dyn Any + Send>> {
    poll_fn(|cx| {
        // after a panic the future is only dropped, and nothing else that it touched is ours
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => std::task::Poll::Ready(Err(panic)),
        }
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("not a text")
}

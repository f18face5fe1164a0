//! One call from its connection to its end.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use agi_proto::Request;
use agi_proto::commands::SetVariable;
use agi_proto::service::{Counters, Ending, Options, Status, isolated, panic_message};
use async_channel::Receiver;
use tracing::Instrument;

use super::accept::Slot;
use super::{Runtime, Stream};
use crate::conversation::Conversation;
use crate::lease::Lease;
use crate::race::{Won, race, within};
use crate::{BoxHandler, Channel};

/// What a call has of its server.
pub(super) struct Call {
    pub(super) peer: SocketAddr,
    pub(super) options: Arc<Options>,
    pub(super) counters: Arc<Counters>,
    /// Its sender is dropped when the call is to end.
    pub(super) cancelled: Receiver<Infallible>,
}

impl Call {
    /// Sees a connection to its end.
    pub(super) async fn run<R: Runtime>(self, stream: R::Stream, slot: Slot, handler: BoxHandler<R::Stream>) {
        let busy = slot.is_refusal;
        if busy {
            self.counters.refuse();
        }
        let ending = self.serve::<R>(stream, busy, &handler).await;
        // who sees that this call is not active any more finds its place free
        drop(slot);
        match ending {
            Some(ending) => self.counters.end(ending),
            None if !busy => self.counters.refuse(),
            None => {}
        }
    }

    /// `None`: it was refused.
    async fn serve<R: Runtime>(
        &self,
        stream: R::Stream,
        busy: bool,
        handler: &BoxHandler<R::Stream>,
    ) -> Option<Ending> {
        let Options { limits, leniency, .. } = *self.options;
        let mut conversation = Box::new(Conversation::over_tcp(stream, limits, leniency, R::acknowledge));
        conversation.log.shows.reveal(self.options.reveal_values);
        let request = match self.open(&mut conversation).await {
            Ok(request) => request,
            Err(ending) => {
                self.close(Channel::new(Lease::owned(conversation))).await;
                return (!busy).then_some(ending);
            }
        };
        let environment = request.environment();
        // at the level of errors, so that a filter that lets these through shows whose they are
        let span = tracing::error_span!(
            "call",
            channel = environment.channel().map(|name| String::from_utf8_lossy(name)).as_deref(),
            unique_id = environment.unique_id().map(|id| String::from_utf8_lossy(id)).as_deref(),
            script = &*String::from_utf8_lossy(request.path()),
            peer = %self.peer,
        );
        async {
            match self.admit(busy, &request) {
                Ok(()) => Some(self.handle(conversation, request, handler).await),
                Err(status) => {
                    tracing::warn!(%status, "the call is refused");
                    self.conclude(conversation, Some(status)).await;
                    None
                }
            }
        }
        .instrument(span)
        .await
    }

    /// Waits for the environment. An error says why there is no call.
    async fn open<S: Stream>(&self, conversation: &mut Conversation<S>) -> Result<Request, Ending> {
        let peer = self.peer;
        let opened = {
            let environment = pin!(within(self.options.environment_timeout, conversation.open()));
            race(environment, pin!(told(&self.cancelled))).await
        };
        match opened {
            Won::First(Some(Ok(true))) => {
                let environment = conversation.session.environment();
                Ok(Request::new(environment.expect("it has just come")))
            }
            Won::First(Some(Ok(false))) => {
                tracing::debug!(%peer, "closed without a byte");
                Err(Ending::Probe)
            }
            Won::First(Some(Err(error))) => {
                tracing::warn!(%peer, %error, "this is no call");
                Err(Ending::Invalid)
            }
            Won::First(None) => {
                tracing::warn!(%peer, "the environment did not come in time");
                Err(Ending::Late)
            }
            Won::Second(_) => Err(Ending::Cancelled),
        }
    }

    /// Whether the call is taken, or what the dialplan is told.
    fn admit(&self, busy: bool, request: &Request) -> Result<(), Status> {
        if busy {
            return Err(Status::Busy);
        }
        let admitted = catch_unwind(AssertUnwindSafe(|| self.options.admit(self.peer, request)));
        admitted.unwrap_or_else(|panic| {
            panicked("the admission panicked", panic);
            Err(Status::Failed)
        })
    }

    /// Runs the handler, and ends the call when the handler is through with it.
    async fn handle<S: Stream>(
        &self,
        conversation: Box<Conversation<S>>,
        request: Request,
        handler: &BoxHandler<S>,
    ) -> Ending {
        let (lease, returned) = Lease::lent(conversation);
        let channel = Channel::new(lease);
        let ending = self.work(channel, request, handler).await;
        // The channel is dropped by now, unless the handler gave it to another task. That one may have it
        // until the server ends.
        match race(pin!(returned.recv()), pin!(told(&self.cancelled))).await {
            Won::First(Ok(conversation)) => self.conclude(conversation, ending.status()).await,
            Won::First(Err(_)) => tracing::debug!("the handler has kept the stream"),
            Won::Second(_) => tracing::warn!("the channel is still in use and is left to whoever uses it"),
        }
        ending
    }

    async fn work<S: Stream>(
        &self,
        channel: Channel<S>,
        request: Request,
        handler: &BoxHandler<S>,
    ) -> Ending {
        let mut running = handler.run(channel, request);
        let outcome = race(pin!(isolated(running.as_mut())), pin!(told(&self.cancelled))).await;
        let ending = match outcome {
            Won::First(Ok(Ok(()))) => {
                tracing::debug!("the handler is done");
                Ending::Success
            }
            Won::First(Ok(Err(error))) => {
                // one after the other: two panics at once would be the end of the process
                let ending = guarded("the handler's error panicked", || failed(&*error));
                guarded("the handler's error panicked when it was dropped", || {
                    drop(error);
                    ending
                })
            }
            Won::First(Err(panic)) => panicked("the handler panicked", panic),
            Won::Second(_) => {
                tracing::debug!("the handler was cancelled");
                Ending::Cancelled
            }
        };
        // what a handler that was cancelled still holds may panic, too
        guarded("the handler panicked when it was dropped", || {
            drop(running);
            ending
        })
    }

    /// Tells the dialplan how it went, if it still listens, and closes.
    async fn conclude<S: Stream>(&self, conversation: Box<Conversation<S>>, status: Option<Status>) {
        let mut channel = Channel::new(Lease::owned(conversation));
        if let (Some(name), Some(status), false) =
            (&self.options.status_variable, status, channel.is_closed())
        {
            let told = channel.call(SetVariable::new(name, status.as_str()));
            match within(self.options.status_patience(), told).await {
                Some(Ok(())) => {}
                Some(Err(error)) if error.is_hangup() => {
                    tracing::debug!(%error, %status, "the dialplan did not take the status");
                }
                Some(Err(error)) => tracing::warn!(%error, %status, "the dialplan did not take the status"),
                None => tracing::debug!(%status, "the dialplan did not take the status in time"),
            }
        }
        self.close(channel).await;
    }

    async fn close<S: Stream>(&self, channel: Channel<S>) {
        if let Err(error) = channel.close_within(self.options.linger).await {
            tracing::debug!(%error, "the connection was not closed by both sides");
        }
    }
}

/// Ends once the call is to end.
///
/// A call is polled for each of its commands, and this with it. So it registers once, which is enough in a task,
/// whose waker stays the same, and then only looks.
async fn told(cancelled: &Receiver<Infallible>) {
    let mut closed = pin!(cancelled.recv());
    let mut registered = false;
    poll_fn(|cx| {
        if !registered {
            registered = true;
            return closed.as_mut().poll(cx).map(drop);
        }
        if cancelled.is_closed() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Runs what is the handler's own and may panic; then that is how the call ends.
fn guarded(what: &str, run: impl FnOnce() -> Ending) -> Ending {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| panicked(what, panic))
}

/// Logs a panic.
fn panicked(what: &str, panic: Box<dyn Any + Send>) -> Ending {
    tracing::error!(panic = panic_message(&*panic), "{what}");
    // what it panicked with may panic, too, and that with the next: there it ends
    if let Err(next) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        mem::forget(next);
    }
    Ending::Panicked
}

/// Logs a handler's error, unless it is none.
fn failed(error: &(dyn StdError + Send + Sync + 'static)) -> Ending {
    let error: &(dyn StdError + 'static) = error;
    let ending = Ending::of::<io::Error>(error);
    match ending {
        Ending::Hangup => tracing::debug!(error, "the call is over"),
        Ending::NotFound => tracing::warn!(error, "the handler found nothing"),
        _ => tracing::error!(error, "the handler failed"),
    }
    ending
}

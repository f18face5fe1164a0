//! One call from its connection to its end.

use std::any::Any;
use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use agi_proto::Request;
use agi_proto::commands::SetVariable;
use agi_proto::service::asynchronous::Running;
use agi_proto::service::{Counters, Ending, Options, Status, isolated, panic_message};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::oneshot::Receiver;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::accept::Slot;
use super::cancel::Cancel;
use crate::conversation::Conversation;
use crate::lease::Lease;
use crate::race::{Won, race};
use crate::{BoxHandler, Channel};

/// The call's span, a handler that can begin, and where the conversation comes back.
type Begun<'h> = (Span, Running<'h>, Receiver<Lent>);
type Lent = Box<Conversation<TcpStream>>;

/// A call of a server.
///
/// What most calls do most of the time is wait in their handlers. So what comes before and after that, and is
/// larger, is boxed; and what is passed on is passed on before an await, for a future keeps what it was given
/// beside what it made of that.
pub(super) struct Call {
    pub(super) peer: SocketAddr,
    pub(super) server: Arc<Shared>,
    /// The server waits for the end of whoever has one.
    pub(super) running: mpsc::Sender<()>,
}

/// What all calls have of their server.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) counters: Arc<Counters>,
    pub(super) handler: BoxHandler,
    /// Tells the calls to end.
    pub(super) cancel: Cancel,
}

impl Call {
    /// Sees a connection to its end.
    pub(super) fn run(self, stream: TcpStream, slot: Slot) -> impl Future<Output = ()> + Send {
        let Options { limits, leniency, reveal_values, .. } = self.server.options;
        let mut conversation = Box::new(Conversation::over_tcp(stream, limits, leniency));
        conversation.log.shows.reveal(reveal_values);
        async move {
            let busy = slot.is_refusal;
            if busy {
                self.server.counters.refuse();
            }
            let ending = match Box::pin(self.begin(conversation, busy)).await {
                Ok(begun) => Some(self.handle(begun).await),
                Err(ending) => ending,
            };
            // who sees that this call is not active any more finds its place free
            drop(slot);
            match ending {
                Some(ending) => self.server.counters.end(ending),
                None if !busy => self.server.counters.refuse(),
                None => {}
            }
            drop(self.running);
        }
    }

    /// Waits for the environment and makes the handler ready, in the call's span. An error says how it ended
    /// without a handler; `None`: it was refused.
    async fn begin(&self, mut conversation: Lent, busy: bool) -> Result<Begun<'_>, Option<Ending>> {
        let request = match self.open(&mut conversation).await {
            Ok(request) => request,
            Err(ending) => {
                self.close(Channel::new(Lease::owned(conversation))).await;
                return Err((!busy).then_some(ending));
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
        match span.in_scope(|| self.admit(busy, &request)) {
            Ok(()) => {
                let (lease, returned) = Lease::lent(conversation);
                let running = span.in_scope(|| self.server.handler.run(Channel::new(lease), request));
                Ok((span, running, returned))
            }
            Err(status) => {
                span.in_scope(|| tracing::warn!(%status, "the call is refused"));
                self.conclude(conversation, Some(status)).instrument(span).await;
                Err(None)
            }
        }
    }

    /// Waits for the environment. An error says why there is no call.
    async fn open(&self, conversation: &mut Conversation<TcpStream>) -> Result<Request, Ending> {
        let peer = self.peer;
        let opened = {
            let environment = pin!(timeout(self.server.options.environment_timeout, conversation.open()));
            race(environment, pin!(self.server.cancel.told())).await
        };
        match opened {
            Won::First(Ok(Ok(true))) => {
                let environment = conversation.session.environment();
                Ok(Request::new(environment.expect("it has just come")))
            }
            Won::First(Ok(Ok(false))) => {
                tracing::debug!(%peer, "closed without a byte");
                Err(Ending::Probe)
            }
            Won::First(Ok(Err(error))) => {
                tracing::warn!(%peer, %error, "this is no call");
                Err(Ending::Invalid)
            }
            Won::First(Err(_)) => {
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
        let admitted = catch_unwind(AssertUnwindSafe(|| self.server.options.admit(self.peer, request)));
        admitted.unwrap_or_else(|panic| {
            panicked("the admission panicked", panic);
            Err(Status::Failed)
        })
    }

    /// Runs the handler, and ends the call when the handler is through with it.
    fn handle<'c>(&'c self, (span, running, returned): Begun<'c>) -> impl Future<Output = Ending> + 'c {
        self.see_through(running, returned).instrument(span)
    }

    async fn see_through(&self, running: Running<'_>, returned: Receiver<Lent>) -> Ending {
        let ending = self.work(running).await;
        // The channel is dropped by now, unless the handler gave it to another task. That one may have it
        // until the server ends.
        let returned = race(returned, pin!(self.server.cancel.told())).await;
        match returned {
            Won::First(Ok(conversation)) => Box::pin(self.conclude(conversation, ending.status())).await,
            Won::First(Err(_)) => tracing::debug!("the handler has kept the stream"),
            Won::Second(_) => tracing::warn!("the channel is still in use and is left to whoever uses it"),
        }
        ending
    }

    async fn work(&self, mut running: Running<'_>) -> Ending {
        let outcome = race(pin!(isolated(running.as_mut())), pin!(self.server.cancel.told())).await;
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
    async fn conclude(&self, conversation: Lent, status: Option<Status>) {
        let mut channel = Channel::new(Lease::owned(conversation));
        if let (Some(name), Some(status), false) =
            (&self.server.options.status_variable, status, channel.is_closed())
        {
            let told = channel.call(SetVariable::new(name, status.as_str()));
            match timeout(self.server.options.status_patience(), told).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if error.is_hangup() => {
                    tracing::debug!(%error, %status, "the dialplan did not take the status");
                }
                Ok(Err(error)) => tracing::warn!(%error, %status, "the dialplan did not take the status"),
                Err(_) => tracing::debug!(%status, "the dialplan did not take the status in time"),
            }
        }
        self.close(channel).await;
    }

    async fn close(&self, channel: Channel) {
        if let Err(error) = channel.close_within(self.server.options.linger).await {
            tracing::debug!(%error, "the connection was not closed by both sides");
        }
    }
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

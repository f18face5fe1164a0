//! One call from its connection to its end.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use agi_proto::Request;
use agi_proto::commands::SetVariable;
use futures_channel::oneshot::Receiver;
use tracing::{Instrument, Span};

use super::calls::Shared;
use super::places::{Newcomer, Place};
use crate::driver::conversation::Conversation;
use crate::driver::lease::Lease;
use crate::driver::race::{Won, race, within};
use crate::handler::HandlerFuture;
use crate::log::TARGET;
use crate::panics;
use crate::{CallOutcome, Channel, Options, Runtime, Status, Transport};

/// The time to read what a peer has sent that is not a call: a socket that is closed with bytes unread is reset.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A handler that can begin.
struct Begun<'h, T> {
    place: Place,
    span: Span,
    since: Instant,
    running: HandlerFuture<'h>,
    /// Where the conversation comes back.
    returned: Receiver<Lent<T>>,
}

type Lent<T> = Box<Conversation<T>>;

/// A call of a server.
///
/// Most calls wait in their handlers for most of the time. So the parts before and after that, which are larger, are
/// boxed; and a value is passed on before an await, because a future keeps its arguments beside what it made of them.
pub(super) struct Call<T: Transport> {
    peer: SocketAddr,
    server: Arc<Shared<T>>,
}

impl<T: Transport + Send + 'static> Call<T> {
    pub(super) fn new(server: Arc<Shared<T>>, peer: SocketAddr) -> Self {
        server.active.fetch_add(1, Ordering::AcqRel);
        Self { peer, server }
    }

    /// Sees a connection to its end. A stream that was handed over is not in the lobby.
    pub(super) fn run(self, transport: T, newcomer: Option<Newcomer>) -> impl Future<Output = ()> + Send {
        let Options { limits, leniency, reveal_values, .. } = self.server.options;
        let mut conversation = Box::new(Conversation::new(transport, limits, leniency));
        conversation.log.redactor.reveal(reveal_values);
        async move {
            let outcome = match Box::pin(self.begin(conversation, newcomer)).await {
                Ok(begun) => Some(self.handle(begun).await),
                Err(outcome) => outcome,
            };
            match outcome {
                Some(outcome) => self.server.counters.end(outcome),
                None => self.server.counters.refuse(),
            }
        }
    }

    /// Waits for the environment and makes the handler ready, in the call's span. An error says how it ended without a
    /// handler; `None`: it was refused.
    async fn begin(
        &self,
        mut conversation: Lent<T>,
        mut newcomer: Option<Newcomer>,
    ) -> Result<Begun<'_, T>, Option<CallOutcome>> {
        let request = match self.open(&mut conversation, newcomer.as_mut()).await {
            Ok(request) => request,
            Err(outcome) => {
                // no time is spent on a peer that has said nothing
                let linger = if conversation.heard { LAST_WORDS } else { Duration::ZERO };
                self.close(Channel::new(Lease::owned(conversation)), linger).await;
                return Err(Some(outcome));
            }
        };
        let environment = request.environment();
        // at the level of errors, so that a filter that lets these through shows whose they are
        let span = tracing::error_span!(target: TARGET, "call",
            channel = environment.channel().map(|name| String::from_utf8_lossy(name)).as_deref(),
            unique_id = environment.unique_id().map(|id| String::from_utf8_lossy(id)).as_deref(),
            script = &*String::from_utf8_lossy(request.path()),
            peer = %self.peer,
        );
        let place = match race(pin!(self.server.places.place()), pin!(self.server.cancel.told())).await {
            Won::First(place) => place,
            Won::Second(()) => {
                self.conclude(conversation, Some(Status::Busy), self.server.options.refusal_linger()).await;
                return Err(Some(CallOutcome::Cancelled));
            }
        };
        drop(newcomer);
        match span.in_scope(|| self.admit(place.is_refusal, &request)) {
            Ok(()) => {
                let (lease, returned) = Lease::lent(conversation);
                let running = span.in_scope(|| {
                    tracing::info!(target: TARGET, "call: began");
                    self.server.handler.run(Channel::new(lease), request)
                });
                Ok(Begun { place, span, since: T::Runtime::now(), running, returned })
            }
            Err(status) => {
                span.in_scope(|| tracing::warn!(target: TARGET, %status, "call: refused"));
                let linger = self.server.options.refusal_linger();
                self.conclude(conversation, Some(status), linger).instrument(span).await;
                Err(None)
            }
        }
    }

    /// Waits for the environment. An error says why there is no call.
    async fn open(
        &self,
        conversation: &mut Conversation<T>,
        newcomer: Option<&mut Newcomer>,
    ) -> Result<Request, CallOutcome> {
        let peer = self.peer;
        let opened = {
            let limit = self.server.options.environment_timeout;
            let environment = pin!(within::<T::Runtime, _>(limit, conversation.open()));
            let ended = pin!(async {
                let told = pin!(self.server.cancel.told());
                match newcomer {
                    Some(newcomer) => match race(told, &mut newcomer.evicted).await {
                        Won::First(()) => CallOutcome::Cancelled,
                        Won::Second(_) => CallOutcome::EnvironmentTimeout,
                    },
                    None => {
                        told.await;
                        CallOutcome::Cancelled
                    }
                }
            });
            race(environment, ended).await
        };
        match opened {
            Won::First(Some(Ok(true))) => {
                let environment = conversation.session.environment();
                Ok(Request::new(environment.expect("it has just come")))
            }
            Won::First(Some(Ok(false))) => {
                tracing::debug!(target: TARGET, %peer, "connection: closed without a byte");
                Err(CallOutcome::Probe)
            }
            Won::First(Some(Err(error))) => {
                tracing::warn!(target: TARGET, %peer, %error, "connection: invalid environment, closing");
                Err(CallOutcome::InvalidEnvironment)
            }
            Won::First(None) => {
                tracing::warn!(target: TARGET, %peer, "connection: no environment in time, closing");
                Err(CallOutcome::EnvironmentTimeout)
            }
            Won::Second(outcome) => {
                tracing::debug!(target: TARGET, %peer, %outcome, "connection: no environment yet, closing");
                Err(outcome)
            }
        }
    }

    /// Returns whether the call is taken, or the status for the dialplan.
    fn admit(&self, busy: bool, request: &Request) -> Result<(), Status> {
        if busy {
            return Err(Status::Busy);
        }
        let admitted = catch_unwind(AssertUnwindSafe(|| self.server.options.admits(self.peer, request)));
        admitted.unwrap_or_else(|panic| {
            panics::log("call: the admission panicked", panic);
            Err(Status::Failed)
        })
    }

    /// Runs the handler, and ends the call when the handler has ended.
    fn handle<'c>(&'c self, begun: Begun<'c, T>) -> impl Future<Output = CallOutcome> + 'c {
        let Begun { place, span, since, running, returned } = begun;
        self.see_through(place, since, running, returned).instrument(span)
    }

    async fn see_through(
        &self,
        place: Place,
        since: Instant,
        running: HandlerFuture<'_>,
        returned: Receiver<Lent<T>>,
    ) -> CallOutcome {
        let mut outcome = self.work(running).await;
        // The channel is dropped by now, unless the handler gave it to another task. That one may have it until the
        // server ends.
        match race(returned, pin!(self.server.cancel.told())).await {
            Won::First(Ok(conversation)) => {
                outcome = outcome.began_dead(conversation.session.began_dead());
                let linger = self.server.options.linger;
                Box::pin(self.conclude(conversation, outcome.status(), linger)).await;
            }
            Won::First(Err(_)) => {
                tracing::debug!(target: TARGET, "call: the handler has kept the stream");
            }
            Won::Second(()) => {
                tracing::warn!(target: TARGET, "call: the channel is still in use, and is left to its user");
            }
        }
        let elapsed = T::Runtime::now().saturating_duration_since(since);
        tracing::info!(target: TARGET, %outcome, ?elapsed, "call: ended");
        // before the end is counted, so that an observer who sees the call end finds its place free
        drop(place);
        outcome
    }

    async fn work(&self, mut running: HandlerFuture<'_>) -> CallOutcome {
        let outcome =
            race(pin!(panics::catch_unwind(running.as_mut())), pin!(self.server.cancel.told())).await;
        let outcome = match outcome {
            Won::First(Ok(Ok(()))) => CallOutcome::Success,
            Won::First(Ok(Err(error))) => {
                // one after the other: two panics at once would be the end of the process
                let outcome = panics::guard("call: the handler's error panicked", || failed(&*error));
                panics::guard("call: the handler's error panicked when it was dropped", || {
                    drop(error);
                    outcome
                })
            }
            Won::First(Err(panic)) => panics::log("call: the handler panicked", panic),
            Won::Second(()) => {
                tracing::debug!(target: TARGET, "call: the handler is cancelled");
                CallOutcome::Cancelled
            }
        };
        // the values that a cancelled handler still holds may panic, too
        panics::guard("call: the handler panicked when it was dropped", || {
            drop(running);
            outcome
        })
    }

    /// Tells the dialplan how it went, if it still listens, and closes.
    async fn conclude(&self, conversation: Lent<T>, status: Option<Status>, linger: Duration) {
        let mut channel = Channel::new(Lease::owned(conversation));
        if let (Some(name), Some(status), false) =
            (&self.server.options.status_variable, status, channel.is_closed())
        {
            let told = channel.call(SetVariable::new(name, status.as_str()));
            match within::<T::Runtime, _>(self.server.options.status_patience(), told).await {
                Some(Ok(())) => {}
                Some(Err(error)) if error.is_hangup() => {
                    tracing::debug!(target: TARGET, %error, %status, "call: the dialplan did not take the status");
                }
                Some(Err(error)) => {
                    tracing::warn!(target: TARGET, %error, %status, "call: the dialplan did not take the status");
                }
                None => {
                    tracing::debug!(target: TARGET, %status, "call: the dialplan did not take the status in time");
                }
            }
        }
        self.close(channel, linger).await;
    }

    async fn close(&self, channel: Channel<T>, linger: Duration) {
        if let Err(error) = channel.close_within(linger).await {
            tracing::debug!(target: TARGET, %error, "call: the connection was not closed by both sides");
        }
    }
}

impl<T: Transport> Drop for Call<T> {
    fn drop(&mut self) {
        if self.server.active.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.server.idle.notify(usize::MAX);
        }
    }
}

/// Logs a handler's error, unless it only says that the call is over.
fn failed(error: &(dyn StdError + Send + Sync + 'static)) -> CallOutcome {
    let error: &(dyn StdError + 'static) = error;
    crate::outcome::logged::<io::Error>(error)
}

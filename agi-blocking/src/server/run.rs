//! One call of a server, from its environment to its end.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use agi_proto::Request;
use agi_proto::commands::SetVariable;
use agi_service::{CallOutcome, Options, Status, logged, panics};

use super::calls::Guard;
use crate::{BoxHandler, Channel, Error, Stream};
use agi_service::log::TARGET;

/// The time to read what a peer has sent that is not a call: a socket that is closed with bytes unread is reset.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A call of a server.
pub(super) struct Call {
    pub(super) peer: SocketAddr,
    pub(super) options: Arc<Options>,
    /// The server is ending the conversations.
    pub(super) cut: Arc<AtomicBool>,
}

impl Call {
    /// Reads the environment, runs the handler and closes. `None`: it was refused.
    pub(super) fn run<S>(&self, stream: S, guard: &Guard, handler: &BoxHandler<S>) -> Option<CallOutcome>
    where
        S: Stream + 'static,
    {
        let Options { limits, leniency, reveal_values, .. } = *self.options;
        let mut channel = Channel::new(stream, limits, leniency, Arc::clone(&self.cut));
        channel.reveal_values(reveal_values);
        if let Err(outcome) = self.open(&mut channel, guard) {
            let linger = match outcome {
                CallOutcome::InvalidEnvironment => LAST_WORDS,
                _ => Duration::ZERO,
            };
            self.close(channel, linger);
            return Some(outcome);
        }
        let request = channel.request();
        let environment = request.environment();
        // at the level of errors, so that whatever is logged says of which call
        let span = tracing::error_span!(target: TARGET, "call",
            channel = environment.channel().map(|name| String::from_utf8_lossy(name)).as_deref(),
            unique_id = environment.unique_id().map(|id| String::from_utf8_lossy(id)).as_deref(),
            script = &*String::from_utf8_lossy(request.path()),
            peer = %self.peer,
        );
        let _entered = span.enter();
        let Some(is_served) = guard.wait_for_place(&self.options) else {
            self.conclude(channel, Some(Status::Busy), self.options.refusal_linger());
            return Some(CallOutcome::Cancelled);
        };
        match self.admit(is_served, &request) {
            Ok(()) => {
                tracing::info!(target: TARGET, "call: began");
                let since = Instant::now();
                let outcome = self.handle(&mut channel, &request, handler).began_dead(channel.began_dead());
                self.conclude(channel, outcome.status(), self.options.linger);
                tracing::info!(target: TARGET, %outcome, elapsed = ?since.elapsed(), "call: ended");
                Some(outcome)
            }
            Err(status) => {
                tracing::warn!(target: TARGET, %status, "call: refused");
                self.conclude(channel, Some(status), self.options.refusal_linger());
                None
            }
        }
    }

    /// Waits for the environment. An error says why there is no call.
    fn open<S: Stream>(&self, channel: &mut Channel<S>, guard: &Guard) -> Result<(), CallOutcome> {
        let peer = self.peer;
        let deadline = Instant::now().checked_add(self.options.environment_timeout);
        match channel.begin(deadline) {
            Ok(true) => Ok(()),
            Ok(false) | Err(Error::Io(_)) if self.is_cut() => {
                tracing::debug!(target: TARGET, %peer, "connection: no environment before the shutdown, closing");
                Err(CallOutcome::Cancelled)
            }
            _ if guard.is_evicted() => {
                tracing::debug!(target: TARGET, %peer, "connection: no environment yet, closing to make room");
                Err(CallOutcome::EnvironmentTimeout)
            }
            Ok(false) => {
                tracing::debug!(target: TARGET, %peer, "connection: closed without a byte");
                Err(CallOutcome::Probe)
            }
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::TimedOut => {
                tracing::warn!(target: TARGET, %peer, "connection: no environment in time, closing");
                Err(CallOutcome::EnvironmentTimeout)
            }
            Err(error) => {
                tracing::warn!(target: TARGET, %peer, %error, "connection: invalid environment, closing");
                Err(CallOutcome::InvalidEnvironment)
            }
        }
    }

    /// Returns whether the call is taken, or the status for the dialplan.
    fn admit(&self, is_served: bool, request: &Request) -> Result<(), Status> {
        if !is_served {
            return Err(Status::Busy);
        }
        let admitted = catch_unwind(AssertUnwindSafe(|| self.options.admits(self.peer, request)));
        admitted.unwrap_or_else(|panic| {
            panics::log("call: the admission panicked", panic);
            Err(Status::Failed)
        })
    }

    /// Tells the dialplan how it went, if it still listens, and closes.
    fn conclude<S: Stream>(&self, mut channel: Channel<S>, status: Option<Status>, linger: Duration) {
        if let (Some(name), Some(status), false) =
            (&self.options.status_variable, status, channel.is_closed())
        {
            let command = SetVariable::new(name, status.as_str());
            match channel.call_timeout(command, self.options.status_patience()) {
                Ok(Some(())) => {}
                Ok(None) => {
                    tracing::debug!(target: TARGET, %status, "call: the dialplan did not take the status in time");
                }
                Err(error) if error.is_hangup() => {
                    tracing::debug!(target: TARGET, %error, %status, "call: the dialplan did not take the status");
                }
                Err(error) => {
                    tracing::warn!(target: TARGET, %error, %status, "call: the dialplan did not take the status");
                }
            }
        }
        self.close(channel, linger);
    }

    fn close<S: Stream>(&self, mut channel: Channel<S>, linger: Duration) {
        if let Err(error) = channel.close_within(linger) {
            tracing::debug!(target: TARGET, %error, "call: the connection was not closed by both sides");
        }
    }

    fn handle<S: Stream + 'static>(
        &self,
        channel: &mut Channel<S>,
        request: &Request,
        handler: &BoxHandler<S>,
    ) -> CallOutcome {
        match catch_unwind(AssertUnwindSafe(|| handler.run(channel, request))) {
            Ok(Ok(())) => CallOutcome::Success,
            Ok(Err(error)) => {
                let is_cancelled = self.is_cut() && !channel.is_hung_up();
                // one after the other: two panics at once would be the end of the process
                let outcome = panics::guard("call: the handler's error panicked", || {
                    let error: &(dyn StdError + 'static) = &*error;
                    match logged::<io::Error>(error) {
                        // the conversation was closed by the server
                        CallOutcome::Hangup if is_cancelled => CallOutcome::Cancelled,
                        outcome => outcome,
                    }
                });
                panics::guard("call: the handler's error panicked when it was dropped", || {
                    drop(error);
                    outcome
                })
            }
            Err(panic) => panics::log("call: the handler panicked", panic),
        }
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }
}

//! One call of a server, from its environment to its end.

use std::any::Any;
use std::error::Error as StdError;
use std::io;
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use agi_proto::Request;
use agi_proto::commands::SetVariable;
use agi_proto::service::{Counters, Ending, Options, Status, panic_message};

use crate::{BoxHandler, Channel, Error};

/// What a call has of its server.
pub(super) struct Call {
    pub(super) peer: SocketAddr,
    /// There is no room for it, and it is told so.
    pub(super) busy: bool,
    pub(super) options: Arc<Options>,
    pub(super) counters: Arc<Counters>,
    /// The server is ending the conversations.
    pub(super) cut: Arc<AtomicBool>,
}

impl Call {
    /// Reads the environment, runs the handler and closes. `None`: it was refused.
    pub(super) fn run(&self, stream: TcpStream, handler: &BoxHandler) -> Option<Ending> {
        if self.busy {
            self.counters.refuse();
        }
        let Options { limits, leniency, reveal_values, .. } = *self.options;
        let mut channel = Channel::new(stream, limits, leniency, Arc::clone(&self.cut));
        channel.reveal_values(reveal_values);
        if let Err(ending) = self.open(&mut channel) {
            // not at once: what it has sent would be unread, and a reset tells nothing
            self.close(channel);
            return (!self.busy).then_some(ending);
        }
        let request = channel.request();
        let environment = request.environment();
        // at the level of errors, so that whatever is logged says of which call
        let span = tracing::error_span!(
            "call",
            channel = environment.channel().map(|name| String::from_utf8_lossy(name)).as_deref(),
            unique_id = environment.unique_id().map(|id| String::from_utf8_lossy(id)).as_deref(),
            script = &*String::from_utf8_lossy(request.path()),
            peer = %self.peer,
        );
        let _entered = span.enter();
        let (ending, status) = match self.admit(&request) {
            Ok(()) => {
                let ending = self.handle(&mut channel, &request, handler);
                (Some(ending), ending.status())
            }
            Err(status) => {
                tracing::warn!(%status, "the call is refused");
                (None, Some(status))
            }
        };
        self.conclude(channel, status);
        ending
    }

    /// An error says why there is no call.
    fn open(&self, channel: &mut Channel) -> Result<(), Ending> {
        let peer = self.peer;
        let deadline = Instant::now().checked_add(self.options.environment_timeout);
        match channel.begin(deadline) {
            Ok(true) => Ok(()),
            Ok(false) | Err(Error::Io(_)) if self.is_cut() => {
                tracing::debug!(%peer, "the server ended before the environment came");
                Err(Ending::Cancelled)
            }
            Ok(false) => {
                tracing::debug!(%peer, "closed without a byte");
                Err(Ending::Probe)
            }
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::TimedOut => {
                tracing::warn!(%peer, "the environment did not come in time");
                Err(Ending::Late)
            }
            Err(error) => {
                tracing::warn!(%peer, %error, "this is no call");
                Err(Ending::Invalid)
            }
        }
    }

    /// Whether the call is taken, or what the dialplan is told.
    fn admit(&self, request: &Request) -> Result<(), Status> {
        if self.busy {
            return Err(Status::Busy);
        }
        let admitted = catch_unwind(AssertUnwindSafe(|| self.options.admit(self.peer, request)));
        admitted.unwrap_or_else(|panic| {
            panicked("the admission panicked", panic);
            Err(Status::Failed)
        })
    }

    /// Tells the dialplan how it went, if it still listens, and closes.
    fn conclude(&self, mut channel: Channel, status: Option<Status>) {
        if let (Some(name), Some(status), false) =
            (&self.options.status_variable, status, channel.is_closed())
        {
            let command = SetVariable::new(name, status.as_str());
            match channel.call_timeout(command, self.options.status_patience()) {
                Ok(Some(())) => {}
                Ok(None) => tracing::debug!(%status, "the dialplan did not take the status in time"),
                Err(error) if error.is_hangup() => {
                    tracing::debug!(%error, %status, "the dialplan did not take the status");
                }
                Err(error) => tracing::warn!(%error, %status, "the dialplan did not take the status"),
            }
        }
        self.close(channel);
    }

    fn close(&self, mut channel: Channel) {
        if let Err(error) = channel.close_within(self.options.linger) {
            tracing::debug!(%error, "the connection was not closed by both sides");
        }
    }

    fn handle(&self, channel: &mut Channel, request: &Request, handler: &BoxHandler) -> Ending {
        match catch_unwind(AssertUnwindSafe(|| handler.run(channel, request))) {
            Ok(Ok(())) => {
                tracing::debug!("the handler is done");
                Ending::Success
            }
            Ok(Err(error)) => {
                let cancelled = self.is_cut() && !channel.is_hung_up();
                // one after the other: two panics at once would be the end of the process
                let ending = guarded("the handler's error panicked", || failed(&*error, cancelled));
                guarded("the handler's error panicked when it was dropped", || {
                    drop(error);
                    ending
                })
            }
            Err(panic) => panicked("the handler panicked", panic),
        }
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
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

/// Logs a handler's error, unless it is none. That the call is over means otherwise that it was cancelled.
fn failed(error: &(dyn StdError + Send + Sync + 'static), cancelled: bool) -> Ending {
    let error: &(dyn StdError + 'static) = error;
    let ending = match Ending::of::<io::Error>(error) {
        Ending::Hangup if cancelled => Ending::Cancelled,
        ending => ending,
    };
    match ending {
        Ending::Cancelled => tracing::debug!(error, "the handler was cancelled"),
        Ending::Hangup => tracing::debug!(error, "the call is over"),
        Ending::NotFound => tracing::warn!(error, "the handler found nothing"),
        _ => tracing::error!(error, "the handler failed"),
    }
    ending
}

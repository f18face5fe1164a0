//! The outcome of a call, for the dialplan, the log and the counters.

use std::error::Error as StdError;
use std::fmt;
use std::iter::successors;

use bstr::{BStr, BString};

use agi_proto::{CallOver, Error, Excerpt};

use crate::log::TARGET;
use crate::redact::Escaped;

/// The status that a server reports to the dialplan in the channel variable [`VARIABLE`](Self::VARIABLE).
///
/// Asterisk's own `AGISTATUS` says `SUCCESS` of every session that it could begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The service did what it does, or the caller hung up before.
    Success,
    /// It failed.
    Failed,
    /// There is no such service.
    NotFound,
    /// The server has as many calls as it takes.
    Busy,
}

impl Status {
    /// The variable's name, unless a server is told another.
    pub const VARIABLE: &'static str = "AGI_SERVER_STATUS";

    /// The variable's value: `SUCCESS`, `FAILED`, `NOT_FOUND` or `BUSY`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::NotFound => "NOT_FOUND",
            Self::Busy => "BUSY",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a server does with a call when it has as many as it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// It is told [`Status::Busy`] at once, so that the dialplan can do something else.
    #[default]
    Refuse,
    /// It waits in the kernel's queue, and the caller hears nothing, until another call ends.
    Wait,
}

/// The way in which a served connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// The handler returned.
    Success,
    /// The handler returned because the caller had hung up.
    Hangup,
    /// The handler returned because a command needs a live channel (511), no such command had run before, and no hangup was
    /// announced. The channel was hung up before the call began, as in the extension `h` and in a hangup handler; or the
    /// dialplan has set `AGISIGHUP=no`, and the caller left before the first such command.
    Refused,
    /// The handler failed.
    Failed,
    /// The handler panicked.
    Panicked,
    /// There was no route for the path.
    NotFound,
    /// The server was shut down first: the handler was dropped, or found the conversation closed if it has a thread, or
    /// the environment had not come yet.
    Cancelled,
    /// Closed without sending anything, for example by a port scan or a health check.
    Probe,
    /// The environment did not come in time.
    EnvironmentTimeout,
    /// Something else than an environment came.
    InvalidEnvironment,
}

impl CallOutcome {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Success,
        Self::Hangup,
        Self::Refused,
        Self::Failed,
        Self::Panicked,
        Self::NotFound,
        Self::Cancelled,
        Self::Probe,
        Self::EnvironmentTimeout,
        Self::InvalidEnvironment,
    ];

    /// Returns the meaning of a handler's error, by its type and by its causes: an [`Error`] that only says that the
    /// call [is over](Error::is_hangup), also where another error hides it (see [`CallOver`]), a [`NotFound`], or a
    /// failure.
    pub fn of<Io: fmt::Debug + 'static>(error: &(dyn StdError + 'static)) -> Self
    where
        Error<Io>: StdError,
    {
        let kind = |error: &(dyn StdError + 'static)| match error.downcast_ref::<Error<Io>>() {
            Some(error) => error.is_hangup().then_some(Self::Hangup),
            None if error.is::<CallOver>() => Some(Self::Hangup),
            None => error.is::<NotFound>().then_some(Self::NotFound),
        };
        successors(Some(error), |&error| error.source()).find_map(kind).unwrap_or(Self::Failed)
    }

    /// Returns the outcome with regard to whether the session [began dead](agi_proto::Session::began_dead), and logs it if it
    /// did.
    pub fn began_dead(self, began_dead: bool) -> Self {
        if self != Self::Hangup || !began_dead {
            return self;
        }
        tracing::warn!(
            target: TARGET,
            "call: the first command that needs a live channel was refused (511), and no HANGUP came: the channel was hung up \
             before the call began (extension h, hangup handler), or the dialplan has set AGISIGHUP=no"
        );
        Self::Refused
    }

    /// Returns the status for the dialplan; `None` if there is no dialplan to tell.
    pub fn status(self) -> Option<Status> {
        match self {
            Self::Success | Self::Hangup | Self::Refused => Some(Status::Success),
            Self::Failed | Self::Panicked | Self::Cancelled => Some(Status::Failed),
            Self::NotFound => Some(Status::NotFound),
            Self::Probe | Self::EnvironmentTimeout | Self::InvalidEnvironment => None,
        }
    }
}

/// The name of the outcome, in lower case.
impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Success => "success",
            Self::Hangup => "hangup",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::NotFound => "not found",
            Self::Cancelled => "cancelled",
            Self::Probe => "probe",
            Self::EnvironmentTimeout => "environment timeout",
            Self::InvalidEnvironment => "invalid environment",
        })
    }
}

/// No route leads to this path. A handler that gives this error ends its call with [`Status::NotFound`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no service at {}", Excerpt(.path))]
pub struct NotFound {
    path: BString,
}

impl NotFound {
    /// Nothing is there at a path.
    pub fn new(path: &BStr) -> Self {
        Self { path: path.to_owned() }
    }

    /// The path.
    pub fn path(&self) -> &BStr {
        self.path.as_ref()
    }
}

/// Logs a handler's error, escaped as all text of others is, and returns the outcome that it means. An error that only
/// says that the call is over is not a failure.
pub fn logged<Io: fmt::Debug + 'static>(error: &(dyn StdError + 'static)) -> CallOutcome
where
    Error<Io>: StdError,
{
    let outcome = CallOutcome::of::<Io>(error);
    let error = Causes(error);
    match outcome {
        CallOutcome::Hangup => tracing::debug!(target: TARGET, %error, "call: over"),
        CallOutcome::NotFound => {
            tracing::warn!(target: TARGET, %error, "call: the handler found nothing");
        }
        _ => tracing::error!(target: TARGET, %error, "call: the handler failed"),
    }
    outcome
}

/// An error and its causes, as one line of plain text.
struct Causes<'a>(&'a (dyn StdError + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = String::new();
        for error in successors(Some(self.0), |&error| error.source()) {
            let text = error.to_string();
            // many errors show their cause themselves
            if !last.ends_with(&text) {
                let colon = if last.is_empty() { "" } else { ": " };
                write!(f, "{colon}{}", Escaped(text.as_bytes()))?;
            }
            last = text;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agi_proto::Rejection;

    #[derive(Debug, thiserror::Error)]
    #[error("a service's own")]
    struct Ours<E: StdError + 'static>(#[source] E);

    /// As `anyhow::Error` is one.
    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Hidden(Error<fmt::Error>);

    #[test]
    fn an_error_is_judged_by_its_causes() {
        type Any = Error<fmt::Error>;
        let of = |error: &(dyn StdError + 'static)| CallOutcome::of::<fmt::Error>(error);
        assert_eq!(of(&Any::Hangup), CallOutcome::Hangup);
        assert_eq!(of(&Ours(Any::Closed)), CallOutcome::Hangup);
        assert_eq!(of(&Hidden(Any::Hangup)), CallOutcome::Hangup);
        let refused = |hung_up| {
            let text = "Not Permitted".into();
            of(&Ours(Hidden(Any::Rejected(Rejection::DeadChannel { text, hung_up }))))
        };
        assert_eq!((refused(true), refused(false)), (CallOutcome::Hangup, CallOutcome::Failed));
        assert_eq!(of(&Hidden(Any::Rejected(Rejection::UnknownCommand))), CallOutcome::Failed);
        assert_eq!(of(&Ours(Any::Io(fmt::Error))), CallOutcome::Failed);
        assert_eq!(of(&Ours(fmt::Error)), CallOutcome::Failed);
        assert_eq!(NotFound::new("/\x1b[2J".into()).to_string(), r#"no service at "/\x1b[2J""#);
        assert_eq!(of(&Ours(Ours(NotFound::new("/x".into())))), CallOutcome::NotFound);
    }
}

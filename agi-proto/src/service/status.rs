//! How a call ended, for the dialplan, the log and the counters.

use alloc::borrow::ToOwned;
use core::error::Error as StdError;
use core::fmt;
use core::iter::successors;

use bstr::{BStr, BString};

use crate::values::excerpt::Excerpt;
use crate::{CallOver, Error};

/// What a server tells the dialplan in the channel variable [`VARIABLE`](Self::VARIABLE).
///
/// Asterisk's own `AGISTATUS` says `SUCCESS` of every session that it could begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// How a connection ended that was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The handler returned.
    Success,
    /// The handler returned because the caller had hung up.
    Hangup,
    /// The handler gave an error.
    Failed,
    /// The handler panicked.
    Panicked,
    /// There was no route for the path.
    NotFound,
    /// The server was shut down before the handler was done, which was dropped, or found the conversation closed if it
    /// has a thread of its own. So also where the environment had not come yet.
    Cancelled,
    /// Closed without a byte, as by somebody who looks whether the port is open.
    Probe,
    /// The environment did not come in time.
    Late,
    /// What came was no environment.
    Invalid,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Hangup,
        Self::Failed,
        Self::Panicked,
        Self::NotFound,
        Self::Cancelled,
        Self::Probe,
        Self::Late,
        Self::Invalid,
    ];

    /// What a handler's error means, by what it is and by its causes: an [`Error`] that only says that the
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

    /// What the dialplan is told; `None` where there is none that could be.
    pub fn status(self) -> Option<Status> {
        match self {
            Self::Success | Self::Hangup => Some(Status::Success),
            Self::Failed | Self::Panicked | Self::Cancelled => Some(Status::Failed),
            Self::NotFound => Some(Status::NotFound),
            Self::Probe | Self::Late | Self::Invalid => None,
        }
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

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::Rejection;

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
        let of = |error: &(dyn StdError + 'static)| Ending::of::<fmt::Error>(error);
        assert_eq!(of(&Any::Hangup), Ending::Hangup);
        assert_eq!(of(&Ours(Any::Closed)), Ending::Hangup);
        assert_eq!(of(&Hidden(Any::Hangup)), Ending::Hangup);
        assert_eq!(of(&Ours(Hidden(Any::Rejected(Rejection::DeadChannel)))), Ending::Hangup);
        assert_eq!(of(&Hidden(Any::Rejected(Rejection::UnknownCommand))), Ending::Failed);
        assert_eq!(of(&Ours(Any::Io(fmt::Error))), Ending::Failed);
        assert_eq!(of(&Ours(fmt::Error)), Ending::Failed);
        assert_eq!(NotFound::new("/\x1b[2J".into()).to_string(), r#"no service at "/\x1b[2J""#);
        assert_eq!(of(&Ours(Ours(NotFound::new("/x".into())))), Ending::NotFound);
    }
}

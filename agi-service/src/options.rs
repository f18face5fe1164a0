//! Server options.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use agi_proto::{Leniency, Limits, Request};

use crate::{AllowList, Status, WhenFull};

/// The options of a [`Server`](crate::Server), and of [`Calls`](crate::Calls) without a listener.
#[derive(Clone)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the methods document them")]
pub struct Options {
    pub limits: Limits,
    pub leniency: Leniency,
    pub environment_timeout: Duration,
    pub linger: Duration,
    pub shutdown_timeout: Duration,
    pub max_calls: usize,
    pub when_full: WhenFull,
    pub status_variable: Option<String>,
    pub reveal_values: bool,
    pub allowed: Option<AllowList>,
    pub admission: Option<Admission>,
}

/// Decides whether a call is taken.
pub type Admission = Arc<dyn Fn(SocketAddr, &Request) -> Result<(), Status> + Send + Sync>;

/// The time that the dialplan has to take the status. It does so at once, unless a command that was given up still runs.
const STATUS_PATIENCE: Duration = Duration::from_secs(1);

/// The longest linger of a connection that was not served: it has nothing to lose but an orderly end.
const REFUSAL_LINGER: Duration = Duration::from_secs(2);

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            leniency: Leniency::default(),
            environment_timeout: Duration::from_secs(30),
            linger: Duration::from_secs(5),
            shutdown_timeout: Duration::from_secs(30),
            max_calls: usize::MAX,
            when_full: WhenFull::default(),
            status_variable: Some(Status::VARIABLE.into()),
            reveal_values: false,
            allowed: None,
            admission: None,
        }
    }
}

impl Options {
    crate::server_options!(self => self);

    /// Returns whether a peer may connect.
    pub fn allows(&self, peer: IpAddr) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.allows(peer))
    }

    /// Asks the admission whether a call is taken.
    ///
    /// # Errors
    ///
    /// The status that the dialplan is told if it is not.
    pub fn admits(&self, peer: SocketAddr, request: &Request) -> Result<(), Status> {
        self.admission.as_ref().map_or(Ok(()), |admission| admission(peer, request))
    }

    /// Returns the time that the dialplan has to take the status.
    pub fn status_patience(&self) -> Duration {
        STATUS_PATIENCE.min(self.linger)
    }

    /// Returns the time to linger after a call that was refused, or after bytes that were not a call.
    pub fn refusal_linger(&self) -> Duration {
        REFUSAL_LINGER.min(self.linger)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_calls", &self.max_calls)
            .field("when_full", &self.when_full)
            .field("allowed", &self.allowed)
            .field("environment_timeout", &self.environment_timeout)
            .field("status_variable", &self.status_variable)
            .finish_non_exhaustive()
    }
}

/// Expands to the methods that set [`Options`], for all types that have some: `server_options!(self => self.options)`.
#[macro_export]
macro_rules! server_options {
    ($self:ident => $options:expr) => {
        /// Limits how many of a peer's bytes a call keeps.
        pub fn limits(mut $self, limits: $crate::agi_proto::Limits) -> Self {
            $options.limits = limits;
            $self
        }

        /// Lets deviations of a peer that is not Asterisk pass.
        pub fn leniency(mut $self, leniency: $crate::agi_proto::Leniency) -> Self {
            $options.leniency = leniency;
            $self
        }

        /// Limits the time in which a new connection must send its whole environment: 30 seconds by default. Asterisk
        /// sends it at once.
        pub fn environment_timeout(mut $self, timeout: ::core::time::Duration) -> Self {
            $options.environment_timeout = timeout;
            $self
        }

        /// Limits the wait at the end of a call for Asterisk to close, too: 5 seconds by default.
        pub fn linger(mut $self, timeout: ::core::time::Duration) -> Self {
            $options.linger = timeout;
            $self
        }

        /// Limits how long calls may go on at shutdown: 30 seconds by default.
        pub fn shutdown_timeout(mut $self, timeout: ::core::time::Duration) -> Self {
            $options.shutdown_timeout = timeout;
            $self
        }

        /// Limits how many calls are served at once, at least one. By default 256 on threads, and otherwise as many as
        /// there are file descriptors.
        pub fn max_calls(mut $self, max_calls: usize) -> Self {
            $options.max_calls = max_calls.max(1);
            $self
        }

        /// Sets what happens to a call beyond [`max_calls`](Self::max_calls): it is refused by default.
        pub fn when_full(mut $self, when_full: $crate::WhenFull) -> Self {
            $options.when_full = when_full;
            $self
        }

        /// Takes connections from these networks only; another peer is disconnected without a byte. By default from
        /// everywhere that can connect.
        pub fn allow(mut $self, allowed: $crate::AllowList) -> Self {
            $options.allowed = Some(allowed);
            $self
        }

        /// Decides by the peer's address and by the request whether a call is taken. A call that is not is told the
        /// status, and returned to the dialplan.
        ///
        /// It must not block: it is called before anything of the call runs.
        pub fn admit(
            mut $self,
            admission: impl Fn(
                ::core::net::SocketAddr,
                &$crate::agi_proto::Request,
            ) -> ::core::result::Result<(), $crate::Status>
            + Send
            + Sync
            + 'static,
        ) -> Self {
            $options.admission = Some(::std::sync::Arc::new(admission));
            $self
        }

        /// Sets the channel variable by which the dialplan learns how the call ended, as a
        /// [`Status`]($crate::Status): `AGI_SERVER_STATUS` by default, none for `None`. It is set at the end of the
        /// call, if Asterisk takes it within a second.
        pub fn status_variable<'a>(mut $self, name: impl Into<::core::option::Option<&'a str>>) -> Self {
            $options.status_variable = name.into().map(::core::convert::Into::into);
            $self
        }

        /// Sets whether the log may show the values that are set in variables and in the database, and the replies to
        /// `GET DATA`, `GET OPTION` and `WAIT FOR DIGIT`. Those may be PINs, and are hidden by default. Other replies
        /// are shown, also the single key that ends a prompt.
        pub fn reveal_values(mut $self, reveal: bool) -> Self {
            $options.reveal_values = reveal;
            $self
        }
    };
}

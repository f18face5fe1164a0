//! What a server can be told.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use super::{AllowList, Status, WhenFull};
use crate::Request;
use crate::{Leniency, Limits};

/// The options of every adapter's server, which sets them by the methods that `server_options!` expands to.
#[derive(Clone)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the methods say it")]
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
    allowed: Option<AllowList>,
    admission: Option<Admission>,
}

type Admission = Arc<dyn Fn(SocketAddr, &Request) -> Result<(), Status> + Send + Sync>;

/// How long the dialplan may take to take the status. It does so at once, unless a command runs on that was
/// given up.
const STATUS_PATIENCE: Duration = Duration::from_secs(1);

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
    /// Sets the networks that calls are taken from.
    pub fn set_allowed(&mut self, allowed: AllowList) {
        self.allowed = Some(allowed);
    }

    /// Sets what decides on each call.
    pub fn set_admission(
        &mut self,
        admission: impl Fn(SocketAddr, &Request) -> Result<(), Status> + Send + Sync + 'static,
    ) {
        self.admission = Some(Arc::new(admission));
    }

    /// Whether a peer may connect.
    pub fn allows(&self, peer: IpAddr) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.allows(peer))
    }

    /// Whether a call is taken.
    ///
    /// # Errors
    ///
    /// What the dialplan is told of one that is not.
    pub fn admit(&self, peer: SocketAddr, request: &Request) -> Result<(), Status> {
        self.admission.as_ref().map_or(Ok(()), |admission| admission(peer, request))
    }

    /// How long to wait until the dialplan has taken the status.
    pub fn status_patience(&self) -> Duration {
        STATUS_PATIENCE.min(self.linger)
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

/// The methods of a server with a field `options: `[`Options`](crate::service::Options), for all adapters.
#[doc(hidden)]
#[macro_export]
macro_rules! server_options {
    () => {
        /// How much of a peer's bytes a call keeps.
        pub fn limits(mut self, limits: $crate::Limits) -> Self {
            self.options.limits = limits;
            self
        }

        /// Which oddities of a peer that is no Asterisk are let pass.
        pub fn leniency(mut self, leniency: $crate::Leniency) -> Self {
            self.options.leniency = leniency;
            self
        }

        /// How long a new connection may take to send its whole environment: 30 seconds unless told
        /// otherwise. Asterisk sends it at once.
        pub fn environment_timeout(mut self, timeout: ::core::time::Duration) -> Self {
            self.options.environment_timeout = timeout;
            self
        }

        /// How long to wait at the end of a call for Asterisk to close too: 5 seconds unless told otherwise.
        pub fn linger(mut self, timeout: ::core::time::Duration) -> Self {
            self.options.linger = timeout;
            self
        }

        /// How long calls may go on at shutdown: 30 seconds unless told otherwise.
        pub fn shutdown_timeout(mut self, timeout: ::core::time::Duration) -> Self {
            self.options.shutdown_timeout = timeout;
            self
        }

        /// How many calls are served at once, at least one: 256 on threads, and as many as there are file
        /// descriptors otherwise, unless told otherwise.
        pub fn max_calls(mut self, max_calls: usize) -> Self {
            self.options.max_calls = max_calls.max(1);
            self
        }

        /// What becomes of a call beyond that: it is refused, unless told otherwise.
        pub fn when_full(mut self, when_full: $crate::service::WhenFull) -> Self {
            self.options.when_full = when_full;
            self
        }

        /// Takes connections from these networks only; another peer is disconnected without a byte. From
        /// everywhere that can connect, unless told otherwise.
        pub fn allow(mut self, allowed: $crate::service::AllowList) -> Self {
            self.options.set_allowed(allowed);
            self
        }

        /// Decides by the peer's address and by the request whether a call is taken; one that is not is told
        /// this status and given back to the dialplan.
        ///
        /// It must not block: it is called before anything of the call is run.
        pub fn admit(
            mut self,
            admission: impl Fn(
                ::core::net::SocketAddr,
                &$crate::Request,
            ) -> ::core::result::Result<(), $crate::service::Status>
            + Send
            + Sync
            + 'static,
        ) -> Self {
            self.options.set_admission(admission);
            self
        }

        /// The channel variable that tells the dialplan how the call ended, by a
        /// [`Status`]($crate::service::Status): `AGI_SERVER_STATUS` unless told otherwise, and none for
        /// `None`. It is set at the end of the call, if Asterisk takes it within a second.
        pub fn status_variable<'a>(mut self, name: impl Into<::core::option::Option<&'a str>>) -> Self {
            self.options.status_variable = name.into().map(::core::convert::Into::into);
            self
        }

        /// Whether the log may show the values that are set in variables and in the database, and what answers
        /// `GET DATA`, `GET OPTION` and `WAIT FOR DIGIT`. Those may be PINs, and are hidden unless told otherwise.
        /// Other answers are shown, also the single key that ends a prompt.
        pub fn reveal_values(mut self, reveal: bool) -> Self {
            self.options.reveal_values = reveal;
            self
        }
    };
}

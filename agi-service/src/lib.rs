//! Everything between an AGI session and a runtime: channels, servers, handlers, routes, options, counters, the log.
//!
//! Services use it through the crate of their runtime: `agi-tokio`, `agi-smol`, `agi-async-std`, or `agi-blocking`, whose
//! types are these. To bring AGI to another runtime, implement two traits: [`Runtime`] (timers, tasks, a listener) and
//! [`Transport`] (the bytes of one conversation).
//!
//! agi-blocking, whose calls have threads, drives its sessions itself. It shares the parts that are not a loop:
//! [`Options`], [`Counters`], [`Routes`], [`CallOutcome`], [`log`], [`panics`], [`redact`], [`swap`] and [`tcp`].

#![forbid(unsafe_code)]

mod allow;
mod builder;
mod channel;
mod counters;
mod driver;
#[cfg(feature = "futures-io")]
mod futures_io;
mod handler;
pub mod log;
mod options;
mod outcome;
pub mod panics;
pub mod redact;
mod routes;
mod runtime;
mod server;
pub mod swap;
pub mod tcp;
mod transport;

pub use agi_proto;

pub use self::allow::{AllowList, AllowListError};
pub use self::builder::ChannelBuilder;
pub use self::channel::{Channel, LINGER};
pub use self::counters::{Counters, CountersSnapshot};
pub use self::driver::conversation::nonce;
#[cfg(feature = "futures-io")]
pub use self::futures_io::FuturesIo;
pub use self::handler::{
    BoxError, BoxHandler, Handler, HandlerFuture, Replaceable, Router, layer, with_state,
};
pub use self::options::{Admission, Options};
pub use self::outcome::{CallOutcome, NotFound, Status, WhenFull, logged};
pub use self::routes::{RouteError, Routes};
pub use self::runtime::{Carries, CarriesTcp, Runtime};
pub use self::server::{Calls, Server};
pub use self::transport::{HangupSignal, Transport, is_gone};

/// The reason why a command returned no reply. See [`agi_proto::Error`] for each kind, and
/// [`is_hangup`](agi_proto::Error::is_hangup) for whether the call is simply over.
pub type Error = agi_proto::Error<std::io::Error>;

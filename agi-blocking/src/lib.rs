#![doc = include_str!("crate.md")]
#![forbid(unsafe_code)]

mod channel;
#[cfg(unix)]
pub mod eagi;
#[cfg(unix)]
mod handler;
mod log;
#[cfg(unix)]
pub mod process;
#[cfg(unix)]
mod router;
#[cfg(unix)]
mod server;
mod stream;

pub use agi_proto;
pub use agi_proto::service::{AllowList, Counters, Counts, Ending, NotFound, Status, WhenFull};
pub use agi_proto::{Command, Digit, Environment, EscapeDigits, Leniency, Limits, Request};

pub use self::channel::Channel;
#[cfg(unix)]
pub use self::handler::{BoxHandler, Handler, layer, with_state};
#[cfg(unix)]
pub use self::router::{Replaceable, Router};
#[cfg(unix)]
pub use self::server::{Server, Shutdown};
pub use self::stream::{Plain, Stream};

/// Why a command gave no reply. See [`agi_proto::Error`] for each kind, and
/// [`is_hangup`](agi_proto::Error::is_hangup) for whether the call is simply over.
pub type Error = agi_proto::Error<std::io::Error>;

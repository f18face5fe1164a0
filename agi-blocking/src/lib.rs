#![doc = include_str!("crate.md")]
#![forbid(unsafe_code)]

mod channel;
#[cfg(unix)]
pub mod eagi;
#[cfg(unix)]
mod handler;
#[cfg(unix)]
pub mod process;
#[cfg(unix)]
mod router;
#[cfg(unix)]
mod server;
mod stream;

pub use agi_proto;
pub use agi_proto::{Command, Digit, Environment, EscapeDigits, Leniency, Limits, Request};
pub use agi_service::{
    AllowList, CallOutcome, Counters, CountersSnapshot, Error, NotFound, Options, RouteError, Status,
    WhenFull,
};

pub use self::channel::{Channel, ChannelBuilder};
#[cfg(unix)]
pub use self::handler::{BoxHandler, Handler, layer, with_state};
#[cfg(unix)]
pub use self::router::{Replaceable, Router};
#[cfg(unix)]
pub use self::server::{Calls, Server, Shutdown};
pub use self::stream::{NoTimeouts, Stream};

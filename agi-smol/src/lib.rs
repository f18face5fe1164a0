//! AGI services for Asterisk on smol.
//!
//! Asterisk's dialplan hands a call to a service with `AGI(agi://host/path)`: it connects, tells about the
//! call, and runs the commands that the service sends. A [`Server`] takes such connections and runs a
//! handler for each; the handler steers its call over a [`Channel`]:
//!
//! ```no_run
//! use agi_smol::{Channel, Error, Server};
//!
//! async fn ivr(mut channel: Channel) -> Result<(), Error> {
//!     channel.answer().await?;
//!     channel.stream_file("demo-congrats", "#").await?;
//!     channel.set_variable("RESULT", "played").await
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     smol::block_on(async { Server::bind_local().await?.serve(ivr).await })
//! }
//! ```
//!
//! When the caller hangs up, the next command that needs a live channel fails with an error for which
//! [`is_hangup`](agi_proto::Error::is_hangup) holds, `?` ends the handler, and the server takes that for the
//! ordinary end of a call. Variables, the database, `VERBOSE` and `EXEC` go on working: a loop of those alone asks
//! [`Channel::is_hung_up`].
//!
//! Every call of a command may be dropped at any time, by a time-out or in a race: the next one still
//! gets its own reply. A handler may wait for something else and for the end of the call at once, with
//! [`Channel::hung_up`].
//!
//! Programs that Asterisk runs itself, and the caller's audio (EAGI), are in agi-tokio and agi-blocking only: such a
//! program has one call, and nothing else on its runtime.
//!
//! Commands with all their options are the types in [`agi_proto::commands`], for [`Channel::call`].

#![forbid(unsafe_code)]

mod channel;
mod conversation;
#[doc(hidden)]
pub mod generic;
mod handler;
mod lease;
mod log;
mod race;
#[cfg(feature = "server")]
mod server;
mod stream;

pub use agi_proto;
pub use agi_proto::service::{AllowList, Counters, Counts, Ending, NotFound, Status, WhenFull};
pub use agi_proto::{Command, Digit, Environment, EscapeDigits, Leniency, Limits, Request};

pub use self::channel::Channel;
pub use self::handler::{BoxHandler, Handler, Replaceable, Router, layer, with_state};
#[cfg(feature = "server")]
pub use self::server::Server;

/// Why a command gave no reply. See [`agi_proto::Error`] for each kind, and
/// [`is_hangup`](agi_proto::Error::is_hangup) for whether the call is simply over.
pub type Error = agi_proto::Error<std::io::Error>;

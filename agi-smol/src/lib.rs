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
//! [`Channel::wait_for_hangup`].
//!
//! Programs that Asterisk runs itself, and the caller's audio (EAGI), are in agi-tokio and agi-blocking only: such a
//! program has one call, and nothing else on its runtime.
//!
//! Commands with all their options are the types in [`agi_proto::commands`], for [`Channel::call`].

#![forbid(unsafe_code)]

mod runtime;

pub use agi_proto;
pub use agi_proto::{Command, Digit, Environment, EscapeDigits, Leniency, Limits, Request};
use agi_service::FuturesIo;
pub use agi_service::{
    AllowList, CallOutcome, Counters, CountersSnapshot, Error, Handler, NotFound, Options, RouteError,
    Status, WhenFull, layer, with_state,
};
use smol::net::TcpStream;

pub use self::runtime::Smol;

/// One call, as Asterisk hands it over: commands go out, replies come back.
pub type Channel<S = TcpStream> = agi_service::Channel<FuturesIo<S, Smol>>;

/// Makes a [`Channel`] of a stream that Asterisk speaks on, without a server.
pub type ChannelBuilder = agi_service::ChannelBuilder<Smol>;

/// A FastAGI server.
pub type Server = agi_service::Server<Smol>;

/// Serves streams from a source that is not a listener.
pub type Calls<S = TcpStream> = agi_service::Calls<FuturesIo<S, Smol>>;

/// A handler of any type.
pub type BoxHandler<S = TcpStream> = agi_service::BoxHandler<Channel<S>>;

/// Chooses a handler by the path of the script's URL.
pub type Router<S = TcpStream> = agi_service::Router<Channel<S>>;

/// A handler that can be replaced while a server runs it. A clone is the same one.
pub type Replaceable<S = TcpStream> = agi_service::Replaceable<Channel<S>>;

#![doc = include_str!("crate.md")]
#![forbid(unsafe_code)]

mod channel;
#[cfg(unix)]
mod server;
mod stream;

pub use agi_proto as proto;

pub use self::channel::Channel;
#[cfg(unix)]
pub use self::server::{Server, Shutdown};
pub use self::stream::{Plain, Stream};

/// What came of a call that was not what it is for. Its page says for each kind whether one may go on.
pub type Error = agi_proto::Error<std::io::Error>;

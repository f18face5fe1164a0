//! How a caller reaches a service.

#[cfg(feature = "blocking")]
mod blocking;
#[cfg(feature = "futures-io")]
mod futures;
mod line;
mod link;
mod tcp;
#[cfg(feature = "tokio")]
mod tokio;

pub use self::line::Line;
pub use self::link::Link;
#[cfg(feature = "tokio")]
pub use self::tokio::AsyncLine;

#![doc = include_str!("crate.md")]
#![forbid(unsafe_code)]

mod caller;
mod model;
mod run;
pub mod trace;

pub use agi_proto;

pub use self::caller::{CLASSES, Call, Caller, Class, Segmentation, Transcript, hostile_values};
pub use self::model::{Application, Audio, Callee, Channel, Event, Pbx, Setup, Status, Subroutine, Unknown};
#[cfg(feature = "tokio")]
pub use self::run::AsyncLine;
pub use self::run::{Line, Link};

/// Why a command over a [`Link`] gave no reply.
pub type Error = agi_proto::Error<std::io::Error>;

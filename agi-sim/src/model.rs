//! The model: what Asterisk does with a session, as bytes, events and time.

mod channel;
mod commands;
mod event;
mod expand;
mod expression;
mod functions;
mod job;
mod pbx;
mod setup;
mod state;
mod wire;

pub use self::channel::Channel;
pub use self::event::{Event, Status};
pub use self::pbx::Pbx;
pub use self::setup::{Application, Audio, Callee, Setup, Subroutine, Unknown};

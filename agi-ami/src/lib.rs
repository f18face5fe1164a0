#![doc = include_str!("crate.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod action;
mod call;
mod calls;
mod command;
mod connection;
mod error;
mod event;
mod ids;
mod input;
mod login;
mod message;
mod options;
mod out;
mod pipe;
mod status;

pub use self::action::{ActionError, COMMAND_BYTES};
pub use self::connection::Connection;
pub use self::error::{ConnectionError, SendError};
pub use self::event::{End, Event, Fate, Refusal};
pub use self::ids::CallId;
pub use self::login::Credentials;
pub use self::options::{Options, Orphans};
pub use self::pipe::Cut;

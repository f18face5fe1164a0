#![doc = include_str!("crate.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "server"))]
extern crate std;

pub mod arguments;
mod asterisk;
mod command;
pub mod commands;
mod digit;
pub mod eagi;
mod encode;
mod environment;
mod error;
mod frame;
mod limits;
mod line;
mod methods;
mod output;
pub mod reply;
mod request;
mod response;
pub mod service;
mod session;

pub use bstr::{BStr, BString};

pub use self::asterisk::{Asterisk, AsteriskEvent, Invocation};
pub use self::command::{Command, CommandInfo, OnInput, Pending, Raw, RawReply, ReplyShape, WithResponse};
pub use self::digit::{Digit, EscapeDigits};
pub use self::encode::CommandLine;
pub use self::environment::{
    CallingPresentation, Environment, EnvironmentError, Presentation, Screening, Version,
};
pub use self::error::{
    CallError, CallOver, EncodeError, Error, ProtocolError, Rejection, ReplyError, ReplyErrorKind,
};
pub use self::limits::{Leniency, Limits};
pub use self::line::{LineBuffer, TooLong};
pub use self::request::Request;
pub use self::response::Response;
pub use self::session::{Event, Session};

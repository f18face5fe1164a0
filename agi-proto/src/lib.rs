#![doc = include_str!("crate.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "server"))]
extern crate std;

mod codec;
mod flow;
pub mod service;
mod values;

pub use bstr::{BStr, BString};

pub use self::codec::command::{Command, Pending};
pub use self::codec::commands::{Raw, RawReply, WithResponse};
pub use self::codec::encode::CommandLine;
pub use self::codec::environment::{CallingPresentation, Environment, Presentation, Screening, Version};
pub use self::codec::line::{LineBuffer, TooLong};
pub use self::codec::request::Request;
pub use self::codec::response::Response;
pub use self::codec::{arguments, commands, eagi, proxy, reply};
pub use self::flow::asterisk::{Asterisk, AsteriskEvent, Invocation};
pub use self::flow::session::{Event, Session};
pub use self::values::digit::{Digit, EscapeDigits};
pub use self::values::error::{
    CallError, CallOver, EncodeError, EnvironmentError, Error, ProtocolError, Rejection, ReplyError,
    ReplyErrorKind,
};
pub use self::values::info::{CommandInfo, OnInput, ReplyShape};
pub use self::values::limits::{Leniency, Limits};

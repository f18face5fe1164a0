#![doc = include_str!("crate.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod codec;
mod flow;
mod values;

pub use bstr::{BStr, BString};

pub use self::codec::audio::{AudioFrame, FormatError, SampleRate};
pub use self::codec::command::{Command, Pending};
pub use self::codec::commands::{RawCommand, RawReply, WithResponse};
pub use self::codec::encode::CommandEncoder;
pub use self::codec::environment::{
    AsteriskVersion, CallingPresentation, Environment, Presentation, Screening,
};
pub use self::codec::request::Request;
pub use self::codec::response::Response;
pub use self::codec::{arguments, audiosocket, commands, eagi, proxy, reply};
pub use self::flow::audio::{
    AudioEnd, AudioError, AudioEvent, AudioOptions, AudioStream, Cleared, SendError,
};
pub use self::flow::pbx::{CommandLine, PbxEvent, PbxSession};
pub use self::flow::session::{Event, Filled, Session};
pub use self::values::digit::{Digit, EscapeDigits};
pub use self::values::error::{
    CallError, CallOver, EncodeError, EnvironmentError, Error, ProtocolError, Rejection, ReplyError,
    ReplyErrorKind,
};
pub use self::values::excerpt::Excerpt;
pub use self::values::info::{CommandInfo, MusicEffect, ReplyFormat, Secrecy, WhenInterrupted};
pub use self::values::limits::{Leniency, Limits};

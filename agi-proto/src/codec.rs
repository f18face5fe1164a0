//! Codec: from bytes to values and back.

pub mod arguments;
pub(crate) mod audio;
pub mod audiosocket;
pub(crate) mod command;
pub mod commands;
pub mod eagi;
pub(crate) mod encode;
pub(crate) mod environment;
pub(crate) mod frame;
pub(crate) mod line;
mod methods;
pub mod proxy;
pub mod reply;
pub(crate) mod request;
pub(crate) mod response;

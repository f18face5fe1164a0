//! Process AGI: Asterisk runs this program for each call, and the conversation goes over its standard input
//! and output.
//!
//! ```no_run
//! use agi_tokio::process::{self, Stdio};
//! use agi_tokio::{Channel, Error};
//!
//! async fn hello(mut channel: Channel<Stdio>) -> Result<(), Error> {
//!     channel.answer().await?;
//!     channel.stream_file("hello-world", "").await?;
//!     Ok(())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), process::Failure> {
//!     process::run(hello).await
//! }
//! ```
//!
//! In the dialplan that is `AGI(/path/to/program,argument)`, or the program's mere name where it lies in
//! Asterisk's `astagidir`. The arguments are those of `main` and the `agi_arg_1` and so on of the
//! [environment](crate::Environment). How it differs from a server:
//!
//! * **A hangup is a signal**, SIGHUP, of which an ordinary program dies; no text tells it. [`Stdio`] catches
//!   it: whatever waits for Asterisk wakes, and what follows is as over a socket. Commands that run on a dead
//!   channel go on working, so there is time to clean up. The signal stays caught when the channel is gone.
//! * **What the program prints** would be taken for commands. As long as there is a [`Stdio`], the standard
//!   output goes where the standard error goes, which is wherever Asterisk's own does, and the standard
//!   input is empty. So also for programs that this one starts: they cannot take part in the conversation by
//!   accident, nor hold it open when this program has ended.
//! * **The end is the program's end.** Asterisk waits for it, and the call stands still meanwhile:
//!   [`close`](crate::Channel::close), and in [`run`] the drop of the channel, makes Asterisk stop listening, but the
//!   dialplan goes on when the program exits, not before.
//! * **The exit status counts**: anything but 0 makes `AGISTATUS` say `FAILURE`, unless the caller hung up.
//!   So does an error that `main` returns, or a panic.
//! * **Writing to an Asterisk that is gone is an error**, for which
//!   [`is_hangup`](agi_proto::Error::is_hangup) holds, not the end of the program: Rust programs ignore
//!   SIGPIPE.
//!
//! Until [`run`] or [`Stdio::take`] is called, a hangup still kills the program and a print is still taken
//! for a command: call it first of all.

mod descriptor;
mod guard;
mod stdio;

use std::error::Error as StdError;

pub(crate) use self::descriptor::Descriptor;
pub use self::stdio::Stdio;
use crate::{Channel, ChannelBuilder, Error, Handler};

/// The error of a program's handler: anything that can go through `?`.
pub type Failure = Box<dyn StdError + Send + Sync>;

/// Takes the call that this program was started for, runs the handler, and ends the conversation as soon as the
/// channel is dropped, though the handler may go on. For limits or leniencies of your own use
/// [`ChannelBuilder::run`] with a [`Stdio`].
///
/// To be returned from `main`, as [here](self#). That the call is over (see
/// [`is_hangup`](agi_proto::Error::is_hangup)) is a handler's ordinary end and no error; neither is a standard
/// input without a byte, which means that nobody calls.
///
/// # Errors
///
/// What the handler fails with. [`Error::Io`] where standard input and output cannot be taken, and
/// [`Error::Protocol`] where it is not Asterisk that speaks there.
pub async fn run<A>(handler: impl Handler<Channel<Stdio>, A>) -> Result<(), Failure> {
    ChannelBuilder::new().run(Stdio::take().map_err(Error::Io)?, handler).await
}

//! What servers on all async runtimes run for a call: handlers, layers and routes, over a channel `C` of
//! whichever kind.
//!
//! The adapters export these for their own channels, and their pages have the examples.

mod handler;
mod router;

use alloc::boxed::Box;
use core::error::Error as StdError;

pub use self::handler::{BoxHandler, Handler, Running, layer, with_state};
pub use self::router::{Replaceable, Router};

/// What a handler of any type fails with.
pub type BoxError = Box<dyn StdError + Send + Sync>;

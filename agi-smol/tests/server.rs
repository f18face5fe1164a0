//! The server, and calls that end in every way.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "running/calls.rs"]
mod calls;
mod running;

use std::future::Future;

use agi_smol as adapter;

fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    smol::spawn(future).detach();
}

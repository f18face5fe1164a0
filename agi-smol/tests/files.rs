//! No file descriptor left for a call.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "running/files.rs"]
mod files;
mod running;

use std::future::Future;

use agi_smol as adapter;

fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    smol::spawn(future).detach();
}

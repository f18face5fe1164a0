//! Async AGI over a manager connection: `agi-ami` against an Asterisk in memory.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod claims;
mod commands;
mod cut;
mod ends;
mod fuzz;
mod login;
mod orphans;
mod transcripts;

use std::time::Duration;

use agi_ami::{CallId, End, Event, Options};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Options without waking, so that actions are the commands alone.
fn asleep() -> Options {
    let mut options = Options::default();
    options.wake = false;
    options
}

fn reply(call: CallId, reply: &str) -> Event {
    Event::Reply { call, reply: reply.into() }
}

fn ended(call: CallId, end: End) -> Event {
    Event::Ended { call, end }
}

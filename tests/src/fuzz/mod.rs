//! The bodies of the fuzz targets: what must hold of any input. `fuzz/` gives them to libFuzzer, and the
//! ordinary tests run them over the corpus, the regressions, and what proptest makes up.
//!
//! A body takes bytes and panics if what it states does not hold.

use std::sync::LazyLock;

mod ami;
mod arguments;
mod audio;
mod commands;
mod conversation;
mod differential;
mod environment;
mod pbx;
mod request;
mod response;
mod session;

pub use self::ami::ami;
pub use self::arguments::arguments;
pub use self::audio::audio;
pub use self::commands::{command_roundtrip, refusal_names_an_argument};
pub use self::conversation::conversation;
pub use self::differential::differential;
pub use self::environment::environment;
pub use self::request::request;
pub use self::response::response;
pub use self::session::session;

/// A body.
pub type Body = fn(&[u8]);

/// Every body by the name of its target.
pub const BODIES: [(&str, Body); 10] = [
    ("environment", environment),
    ("response", response),
    ("arguments", arguments),
    ("request", request),
    ("session", session),
    ("command_roundtrip", command_roundtrip),
    ("conversation", conversation),
    ("differential", differential),
    ("ami", ami),
    ("audio", audio),
];

/// Prints a step of a body that is a sequence of steps, where `FUZZ_TRACE` is set: to read a finding.
fn trace(step: impl FnOnce() -> String) {
    static WANTED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("FUZZ_TRACE").is_some());
    if *WANTED {
        println!("{}", step());
    }
}

/// A number as C prints one: without a `+`.
fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

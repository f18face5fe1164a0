//! Adapters are thin: what is more than glue between a session and a stream belongs into agi-proto.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs::read_to_string;

/// Lines of code that a channel may have, documentation and blank lines aside.
const MOST: usize = 160;

#[test]
fn a_channel_is_short() {
    for adapter in ["agi-tokio", "agi-smol", "agi-blocking"] {
        let source = read_to_string(format!("../{adapter}/src/channel.rs")).unwrap();
        let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let lines = source.lines().filter(code).count();
        assert!(lines <= MOST, "{adapter}: {lines} lines");
    }
}

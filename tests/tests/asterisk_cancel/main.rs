//! Calls given up on a real Asterisk: what comes after them gets its own answer, and how soon.
#![allow(clippy::unwrap_used, missing_docs)]

mod at_random;
mod half_way;

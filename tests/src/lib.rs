//! Support for the tests of the whole: two sides joined in memory, recorded conversations, and a real
//! Asterisk.

pub mod asterisk;
pub mod fuzz;
pub mod pair;
pub mod pbx;
pub mod trace;

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

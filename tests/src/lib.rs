//! Support for the tests of the whole: two sides joined in memory, recorded conversations, and a real
//! Asterisk.

pub mod asterisk;
pub mod fuzz;
pub mod pair;
pub mod trace;

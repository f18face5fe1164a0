//! Support for the tests of the whole: two sides joined in memory, recorded conversations, and a real
//! Asterisk with services for it.

pub mod asterisk;
pub mod pair;
pub mod service;
pub mod trace;

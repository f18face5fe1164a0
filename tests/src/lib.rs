//! Support for the tests of the whole: two sides joined in memory, and recorded conversations.

pub mod pair;
pub mod trace;

//! Support for the tests of the whole.

pub mod asterisk;

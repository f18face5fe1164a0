//! Flow: who may speak, and what is owed.

pub(crate) mod asterisk;
mod output;
pub(crate) mod session;

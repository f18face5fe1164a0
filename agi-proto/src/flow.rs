//! Flow: who may speak, and what is owed.

pub(crate) mod asterisk;
pub(crate) mod audio;
mod output;
pub(crate) mod session;

//! Flow: who may speak, and what is owed.

pub(crate) mod audio;
mod output;
pub(crate) mod pbx;
pub(crate) mod session;

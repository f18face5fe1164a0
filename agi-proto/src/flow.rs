//! Flow: who may speak, and what is owed.

mod output;
pub(crate) mod pbx;
pub(crate) mod session;

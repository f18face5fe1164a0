//! The driver: a session and its transport, moved forward together.

pub(crate) mod conversation;
pub(crate) mod lease;
pub(crate) mod race;

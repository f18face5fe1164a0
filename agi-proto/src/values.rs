//! Values: they cannot hold what no message carries.

pub(crate) mod digit;
pub(crate) mod error;
pub(crate) mod excerpt;
pub(crate) mod info;
pub(crate) mod limits;

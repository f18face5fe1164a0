//! AGI.

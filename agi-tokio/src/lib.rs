//! AGI services.

//! What became of a call.

use super::ami::Event;
use super::log;
use std::collections::BTreeMap;

/// Where the dialplan went on after AGI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// At the next step.
    Next,
    /// In the `h` extension: the channel was hung up.
    H,
    /// In context `elsewhere`, where AGI had sent it.
    Elsewhere,
    /// Nowhere that tells.
    Unknown,
}

/// What became of a call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// Where the dialplan went on after AGI.
    pub where_: Where,
    /// `AGISTATUS` there.
    pub agi_status: String,
    /// `AGISTATUS` of the AGI in the `h` extension, if the call had one.
    pub agi_in_h_status: Option<String>,
    /// The variables asked for, right after AGI. What is not set is empty.
    pub variables: BTreeMap<String, Vec<u8>>,
    /// The cause with which the channel was hung up.
    pub cause: String,
    /// The events of the leg that ran AGI.
    pub events: Vec<Event>,
    /// What Asterisk logged about the call; all it logged meanwhile if the call did not end in the
    /// `h` extension, where the log gets its mark.
    pub log: Vec<String>,
}

impl Outcome {
    /// Log lines that say that Asterisk could not write to the AGI server, and all errors.
    #[must_use]
    pub fn complaints(&self) -> Vec<&str> {
        log::complaints(&self.log)
    }
}

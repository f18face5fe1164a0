//! A call that is over.

use std::time::Duration;

use super::scripted::Scripted;
use super::transcript::Transcript;
use crate::model::{Channel, Status};

/// A call that is over, and went as the script says.
#[derive(Clone, Debug)]
pub struct Call<T = ()> {
    /// What the service's handler gave.
    pub returned: T,
    channel: Channel,
    status: Status,
    took: Duration,
    transcript: Transcript,
    pub(crate) failure: Option<String>,
    pub(crate) places: usize,
}

impl<T> Call<T> {
    pub(crate) fn new(scripted: &Scripted, returned: T) -> Self {
        Self {
            returned,
            channel: scripted.pbx.channel().clone(),
            status: scripted.pbx.status().unwrap_or(Status::Failure),
            took: scripted.now,
            transcript: scripted.transcript.clone(),
            failure: scripted.failure.clone(),
            places: scripted.places,
        }
    }

    /// The channel as the service left it.
    pub fn at_end(&self) -> &Channel {
        &self.channel
    }

    /// What the dialplan finds in AGISTATUS.
    pub fn status(&self) -> Status {
        self.status
    }

    /// How long the call took, in the time of the simulation.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// What happened.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Why the call went otherwise than the script says; for calls that were tried.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Panics if the call went otherwise than the script says.
    #[track_caller]
    pub(crate) fn checked(self) -> Self {
        if let Some(why) = &self.failure {
            panic!("{why}\n\n{}", self.transcript);
        }
        self
    }
}

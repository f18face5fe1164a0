//! What a connection does of its own accord, and how long it waits.

use alloc::string::String;
use core::time::Duration;

use crate::action::{self, ActionError};

/// The options of a [`Connection`](crate::Connection).
///
/// ```
/// let mut options = agi_ami::Options::default();
/// options.claim = Some("menu".into()); // several services share the calls of this Asterisk
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The service's name, if several services take the calls of the same Asterisk: each call is claimed with it, and
    /// exactly one gets it. Printable ASCII without `:`, at most 64 bytes. Default none: all calls are this one's.
    pub claim: Option<String>,
    /// What becomes of calls that wait while nobody serves them. See [`Orphans`].
    pub orphans: Orphans,
    /// Whether Asterisk is woken for each command, so that it costs less than 1 ms on a silent channel and not up to
    /// 100 ms: by `SendFlash`, and where Asterisk does not know that, by `ControlPlayback`. Nothing is woken while
    /// EXEC or GOSUB is owed, because the flash would reach the bridged peer; nor are claims, since the winner may
    /// have sent one. Default on; it needs `write = call`.
    pub wake: bool,
    /// Calls at once. Further ones are left to other services if there is a [`claim`](Self::claim), else broken out
    /// at once, so that the dialplan goes on. Default 10,000.
    pub max_calls: usize,
    /// How long nothing may be heard of a call before Asterisk is asked whether it is still there. Default 30 s; it
    /// needs `write = call`.
    pub liveness: Duration,
    /// How long nothing may be heard of another service's call before that service is asked whether it still has
    /// it. Default 30 s.
    pub takeover: Duration,
    /// How long nothing may come before a `Ping` is sent. Default 20 s.
    pub ping: Duration,
    /// How long the answer to a `Ping`, and each step of the login, may take before the connection counts as dead.
    /// Default 10 s.
    pub patience: Duration,
    /// Bytes of one message. Default 262,144: Asterisk's events have about 1,000.
    pub message_bytes: usize,
    /// Bytes of one reply or environment, put together. Default 65,536: Asterisk's replies have at most 4,111 or so.
    pub reply_bytes: usize,
    /// Lines of one call that may wait for their turn. Default 64.
    pub queued_lines: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            claim: None,
            orphans: Orphans::default(),
            wake: true,
            max_calls: 10_000,
            liveness: Duration::from_secs(30),
            takeover: Duration::from_secs(30),
            ping: Duration::from_secs(20),
            patience: Duration::from_secs(10),
            message_bytes: 262_144,
            reply_bytes: 65_536,
            queued_lines: 64,
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), ActionError> {
        let Some(claim) = &self.claim else { return Ok(()) };
        let (action, header) = ("AGI", "CommandID");
        action::check(action, header, claim.as_bytes())?;
        let is_name =
            claim.len() <= 64 && claim.bytes().all(|byte| matches!(byte, b' '..=b'~' if byte != b':'));
        let reason = "has a service's name that is not 64 bytes of printable ASCII without \":\"";
        if is_name { Ok(()) } else { Err(ActionError::Invalid { action, header, reason }) }
    }
}

/// What becomes of calls that wait in `agi:async` while nobody serves them: those that waited before the login, and
/// with a [`claim`](Options::claim) those of a service that is gone.
///
/// With a claim the other services are asked first, for as long as a reply may take, and a call that one of them
/// has is left alone. Without one this service alone is taken to serve the Asterisk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Orphans {
    /// Those that this service lost with its connection, and those of a service that is gone, are broken out, so that
    /// the dialplan goes on behind `AGI()`; others stay as they are, since they may be another program's.
    #[default]
    BreakOwn,
    /// All are broken out.
    Break,
    /// All are served from the beginning, as if they had just come.
    Adopt,
    /// All stay as they are, until they hang up.
    Leave,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_name_stays_within_its_part_of_the_id() {
        let check = |name: &str| Options { claim: Some(name.into()), ..Options::default() }.check().is_ok();
        assert!(check("menu-2 (north)") && check(&"x".repeat(64)));
        for name in ["", " a", "a:b", "a\r\nb", "é", &"x".repeat(65)] {
            assert!(!check(name), "{name}");
        }
    }
}

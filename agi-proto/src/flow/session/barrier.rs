//! The barrier that pairs replies again after a call was given up.
//!
//! Some commands stop when another one comes, and then send no answer; whether they do depends on a race.
//! So the session sends `GET FULL VARIABLE "token"`, which Asterisk answers with the token on every
//! channel, alive or dead, and drops what comes before.
//!
//! Asterisk waits with poll(2) and reads through stdio. If the barrier reached it in the same read as the
//! abandoned command, it lies in Asterisk's buffer unseen until something more comes. So when nothing
//! comes for a while, another barrier is sent, and only the echo of the **last** one ends the wait: then
//! nothing of ours is left unread.

use alloc::format;
use core::time::Duration;

use crate::flow::output::Output;

/// Longer than a delayed acknowledgement (40 ms), behind which Asterisk's second line of two waits.
const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Barrier {
    nonce: u64,
    /// The number of the last barrier that was sent; they count through the session.
    last: u64,
    /// How many were sent for this wait.
    attempts: u32,
}

impl Barrier {
    pub(super) fn new(nonce: u64) -> Self {
        Self { nonce, last: 0, attempts: 0 }
    }

    /// Sends the first barrier of a wait.
    pub(super) fn start(&mut self, output: &mut Output) {
        self.attempts = 0;
        self.send(output);
    }

    pub(super) fn send(&mut self, output: &mut Output) {
        self.last += 1;
        self.attempts += 1;
        let line = format!("GET FULL VARIABLE \"agi-sync-{:016x}-{}\"\n", self.nonce, self.last);
        output.buffer().extend_from_slice(line.as_bytes());
    }

    /// How long to wait for the echo before another barrier is sent: each time twice as long, for the
    /// abandoned command may be one that runs to its end first.
    pub(super) fn patience(&self) -> Duration {
        PATIENCE * 2_u32.pow(self.attempts.saturating_sub(1).min(10))
    }

    /// Whether a message is the echo of a barrier, and if so, of the last one.
    pub(super) fn echo_of(&self, message: &[u8]) -> Option<bool> {
        let token = message.strip_prefix(b"200 result=1 (agi-sync-")?.strip_suffix(b")")?;
        let nonce = format!("{:016x}-", self.nonce);
        let number = token.strip_prefix(nonce.as_bytes())?;
        Some(number == format!("{}", self.last).as_bytes())
    }
}

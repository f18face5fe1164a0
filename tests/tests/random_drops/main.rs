//! Calls dropped at random moments, 10,000 times over each adapter, each followed by commands with distinct
//! answers: none may be another's.
//!
//! The PBX is a model of what Asterisk does with its input: see [`pbx`].
#![allow(clippy::unwrap_used, missing_docs)]

mod blocking;
mod pbx;
mod smol;
mod sockets;
mod tokio;

/// Conversations, and drops in each.
const CONVERSATIONS: u64 = 100;
const DROPS: u64 = 100;

/// What has happened in a conversation.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    dropped: u64,
    answers: u64,
    /// How often a command lay unseen in the PBX's buffer until more came.
    unseen: u64,
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, each| Self {
            dropped: sum.dropped + each.dropped,
            answers: sum.answers + each.answers,
            unseen: sum.unseen + each.unseen,
        })
    }
}

impl Tally {
    fn check(self, adapter: &str, began: std::time::Instant) {
        eprintln!("{adapter}: {self:?} in {:.1} s", began.elapsed().as_secs_f64());
        assert!(self.dropped >= CONVERSATIONS * DROPS);
        assert!(self.unseen > 100, "the case that needs another barrier hardly occurs");
    }
}

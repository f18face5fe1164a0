//! Connection counters.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::CallOutcome;

/// CountersSnapshot what becomes of a server's connections; readable at any time by [`counts`](Self::counts).
///
/// Each connection is accepted, then either refused or active, and what was active ends in one way.
#[derive(Debug, Default)]
pub struct Counters {
    accepted: AtomicUsize,
    refused: AtomicUsize,
    ended: [AtomicUsize; CallOutcome::ALL.len()],
}

/// The values of [`Counters`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountersSnapshot {
    accepted: usize,
    refused: usize,
    ended: [usize; CallOutcome::ALL.len()],
}

impl Counters {
    /// A server took a connection.
    pub fn accept(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    /// It will not be served.
    pub fn refuse(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// It was served and has ended.
    pub fn end(&self, outcome: CallOutcome) {
        self.ended[outcome as usize].fetch_add(1, Relaxed);
    }

    /// The numbers now.
    pub fn counts(&self) -> CountersSnapshot {
        // what came last is read first, so that no connection seems to have ended before it came
        let ended = std::array::from_fn(|kind| self.ended[kind].load(Relaxed));
        let refused = self.refused.load(Relaxed);
        CountersSnapshot { accepted: self.accepted.load(Relaxed), refused, ended }
    }
}

impl CountersSnapshot {
    /// Connections that were taken, calls and others.
    pub fn accepted(&self) -> usize {
        self.accepted
    }

    /// Connections that were not served: by the limit, the list of peers, or the admission.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// Connections that are being served.
    pub fn active(&self) -> usize {
        self.accepted.saturating_sub(self.refused + self.ended.iter().sum::<usize>())
    }

    /// Connections that were served and ended in this way.
    pub fn ended(&self, outcome: CallOutcome) -> usize {
        self.ended[outcome as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_is_refused_active_or_ended() {
        let counters = Counters::default();
        for &outcome in CallOutcome::ALL {
            counters.accept();
            counters.end(outcome);
        }
        (0..3).for_each(|_| counters.accept());
        counters.refuse();
        let counts = counters.counts();
        assert_eq!((counts.accepted(), counts.refused(), counts.active()), (13, 1, 2));
        assert!(CallOutcome::ALL.iter().all(|&outcome| counts.ended(outcome) == 1));
    }
}

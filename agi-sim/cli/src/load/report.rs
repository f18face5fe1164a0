//! What came of many calls.

use std::io;
use std::time::Duration;

use agi_sim::agi_proto::commands;
use hdrhistogram::Histogram;

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody listens.
    Refused,
    /// The connection broke.
    Reset,
    /// The service took too long.
    Unanswered,
    /// The service sent a command before the one before was answered.
    Crossed,
    /// The service closed without one command.
    Silent,
    /// A caller of this program panicked.
    Panicked,
    /// This machine could not call: no port or no descriptor was left. The service is not to blame.
    NotCalled,
}

impl Kind {
    pub(super) const ALL: [(Self, &str); 7] = [
        (Self::Refused, "refused"),
        (Self::Reset, "reset"),
        (Self::Unanswered, "unanswered"),
        (Self::Crossed, "crossed"),
        (Self::Silent, "no command"),
        (Self::Panicked, "panicked"),
        (Self::NotCalled, "not called"),
    ];

    pub(super) fn of(error: &io::Error) -> Self {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidData, NotConnected,
            TimedOut, UnexpectedEof,
        };
        match error.kind() {
            ConnectionRefused => Self::Refused,
            TimedOut => Self::Unanswered,
            InvalidData => Self::Crossed,
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof => Self::Reset,
            _ => Self::NotCalled,
        }
    }
}

/// What came of the calls so far.
pub(super) struct Report {
    /// Calls that ended well or badly.
    pub(super) calls: u64,
    /// Commands that the next one stopped.
    pub(super) stopped: u64,
    /// Calls that were still running when time was up.
    pub(super) cut: u64,
    /// Whole calls, in nanoseconds.
    whole: Histogram<u64>,
    errors: [u64; Kind::ALL.len()],
    /// How long the service took to send each command, in nanoseconds, in the order of [`commands::ALL`]. What
    /// stands in no list comes last.
    commands: Vec<Option<Histogram<u64>>>,
}

/// How long something took, over and over.
pub(super) struct Row<'a> {
    pub(super) name: &'static str,
    pub(super) times: &'a Histogram<u64>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            calls: 0,
            stopped: 0,
            cut: 0,
            whole: histogram(),
            errors: [0; Kind::ALL.len()],
            commands: (0..=commands::ALL.len()).map(|_| None).collect(),
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are few enough")
}

impl Report {
    /// A call went well.
    pub(super) fn call(&mut self, took: Duration) {
        self.calls += 1;
        record(&mut self.whole, took);
    }

    pub(super) fn fail(&mut self, kind: Kind) {
        self.calls += 1;
        self.errors[kind as usize] += 1;
    }

    pub(super) fn command(&mut self, line: &[u8], took: Duration) {
        let begins = |name: &str| {
            line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
                && matches!(line.get(name.len()), Some(b' ' | b'\n'))
        };
        // no name begins with another one and a blank
        let at = commands::ALL.iter().position(|info| begins(info.name)).unwrap_or(commands::ALL.len());
        record(self.commands[at].get_or_insert_with(histogram), took);
    }

    /// Calls that went well.
    pub(super) fn good(&self) -> u64 {
        self.calls - self.errors()
    }

    pub(super) fn error(&self, kind: Kind) -> u64 {
        self.errors[kind as usize]
    }

    pub(super) fn errors(&self) -> u64 {
        self.errors.iter().sum()
    }

    pub(super) fn commands(&self) -> u64 {
        self.commands.iter().flatten().map(Histogram::len).sum()
    }

    /// Each command that came, and whole calls.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let names = commands::ALL.iter().map(|info| info.name).chain(["other commands"]);
        let rows = names.zip(&self.commands).filter_map(|(name, times)| Some((name, times.as_ref()?)));
        rows.chain([("whole call", &self.whole)]).map(|(name, times)| Row { name, times })
    }
}

impl Row<'_> {
    /// The microseconds that this share of all, from 0 to 1, did not take longer than.
    pub(super) fn micros(&self, share: f64) -> f64 {
        self.times.value_at_quantile(share) as f64 / 1000.0
    }

    pub(super) fn most(&self) -> f64 {
        self.times.max() as f64 / 1000.0
    }
}

fn record(histogram: &mut Histogram<u64>, took: Duration) {
    // it grows to whatever comes, and no call lasts for centuries
    let _ = histogram.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart_by_their_names() {
        let mut report = Report::default();
        let lines = [
            "SET VARIABLE \"A\" \"b\"\n",
            "GET FULL VARIABLE \"x\"\n",
            "set variable A b\n",
            "NOOP\n",
            "X\n",
        ];
        for line in lines {
            report.command(line.as_bytes(), Duration::from_micros(7));
        }
        report.call(Duration::from_millis(1));
        let rows: Vec<_> = report.rows().map(|row| (row.name, row.times.len())).collect();
        for row in [
            ("SET VARIABLE", 2),
            ("GET FULL VARIABLE", 1),
            ("NOOP", 1),
            ("other commands", 1),
            ("whole call", 1),
        ] {
            assert!(rows.contains(&row), "{row:?} in {rows:?}");
        }
        assert_eq!(report.commands(), 5);
    }

    #[test]
    fn errors_are_told_apart() {
        let kind = |kind: io::ErrorKind| Kind::of(&kind.into());
        assert_eq!(kind(io::ErrorKind::ConnectionRefused), Kind::Refused);
        assert_eq!(kind(io::ErrorKind::BrokenPipe), Kind::Reset);
        assert_eq!(kind(io::ErrorKind::TimedOut), Kind::Unanswered);
        assert_eq!(kind(io::ErrorKind::AddrNotAvailable), Kind::NotCalled);
    }
}

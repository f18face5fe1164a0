//! What came of many calls.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use hdrhistogram::Histogram;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Nobody listens.
    Refused,
    /// The connection broke.
    Reset,
    /// The service took too long.
    Unanswered,
    /// The service sent a command before the one before was answered.
    Crossed,
}

const KINDS: [(Kind, &str); 4] = [
    (Kind::Refused, "refused"),
    (Kind::Reset, "reset"),
    (Kind::Unanswered, "unanswered"),
    (Kind::Crossed, "crossed"),
];

pub(super) struct Report {
    pub(super) calls: u64,
    /// Commands that the next one stopped.
    pub(super) stopped: u64,
    /// The time that the simulator itself took.
    pub(super) own: Duration,
    /// Whole calls, in microseconds.
    pub(super) whole: Histogram<u64>,
    errors: BTreeMap<Kind, u64>,
    /// How long the service took to send each command, in microseconds.
    commands: BTreeMap<String, Histogram<u64>>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            calls: 0,
            stopped: 0,
            own: Duration::ZERO,
            whole: histogram(),
            errors: BTreeMap::new(),
            commands: BTreeMap::new(),
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are few enough")
}

impl Report {
    pub(super) fn fail(&mut self, kind: Kind) {
        *self.errors.entry(kind).or_default() += 1;
    }

    pub(super) fn command(&mut self, line: &[u8], micros: u64) {
        let words = line.split(|byte| b" \n\"".contains(byte)).take(3);
        let words = words.take_while(|word| !word.is_empty() && word.iter().all(u8::is_ascii_uppercase));
        let name: Vec<&str> = words.filter_map(|word| std::str::from_utf8(word).ok()).collect();
        let name = name.join(" ");
        if !self.commands.contains_key(&name) && self.commands.len() < 100 {
            self.commands.insert(name.clone(), histogram());
        }
        if let Some(histogram) = self.commands.get_mut(&name) {
            let _ = histogram.record(micros);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.stopped += other.stopped;
        self.own += other.own;
        let _ = self.whole.add(&other.whole);
        for (kind, count) in &other.errors {
            *self.errors.entry(*kind).or_default() += count;
        }
        for (name, histogram) in &other.commands {
            let _ = self.commands.entry(name.clone()).or_insert_with(self::histogram).add(histogram);
        }
    }

    pub(super) fn errors(&self) -> u64 {
        self.errors.values().sum()
    }

    fn count(&self) -> u64 {
        self.commands.values().map(Histogram::len).sum()
    }

    pub(super) fn text(&self, took: Duration) -> String {
        let seconds = took.as_secs_f64().max(1e-9);
        let mut text = String::new();
        let mut line = |line: String| {
            let _ = writeln!(text, "{line}");
        };
        line(format!("{} calls in {seconds:.2} s: {:.0} calls/s", self.calls, self.calls as f64 / seconds));
        line(format!("{} commands: {:.0} commands/s", self.count(), self.count() as f64 / seconds));
        let own = self.own.as_secs_f64() * 1e6 / self.count().max(1) as f64;
        line(format!("the simulator itself: {own:.1} us a command; {} commands were stopped", self.stopped));
        for (kind, name) in KINDS {
            if let Some(count) = self.errors.get(&kind) {
                line(format!("{name}: {count}"));
            }
        }
        line(format!(
            "\n{:<28} {:>9} {:>8} {:>8} {:>8} {:>8}",
            "us until", "count", "50 %", "90 %", "99 %", "most"
        ));
        for (name, histogram) in self.rows() {
            let [a, b, c] = [0.5, 0.9, 0.99].map(|part| histogram.value_at_quantile(part));
            line(format!("{name:<28} {:>9} {a:>8} {b:>8} {c:>8} {:>8}", histogram.len(), histogram.max()));
        }
        text
    }

    pub(super) fn json(&self, took: Duration) -> String {
        let errors = KINDS.map(|(kind, name)| format!("\"{name}\":{}", self.errors.get(&kind).unwrap_or(&0)));
        let rows: Vec<String> = self
            .rows()
            .map(|(name, histogram)| {
                let [a, b, c] = [0.5, 0.9, 0.99].map(|part| histogram.value_at_quantile(part));
                let (count, most) = (histogram.len(), histogram.max());
                format!("\"{name}\":{{\"count\":{count},\"p50\":{a},\"p90\":{b},\"p99\":{c},\"max\":{most}}}")
            })
            .collect();
        format!(
            "{{\"seconds\":{:.3},\"calls\":{},\"commands\":{},\"own_us\":{},\"errors\":{{{}}},\"us\":{{{}}}}}\n",
            took.as_secs_f64(),
            self.calls,
            self.count(),
            self.own.as_micros(),
            errors.join(","),
            rows.join(",")
        )
    }

    fn rows(&self) -> impl Iterator<Item = (&str, &Histogram<u64>)> {
        let commands = self.commands.iter().map(|(name, histogram)| (name.as_str(), histogram));
        commands.chain([("whole call", &self.whole)])
    }
}

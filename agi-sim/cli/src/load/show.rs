//! A report, for people and for programs.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::report::{Kind, Report, Row};

/// What was measured around the calls.
pub(super) struct Cost {
    pub(super) wall: Duration,
    /// The processor time of the simulator itself.
    pub(super) own: Duration,
}

impl Cost {
    /// What the simulator took for each command, in microseconds.
    fn own_micros(&self, report: &Report) -> f64 {
        self.own.as_secs_f64() * 1e6 / report.commands().max(1) as f64
    }

    /// How many commands a second it could drive if it had a core for itself.
    fn own_most(&self, report: &Report) -> f64 {
        report.commands() as f64 / self.own.as_secs_f64().max(1e-9)
    }

    fn a_second(&self, count: u64) -> f64 {
        count as f64 / self.wall.as_secs_f64().max(1e-9)
    }
}

pub(super) fn text(report: &Report, cost: &Cost) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    let (calls, commands) = (report.calls, report.commands());
    let good = report.good();
    line(format!(
        "{calls} calls in {:.2} s, {good} went well: {:.0} of these/s",
        cost.wall.as_secs_f64(),
        cost.a_second(good)
    ));
    line(format!("{commands} commands: {:.0} commands/s", cost.a_second(commands)));
    line(format!(
        "the simulator itself: {:.2} us of processor time a command, so at most {:.0} commands/s and {:.0} calls/s a core",
        cost.own_micros(report),
        cost.own_most(report),
        calls as f64 / cost.own.as_secs_f64().max(1e-9),
    ));
    for (kind, name) in Kind::ALL {
        line(format!("{name}: {}", report.error(kind)));
    }
    if report.stopped > 0 {
        line(format!("{} commands were stopped by the next one", report.stopped));
    }
    if report.cut > 0 {
        line(format!("{} calls were still running when time was up, and are not counted", report.cut));
    }
    line(format!(
        "\n{:<28} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "us until", "count", "50 %", "90 %", "99 %", "most"
    ));
    for row in report.rows() {
        let [a, b, c] = [0.5, 0.9, 0.99].map(|share| row.micros(share));
        let (name, count, most) = (row.name, row.times.len(), row.most());
        line(format!("{name:<28} {count:>9} {a:>9.1} {b:>9.1} {c:>9.1} {most:>9.1}"));
    }
    text
}

pub(super) fn json(report: &Report, cost: &Cost) -> Value {
    let errors: Map<String, Value> =
        Kind::ALL.iter().map(|(kind, name)| (name.replace(' ', "_"), report.error(*kind).into())).collect();
    let row = |row: Row<'_>| {
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| row.micros(share));
        let value =
            json!({ "count": row.times.len(), "p50": p50, "p90": p90, "p99": p99, "max": row.most() });
        (row.name.to_owned(), value)
    };
    json!({
        "seconds": cost.wall.as_secs_f64(),
        "calls": report.calls,
        "good": report.good(),
        "commands": report.commands(),
        "stopped": report.stopped,
        "cut": report.cut,
        "own_cpu_us_per_command": cost.own_micros(report),
        "errors": errors,
        "us": report.rows().map(row).collect::<Map<_, _>>(),
    })
}

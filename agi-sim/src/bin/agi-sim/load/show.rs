//! A report, for people, for programs and as a plot.

use std::fmt::Write;
use std::io;
use std::path::Path;
use std::time::Duration;

use plotters::prelude::*;
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
    line(format!("{calls} calls in {:.2} s: {:.0} calls/s", cost.wall.as_secs_f64(), cost.a_second(calls)));
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
        "commands": report.commands(),
        "stopped": report.stopped,
        "cut": report.cut,
        "own_cpu_us_per_command": cost.own_micros(report),
        "errors": errors,
        "us": report.rows().map(row).collect::<Map<_, _>>(),
    })
}

/// The shares that are plotted: each step leaves a tenth less.
const SHARES: [f64; 13] =
    [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999];

/// How long the service took for each command, over the share that took no longer.
pub(super) fn plot(report: &Report, file: &Path) -> io::Result<()> {
    let fail = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", file.display()));
    let rows: Vec<Row<'_>> = report.rows().filter(|row| !row.times.is_empty()).collect();
    let most = rows.iter().map(|row| row.micros(0.9999)).fold(10.0, f64::max) * 1.5;
    let least = rows.iter().map(|row| row.micros(0.0)).fold(most, f64::min).max(1.0);
    // 0.99 stands at 2: so many nines
    let nines = |share: f64| -(1.0 - share).log10();
    let root = SVGBackend::new(file, (900, 500)).into_drawing_area();
    root.fill(&WHITE).map_err(|error| fail(&error))?;
    let mut chart = ChartBuilder::on(&root)
        .caption("Time until the service's next command", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..4.0, (least..most).log_scale())
        .map_err(|error| fail(&error))?;
    chart
        .configure_mesh()
        .x_desc("share of all that took no longer")
        .y_desc("microseconds")
        .x_labels(5)
        .x_label_formatter(&|x| format!("{} %", (1.0 - 10f64.powf(-x)) * 100.0))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()
        .map_err(|error| fail(&error))?;
    for (at, row) in rows.iter().enumerate() {
        let color = Palette99::pick(at).to_rgba();
        let points = SHARES.iter().map(|&share| (nines(share), row.micros(share).max(least)));
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))
            .map_err(|error| fail(&error))?
            .label(row.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()
        .map_err(|error| fail(&error))?;
    root.present().map_err(|error| fail(&error))
}

//! Counts the instructions of every case under valgrind, and compares them with `instructions.txt`.
//!
//! ```text
//! cargo bench -p agi-proto --bench instructions              # compare
//! cargo bench -p agi-proto --bench instructions -- --renew   # write the file anew
//! ```
//!
//! The binary runs itself once more under callgrind, which counts only inside [`measured`] and writes one
//! file each time that returns. So the counts come in the order of the cases, without a helper program.

#[allow(dead_code, reason = "each bench uses a part of it")]
mod cases;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

/// Set for the run under valgrind.
const INNER: &str = "AGI_PROTO_COUNT_INSTRUCTIONS";
/// How much a count may grow, in percent.
const TOLERANCE: u64 = 10;
/// The most that ten times the bytes may cost. Growing buffers and sorted names are a little above 10.
const TENFOLD: f64 = 11.0;
/// What must hold whatever the file says.
const GOALS: [(&str, u64); 4] = [
    ("environment: parse", 5_000),
    ("SET VARIABLE: encode", 250),
    ("200 result=1 (value): decode, no text", 250),
    ("200 result=1 (value): decode", 250),
];

fn main() -> ExitCode {
    if env::var_os(INNER).is_some() {
        run_all();
        return ExitCode::SUCCESS;
    }
    if !env::args().any(|argument| argument == "--bench") {
        // `cargo test --benches`: they run
        cases::single().iter_mut().for_each(|case| (case.run)());
        return ExitCode::SUCCESS;
    }
    let names: Vec<String> = cases::all().into_iter().map(|case| case.name).collect();
    let counts = names.into_iter().zip(count()).collect::<Vec<_>>();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt");
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let mut problems = compare(&counts, &kept);
    if env::args().any(|argument| argument == "--renew") {
        fs::write(&file, written(&counts)).expect("the file can be written");
        println!("{} is written anew", file.display());
        problems.clear();
    }
    problems.extend(beyond_goals(&counts));
    problems.extend(not_linear(&counts));
    for problem in &problems {
        println!("FAILED {problem}");
    }
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every case, twice: what happens only the first time is not counted.
fn run_all() {
    for mut case in
        if env::args().any(|argument| argument == "--single") { cases::single() } else { cases::all() }
    {
        (case.run)();
        measured(&mut case.run);
    }
}

/// Stays on the stack until `run` returns, or callgrind would not see where it ends.
#[inline(never)]
fn measured(run: &mut dyn FnMut()) {
    run();
    black_box(());
}

/// Runs this binary under callgrind and gives the count of each case.
fn count() -> Vec<u64> {
    let folder = env::temp_dir().join(format!("agi-proto-instructions-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .args(["--toggle-collect=*::measured", "--dump-after=*::measured"])
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(env::current_exe().expect("this binary has a path"))
        .env(INNER, "1")
        .status()
        .expect("valgrind is installed");
    assert!(status.success(), "the run under valgrind failed");
    let counts = (1..)
        .map_while(|n| fs::read_to_string(folder.join(format!("out.{n}"))).ok())
        .map(|dump| {
            let line = dump
                .lines()
                .find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
            line.and_then(|count| count.trim().parse().ok()).expect("callgrind sums up each dump")
        })
        .collect::<Vec<_>>();
    fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
    counts
}

/// Prints all counts beside those that were kept, and gives what grew.
fn compare(counts: &[(String, u64)], kept: &str) -> Vec<String> {
    let kept: BTreeMap<&str, u64> = kept
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.trim_start().split_once("  "))
        .filter_map(|(count, name)| Some((name, count.parse().ok()?)))
        .collect();
    let mut problems = Vec::new();
    for (name, count) in counts {
        let before = kept.get(name.as_str()).copied();
        let change = before.map_or("new".into(), |before| {
            format!("{:+.1} %", (*count as f64 / before as f64 - 1.0) * 100.0)
        });
        println!("{count:>10}  {change:>8}  {name}");
        match before {
            None => problems.push(format!("{name}: not in instructions.txt; {RENEW}")),
            Some(before) if count * 100 > before * (100 + TOLERANCE) => {
                problems
                    .push(format!("{name}: {count} instructions, {before} before; if it must be, {RENEW}"));
            }
            Some(_) => {}
        }
    }
    problems
}

const RENEW: &str = "renew it by `cargo bench -p agi-proto --bench instructions -- --renew`";

fn beyond_goals(counts: &[(String, u64)]) -> Vec<String> {
    let missed = GOALS.iter().filter_map(|(goal, most)| {
        let (_, count) = counts.iter().find(|(name, _)| name == goal)?;
        (count > most).then(|| format!("{goal}: {count} instructions, and the goal is {most}"))
    });
    missed.collect()
}

/// Ten times the bytes may cost ten times as much, and not a hundred times.
fn not_linear(counts: &[(String, u64)]) -> Vec<String> {
    let by_name: BTreeMap<&str, u64> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    let mut problems = Vec::new();
    for (name, _) in cases::growing().iter().step_by(3) {
        let [_, ten, hundred] =
            [1, 10, 100].map(|size| by_name[format!("{name}: {size} kB").as_str()] as f64);
        println!("{:>10.2}  {name}: 100 kB over 10 kB", hundred / ten);
        if hundred / ten > TENFOLD {
            problems.push(format!("{name}: ten times the bytes cost {:.1} times as much", hundred / ten));
        }
    }
    problems
}

fn written(counts: &[(String, u64)]) -> String {
    let mut text = String::from(
        "# Instructions of each case on x86-64 with AVX2, see docs/performance.md. To renew:\n\
         # cargo bench -p agi-proto --bench instructions -- --renew\n",
    );
    for (name, count) in counts {
        let _ = writeln!(text, "{count:>10}  {name}");
    }
    text
}

//! Counts the instructions of every case under valgrind, and compares them with `instructions.txt`.
//!
//! ```text
//! cargo bench -p agi-proto --bench instructions              # compare
//! cargo bench -p agi-proto --bench instructions -- --renew   # write the file anew
//! ```
//!
//! The binary runs itself once more under callgrind, which counts only inside [`measured`] and writes one
//! file each time that returns. So the counts come in the order of the cases, without a helper program.

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
const MORE: u64 = 10;
/// The same for cases that allocate many times: what that costs depends on what was freed before.
const MORE_OF_MANY: u64 = 25;
/// The most that ten times the bytes may cost: ten times as much, and something for buffers that grow by doubling. A
/// logarithm more would be 13 times as much, a square a hundred times.
const TENFOLD: f64 = 12.0;
/// What must hold whatever the file says.
const GOALS: [(&str, u64); 3] = [
    ("environment: parse", 5_000),
    ("SET VARIABLE: encode", 250),
    ("200 result=1 (value): decode, no text", 250),
];
/// What of these is the measurement's own: calling the case, hiding its input from the optimizer, looking
/// at its result.
const OWN: u64 = 30;
const RENEW: &str = "renew it by `cargo bench -p agi-proto --bench instructions -- --renew`";

struct Count {
    name: String,
    bytes: usize,
    instructions: u64,
}

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
    let counts = count();
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
    for mut case in cases::all() {
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
fn count() -> Vec<Count> {
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
    let cases = cases::all().into_iter().enumerate();
    let counts = cases.map(|(at, case)| {
        let dump =
            fs::read_to_string(folder.join(format!("out.{}", at + 1))).expect("one dump for each case");
        let total = dump.lines().find_map(|line| line.strip_prefix("summary: "));
        let instructions = total.and_then(|total| total.trim().parse().ok()).expect("each dump is summed up");
        Count { name: case.name, bytes: case.bytes.len(), instructions }
    });
    let counts = counts.collect();
    fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
    counts
}

/// Prints all counts beside those that were kept, and gives what grew.
fn compare(counts: &[Count], kept: &str) -> Vec<String> {
    let kept: BTreeMap<&str, u64> = kept
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.trim_start().split_once("  "))
        .filter_map(|(count, name)| Some((name, count.parse().ok()?)))
        .collect();
    let mut problems = Vec::new();
    println!("instructions  a byte   change");
    for Count { name, bytes, instructions } in counts {
        let before = kept.get(name.as_str()).copied();
        let change = before.map_or("new".into(), |before| {
            format!("{:+.1} %", (*instructions as f64 / before as f64 - 1.0) * 100.0)
        });
        println!("{instructions:>12} {:>7.1} {change:>8}  {name}", *instructions as f64 / *bytes as f64);
        let more = if name.ends_with("kB") { MORE_OF_MANY } else { MORE };
        match before {
            None => problems.push(format!("{name}: not in instructions.txt; {RENEW}")),
            Some(before) if instructions * 100 > before * (100 + more) => {
                problems.push(format!(
                    "{name}: {instructions} instructions, {before} before; if it must be, {RENEW}"
                ));
            }
            Some(_) => {}
        }
    }
    problems
}

fn beyond_goals(counts: &[Count]) -> Vec<String> {
    let of =
        |name: &str| counts.iter().find(|count| count.name == name).expect("goals name cases").instructions;
    let missed = GOALS.iter().filter(|(name, most)| of(name) > most + OWN);
    missed
        .map(|(name, most)| format!("{name}: {} instructions, the goal is {most} + {OWN}", of(name)))
        .collect()
}

/// Ten times the bytes may cost ten times as much, and not a hundred times.
fn not_linear(counts: &[Count]) -> Vec<String> {
    let of = |name: &str| counts.iter().find(|count| count.name == name);
    let mut problems = Vec::new();
    println!("\ncost of 100 kB over that of 10 kB");
    for Count { name, instructions, .. } in counts {
        let Some(name) = name.strip_suffix(": 100 kB") else { continue };
        let ten = of(&format!("{name}: 10 kB")).expect("every size is there").instructions;
        let ratio = *instructions as f64 / ten as f64;
        println!("{ratio:>12.2}  {name}");
        if ratio > TENFOLD {
            problems.push(format!("{name}: ten times the bytes cost {ratio:.1} times as much"));
        }
    }
    problems
}

fn written(counts: &[Count]) -> String {
    let compiler = Command::new("rustc").arg("--version").output().expect("rustc is installed").stdout;
    let mut text = format!(
        "# Instructions of each case on x86-64, see docs/performance.md. To renew:\n\
         # cargo bench -p agi-proto --bench instructions -- --renew\n\
         # {}\n",
        String::from_utf8_lossy(&compiler).trim()
    );
    for Count { name, instructions, .. } in counts {
        let _ = writeln!(text, "{instructions:>12}  {name}");
    }
    text
}

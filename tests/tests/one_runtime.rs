//! What an adapter brings along: its own runtime, and no part of another.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::process::Command;

/// Crates that are runtimes, or the hearts of such: executors and what waits for sockets.
const RUNTIMES: [&str; 9] = [
    "async-executor",
    "async-global-executor",
    "async-io",
    "async-std",
    "futures-executor",
    "mio",
    "polling",
    "smol",
    "tokio",
];

#[test]
fn each_adapter_brings_one_runtime_only() {
    // smol and async-std are made of the same parts
    let cases: [(&str, &[&str]); 6] = [
        ("agi-proto", &[]),
        ("agi-service", &[]),
        ("agi-blocking", &[]),
        ("agi-tokio", &["mio", "tokio"]),
        ("agi-smol", &["async-executor", "async-io", "polling", "smol"]),
        ("agi-async-std", &["async-executor", "async-global-executor", "async-io", "async-std", "polling"]),
    ];
    for (adapter, runtime) in cases {
        assert_eq!(runtimes(adapter), runtime, "{adapter}");
    }
}

/// Those of the runtimes that a crate depends on, but for its tests and examples.
fn runtimes(of: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{lib}",
            "--package",
            of,
        ])
        .arg("--all-features")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap().replace('_', "-");
    assert!(tree.lines().any(|name| name == of), "{tree}");
    let mut found: Vec<String> =
        tree.lines().filter(|name| RUNTIMES.contains(name)).map(str::to_owned).collect();
    found.sort_unstable();
    found.dedup();
    found
}

//! Adapters stay thin: everything beyond the glue between the driver and a runtime belongs in agi-service.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs::{read_dir, read_to_string};
use std::path::Path;

/// The most lines of source of an adapter of an async runtime, beside its programs (`process`) and their audio (`eagi`).
const MOST: usize = 300;

#[test]
fn async_adapters_are_glue() {
    for adapter in ["agi-tokio", "agi-smol", "agi-async-std"] {
        let lines = lines(Path::new(&format!("../{adapter}/src")));
        assert!((1..=MOST).contains(&lines), "{adapter}: {lines} lines");
    }
}

fn lines(folder: &Path) -> usize {
    let entries = read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let others =
        entries.filter(|path| !matches!(path.file_stem().unwrap().to_str(), Some("process" | "eagi")));
    others
        .map(|path| match path.is_dir() {
            true => lines(&path),
            false => read_to_string(path).unwrap().lines().count(),
        })
        .sum()
}

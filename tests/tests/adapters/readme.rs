//! The README's tables, which tell of everything there is.

use std::path::Path;

use super::{ADAPTERS, CASES, Program};

const README: &str = include_str!("../../../README.md");
pub(super) const FEATURES: &str = "## What each adapter does";

/// A table's header and rows, cell by cell.
pub(super) fn table(heading: &str) -> (Vec<&'static str>, Vec<Vec<&'static str>>) {
    fn cells(line: &str) -> Option<Vec<&str>> {
        let line = line.strip_prefix('|')?.strip_suffix('|')?;
        Some(line.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
    }
    let lines = README.lines().skip_while(|&line| line != heading).skip(1);
    let mut rows = lines.take_while(|line| !line.starts_with("## ")).filter_map(cells);
    let header = rows.next().expect("the README has the table");
    rows.next();
    (header[1..].to_vec(), rows.collect())
}

#[test]
fn the_table_tells_of_all_adapters_and_all_that_is_shown() {
    let (header, rows) = table(FEATURES);
    assert_eq!(header, ADAPTERS);
    let features: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    let shown: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    assert_eq!(features, shown);
    for row in &rows {
        assert!(row[1..].iter().all(|&cell| matches!(cell, "yes" | "no")), "{row:?}");
    }
    // a "no" is nothing that could be called
    for (row, name, script) in CASES {
        let cells = &rows.iter().find(|cells| cells[0] == *row).unwrap()[1..];
        let has = |adapter: &&str| match script {
            Program(_) => Path::new("..").join(adapter).join(format!("src/{name}.rs")).exists(),
            _ => true,
        };
        let has = ADAPTERS.iter().map(|adapter| if has(adapter) { "yes" } else { "no" });
        assert_eq!(cells, has.collect::<Vec<_>>(), "{row}");
    }
}

#[test]
fn the_readme_tells_of_every_example() {
    let (header, rows) = table("## Examples");
    assert_eq!(header, ADAPTERS);
    for (column, adapter) in ADAPTERS.iter().enumerate() {
        let mut told: Vec<&str> =
            rows.iter().map(|row| row[1 + column]).filter(|name| !name.is_empty()).collect();
        let examples = Path::new("..").join(adapter).join("examples").read_dir().unwrap();
        let mut there: Vec<_> = examples.map(|entry| entry.unwrap().path()).collect();
        told.sort_unstable();
        there.sort_unstable();
        let there: Vec<_> = there.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
        assert_eq!(told, there, "{adapter}");
    }
}

#[test]
fn the_readme_tells_of_every_crate() {
    let listed: Vec<&str> = README
        .lines()
        .skip_while(|&line| line != "## Which crate")
        .filter_map(|line| Some(line.strip_prefix("| [`")?.split_once('`')?.0))
        .collect();
    let workspace = include_str!("../../../Cargo.toml");
    let members = workspace.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
    let members = members.trim_end_matches(']').split(", ").map(|member| member.trim_matches('"'));
    let mut members: Vec<&str> =
        members.filter(|&member| !matches!(member, "tests" | "agi-sim/cli")).collect();
    let mut sorted = listed.clone();
    members.sort_unstable();
    sorted.sort_unstable();
    assert_eq!(sorted, members);
    assert!(ADAPTERS.iter().all(|adapter| listed.contains(adapter)));
}

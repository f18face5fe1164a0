//! The files and tests that docs/rules.md names exist.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs::{read_dir, read_to_string};
use std::path::Path;

const RULES: &str = include_str!("../../docs/rules.md");

/// The names in backticks of a cell of the table.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The source of a test file, or of all files of a test folder.
fn source(of: &str) -> String {
    let path = Path::new("tests").join(of);
    if !path.is_dir() {
        return read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    read_dir(path).unwrap().map(|file| read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn every_file_and_every_test_exists() {
    let mut rules = 0;
    for row in RULES.lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, number, rule, files, memory, live, _] = cells[..] else { continue };
        let Ok(number) = number.parse::<usize>() else { continue };
        rules += 1;
        assert_eq!(number, rules, "the rules are numbered");
        assert!(names(files).next().is_some() && names(memory).next().is_some(), "{rule}");
        for file in names(files) {
            assert!(Path::new("../agi-proto/src").join(file).is_file(), "rule {number}: no file {file}");
        }
        for test in names(memory).chain(names(live)) {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("rule {number}: {test}"));
            let source = source(file);
            let stands = source.contains(&format!("fn {name}(")) || source.contains(&format!("fn {name}<"));
            assert!(stands, "rule {number}: no test {name} in {file}");
        }
    }
    assert!(rules >= 16, "{rules} rules");
}

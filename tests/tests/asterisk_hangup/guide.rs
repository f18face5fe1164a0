//! The tables of `docs/hangup.md`, as what the tests expect.

use std::collections::BTreeSet;

use super::Setting;
use super::cell::Cell;
use super::scenario::Scenario;

/// The guide's tables.
pub struct Guide {
    classes: Vec<Vec<String>>,
    wire: Vec<Vec<String>>,
    replies: Vec<Vec<String>>,
    told: Vec<Vec<String>>,
    log: Vec<Vec<String>>,
}

/// The order of the columns of the classes.
const CLASSES: [&str; 4] = ["D", "DX", "S", "SX"];

impl Guide {
    /// Reads the guide.
    pub fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/hangup.md");
        let text = std::fs::read_to_string(path).unwrap();
        Self {
            classes: table(&text, &["class", "`AGISIGHUP`", "`AGIEXITONHANGUP`"]),
            wire: table(&text, &["what happens", "D", "DX", "S", "SX", "`AGISTATUS`", "goes on"]),
            replies: table(&text, &["command", "its reply at the hangup", "what the call gives"]),
            told: table(&text, &["what happens", "D", "DX", "S", "SX"]),
            log: table(&text, &["log line", "cause"]),
        }
    }

    /// The class of a setting.
    pub fn class(&self, setting: Setting) -> String {
        let has = |cell: &str, value: Option<&str>| {
            let value = value.map_or("unset".into(), |value| format!("`{value}`"));
            cell.split(", ").any(|each| each == value)
        };
        let row = self.classes.iter().find(|row| has(&row[1], setting.sighup) && has(&row[2], setting.exit));
        row.unwrap_or_else(|| panic!("{setting:?} is in no class"))[0].clone()
    }

    /// What Asterisk logs when a script closes its socket too early.
    pub fn log_lines(&self) -> Vec<&str> {
        self.log.iter().map(|row| row[0].trim_matches('`')).collect()
    }

    /// What is wrong with a cell.
    pub fn compare(&self, class: &str, scenario: Scenario, cell: &Cell) -> Option<String> {
        let column = 1 + CLASSES.iter().position(|each| *each == class).unwrap();
        let row = find(&self.wire, scenario.name());
        let told = find(&self.told, scenario.name());
        let mut wrong = Vec::new();
        let mut check = |what: &str, holds: bool, guide: &str, measured: &str| {
            if !holds {
                wrong.push(format!("{what} is `{measured}`, where the guide has `{guide}`"));
            }
        };
        let pattern: Vec<_> = row[column].trim_matches('`').split(' ').collect();
        check("the wire", matches(&pattern, &cell.wire), &row[column], &cell.wire.join(" "));
        check("AGISTATUS", row[5] == cell.status, &row[5], &cell.status);
        check("the way on", row[6] == cell.goes_on, &row[6], &cell.goes_on);
        check("what is told", told[column] == cell.told, &told[column], cell.told);
        if let Some((reply, gives)) = &cell.reply {
            // AMI tells that a command runs a moment before it does
            let early = format!("{}, before it has begun", scenario.name());
            let is_early = |row: &&Vec<String>| row[0] == early && row[1] == format!("`{reply}`");
            let row = self.replies.iter().find(is_early).map(Vec::as_slice);
            let row = row.unwrap_or_else(|| find(&self.replies, scenario.name()));
            check("the reply", row[1] == format!("`{reply}`"), &row[1], reply);
            check("the result", row[2] == *gives, &row[2], gives);
        }
        (!wrong.is_empty()).then(|| wrong.join("; "))
    }
}

/// What the first cells of a table name.
fn names(table: &[Vec<String>]) -> BTreeSet<String> {
    table.iter().flat_map(|row| row[0].split("; ")).map(|name| name.replace('`', "")).collect()
}

/// The rows of the table with this head; a cell holds no `|`.
fn table(text: &str, head: &[&str]) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().into()).collect()
    };
    let mut lines = text.lines().skip_while(|line| cells(line) != head);
    assert!(lines.next().is_some(), "the guide has no table {head:?}");
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let row = cells(line);
        assert_eq!(row.len(), head.len(), "{line}");
        row
    })
    .collect()
}

/// A row that its first cell names, maybe among others.
fn find<'a>(table: &'a [Vec<String>], name: &str) -> &'a [String] {
    let has =
        |row: &&Vec<String>| row[0].split("; ").any(|each| each.replace('`', "") == name.replace('`', ""));
    table.iter().find(has).unwrap_or_else(|| panic!("the guide has no row {name:?}"))
}

/// Whether words are what a pattern says: `[H]` may be missing, `200…` comes at least once, `EOF/RST` is
/// one of these.
fn matches(pattern: &[&str], words: &[String]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return words.is_empty() };
    if let Some(optional) = first.strip_prefix('[').and_then(|first| first.strip_suffix(']')) {
        if matches(rest, words) {
            return true;
        }
        return matches(&[&[optional], rest].concat(), words);
    }
    if let Some(many) = first.strip_suffix('…') {
        let most = words.iter().take_while(|word| *word == many).count();
        return (1..=most).any(|taken| matches(rest, &words[taken..]));
    }
    let Some((word, left)) = words.split_first() else { return false };
    first.split('/').any(|each| each == word) && matches(rest, left)
}

#[test]
fn every_row_is_measured() {
    let guide = Guide::read();
    let scenarios = || Scenario::all().map(|scenario| scenario.name().replace('`', ""));
    assert_eq!(names(&guide.wire), scenarios().collect());
    assert_eq!(names(&guide.told), scenarios().collect());
    let pending = Scenario::all().filter(|scenario| matches!(scenario, Scenario::Pending(_)));
    let mut pending: BTreeSet<_> = pending.map(|scenario| scenario.name().to_string()).collect();
    pending.insert("RECORD FILE, before it has begun".into());
    assert_eq!(names(&guide.replies), pending);
}

#[test]
fn patterns_match() {
    for (pattern, words, holds) in [
        ("H EOF", "H EOF", true),
        ("H EOF", "H", false),
        ("H", "H EOF", false),
        ("200… [H] EOF/RST", "200 200 RST", true),
        ("200… [H] EOF/RST", "H RST", false),
        ("200… H [200…] > H EOF", "200 H 200 200 > H EOF", true),
    ] {
        let (pattern, words): (Vec<_>, Vec<_>) =
            (pattern.split(' ').collect(), words.split(' ').map(String::from).collect());
        assert_eq!(matches(&pattern, &words), holds, "{pattern:?} {words:?}");
    }
    // as many as come before a hangup that comes late
    let mut words = vec!["200".to_owned(); 50_000];
    words.extend([">", "EOF"].map(String::from));
    assert!(matches(&["200…", ">", "EOF"], &words));
}

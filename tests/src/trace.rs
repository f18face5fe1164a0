//! The recorded conversations.

use std::fs;
use std::path::{Path, PathBuf};

pub use agi_sim::trace::Line;
use agi_sim::trace::parse;

/// A recorded conversation.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The file's name without extension.
    pub name: String,
    /// Its lines, comments left out.
    pub lines: Vec<Line>,
}

impl Trace {
    /// Reads a file.
    ///
    /// # Panics
    ///
    /// If it cannot be read, or holds what is no trace.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let lines =
            parse(&text).unwrap_or_else(|line| panic!("{}: not a line of a trace: {line}", path.display()));
        Self { name, lines }
    }

    /// All the traces that lie in `tests/traces`, by name.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "trace"));
        paths.sort();
        assert!(!paths.is_empty(), "no traces in {}", folder.display());
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// The same conversation with Asterisk's bytes between two actions of the script in one piece each.
    pub fn joined(&self) -> Vec<Line> {
        let mut joined: Vec<Line> = Vec::new();
        for line in &self.lines {
            match (joined.last_mut(), line) {
                (Some(Line::Received(before)), Line::Received(more)) => before.extend_from_slice(more),
                _ => joined.push(line.clone()),
            }
        }
        joined
    }
}

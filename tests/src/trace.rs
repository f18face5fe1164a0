//! Recording conversations as text, one line a segment.
//!
//! ```text
//! # a comment
//! < "200 result=0\n"      what Asterisk sent, in one piece
//! > "NOOP\n"              what the script sent
//! finish                  the script shut its writing side
//! eof                     Asterisk closed
//! ```
//!
//! Text stands in quotes, with `\n`, `\r`, `\t`, `\"`, `\\` and `\xff` for what is not printable.

use std::fs;
use std::path::{Path, PathBuf};

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Asterisk sent this.
    Received(Vec<u8>),
    /// The script sent this.
    Sent(Vec<u8>),
    /// The script shut its writing side.
    Finish,
    /// Asterisk closed.
    Eof,
}

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
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let parse =
            |line| parse(line).unwrap_or_else(|| panic!("{}: not a line of a trace: {line}", path.display()));
        Self { name, lines: lines.map(parse).collect() }
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

fn parse(line: &str) -> Option<Line> {
    match line {
        "finish" => Some(Line::Finish),
        "eof" => Some(Line::Eof),
        _ => match line.split_once(' ')? {
            ("<", text) => Some(Line::Received(unescape(text)?)),
            (">", text) => Some(Line::Sent(unescape(text)?)),
            _ => None,
        },
    }
}

fn unescape(quoted: &str) -> Option<Vec<u8>> {
    let mut bytes = quoted.strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let hex = [bytes.next()?, bytes.next()?];
                    u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?
                }
                other @ (b'"' | b'\\') => other,
                _ => return None,
            },
            _ => byte,
        });
    }
    Some(text)
}

//! What happened in a call, to be read.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use crate::model::Event;

/// What happened in a call, line by line, with the time of each: `S>A` is what the service sent, `A>S` what
/// Asterisk wrote, `***` what is not on the wire.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    lines: Vec<(Duration, String)>,
    watcher: Option<Watcher>,
}

/// Is told each line as it comes.
#[derive(Clone)]
pub(super) struct Watcher(pub(super) Arc<Watch>);

type Watch = dyn Fn(Duration, &str) + Send + Sync;

// tests catch the panic of a call that fails; the watcher is not asked again
impl UnwindSafe for Watcher {}
impl RefUnwindSafe for Watcher {}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}

impl Transcript {
    pub(super) fn watched(watcher: Option<Watcher>) -> Self {
        Self { watcher, ..Self::default() }
    }

    /// Adds what happened at a [`Pbx`](crate::Pbx).
    pub fn event(&mut self, now: Duration, event: &Event) {
        self.push(now, event.to_string());
    }

    /// Adds a note of one's own.
    pub fn note(&mut self, now: Duration, note: impl fmt::Display) {
        self.push(now, format!("***  {note}"));
    }

    fn push(&mut self, now: Duration, line: String) {
        if let Some(Watcher(watcher)) = &self.watcher {
            watcher(now, &line);
        }
        self.lines.push((now, line));
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Its lines.
    pub fn lines(&self) -> impl Iterator<Item = (Duration, &str)> {
        self.lines.iter().map(|(time, line)| (*time, line.as_str()))
    }

    /// Whether a line of it holds this text.
    pub fn contains(&self, text: &str) -> bool {
        self.lines.iter().any(|(_, line)| line.contains(text))
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (time, line) in &self.lines {
            if line.starts_with("A>S  agi_") || line == "A>S  \\n" {
                continue; // who reads this knows how a session begins
            }
            writeln!(f, "{:>9.3}s  {line}", time.as_secs_f64())?;
        }
        Ok(())
    }
}

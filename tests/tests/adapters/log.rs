//! What the servers have to say, line by line.

use std::io;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::Instant;

use agi_tests::pbx::LONG;
use tracing_subscriber::filter::LevelFilter;

/// A writer that remembers.
pub(super) struct Log;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

impl Log {
    pub(super) fn capture() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let format = tracing_subscriber::fmt().with_max_level(LevelFilter::DEBUG).with_ansi(false);
            format.with_writer(|| Log).init();
        });
    }

    /// Waits for a line with all of this.
    pub(super) fn find(parts: &[&str]) {
        let began = Instant::now();
        loop {
            let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let lines = String::from_utf8_lossy(&lines);
            if lines.lines().any(|line| parts.iter().all(|part| line.contains(part))) {
                return;
            }
            assert!(began.elapsed() < LONG, "no line with {parts:?} in\n{lines}");
            thread::yield_now();
        }
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

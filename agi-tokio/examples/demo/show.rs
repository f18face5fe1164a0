//! Lines on the terminal, with the time since the beginning.

use std::fmt::Display;
use std::time::Instant;

/// Prints what happens.
#[derive(Clone, Copy)]
pub(crate) struct Show {
    began: Instant,
}

impl Show {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now() }
    }

    /// Bytes on the wire, a line each.
    pub(crate) fn wire(self, direction: &str, bytes: &[u8]) {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line(direction, line.escape_ascii().to_string().replace("\\\"", "\""));
        }
    }

    /// What the library made of it.
    pub(crate) fn library(self, what: impl Display) {
        self.line("lib", what);
    }

    /// What happens to the call.
    pub(crate) fn call(self, what: impl Display) {
        self.line("***", what);
    }

    fn line(self, who: &str, what: impl Display) {
        println!("{:>8.3}s  {who}  {what}", self.began.elapsed().as_secs_f64());
    }
}

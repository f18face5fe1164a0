//! Lines on the terminal, with the time since the beginning.

use std::fmt::Display;
use std::time::Instant;

/// Prints what happens.
#[derive(Clone, Copy)]
pub(crate) struct Show {
    began: Instant,
    taps: bool,
}

impl Show {
    /// The bytes on the wire come from the [`Tap`](crate::tap::Tap), or else as the simulated Asterisk tells them,
    /// in the order in which it saw them.
    pub(crate) fn new(taps: bool) -> Self {
        Self { began: Instant::now(), taps }
    }

    /// Bytes on the wire, a line each.
    pub(crate) fn wire(self, direction: &str, bytes: &[u8]) {
        if !self.taps {
            return;
        }
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line(format_args!("{direction}  {}", line.escape_ascii().to_string().replace("\\\"", "\"")));
        }
    }

    /// What the library made of it.
    pub(crate) fn library(self, what: impl Display) {
        self.line(format_args!("lib  {what}"));
    }

    /// What happens to the call.
    pub(crate) fn call(self, what: impl Display) {
        self.line(format_args!("***  {what}"));
    }

    /// A line that says already what it is.
    pub(crate) fn line(self, what: impl Display) {
        println!("{:>8.3}s  {what}", self.began.elapsed().as_secs_f64());
    }
}

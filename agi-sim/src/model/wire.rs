//! The two buffers that Asterisk reads through, and its writes.
//!
//! ```text
//!   script --> kernel --fgets--> stdio --> the command that runs --> writes --> script
//!                ^ poll(2) looks here only
//! ```
//!
//! Asterisk waits with poll(2) and reads with fgets(3). What one read brought along behind a line lies in the
//! stdio buffer, unseen until the kernel has something more.

use std::collections::VecDeque;
use std::time::Duration;

/// What stdio reads at once.
const STDIO: usize = 4096;
/// How long Asterisk waits for the script to take a write.
const WRITE: Duration = Duration::from_millis(100);

/// What fgets found.
pub(crate) enum Read {
    Line(Vec<u8>),
    /// A line has begun, and Asterisk waits for nothing but its end.
    Partial,
    Nothing,
    End,
}

#[derive(Debug)]
pub(crate) struct Wire {
    limit: usize,
    kernel: VecDeque<u8>,
    stdio: VecDeque<u8>,
    line: Vec<u8>,
    eof: bool,
    writes: VecDeque<Vec<u8>>,
    queued: usize,
    /// How many bytes the script's side takes unread.
    window: usize,
    /// A write that found no room, and until when it is tried.
    stuck: VecDeque<(Duration, Vec<u8>)>,
}

impl Wire {
    pub(crate) fn new(limit: usize, window: Option<usize>) -> Self {
        Self {
            limit,
            kernel: VecDeque::new(),
            stdio: VecDeque::new(),
            line: Vec::new(),
            eof: false,
            writes: VecDeque::new(),
            queued: 0,
            window: window.unwrap_or(usize::MAX),
            stuck: VecDeque::new(),
        }
    }

    pub(crate) fn handle_input(&mut self, bytes: &[u8]) {
        self.kernel.extend(bytes);
    }

    pub(crate) fn handle_eof(&mut self) {
        self.eof = true;
    }

    /// Whether poll(2) says that there is something to read.
    pub(crate) fn is_readable(&self) -> bool {
        !self.kernel.is_empty() || self.eof
    }

    /// Whether Asterisk waits for the rest of a line, and sees nothing else.
    pub(crate) fn is_in_line(&self) -> bool {
        !self.line.is_empty()
    }

    pub(crate) fn read(&mut self) -> Read {
        loop {
            let room = self.limit - self.line.len();
            let end = self.stdio.iter().take(room).position(|&byte| byte == b'\n').map(|at| at + 1);
            let take = end.unwrap_or(room.min(self.stdio.len()));
            self.line.extend(self.stdio.drain(..take));
            // C sees a string: behind a NUL the next read goes on
            if let Some(nul) = self.line.iter().position(|&byte| byte == 0) {
                self.line.truncate(nul);
                if nul == 0 {
                    return Read::End;
                }
            } else if self.line.last() == Some(&b'\n') {
                self.line.pop();
                return Read::Line(std::mem::take(&mut self.line));
            } else if self.line.len() == self.limit {
                return Read::Line(std::mem::take(&mut self.line));
            }
            if take > 0 && !self.stdio.is_empty() {
                continue;
            }
            if self.kernel.is_empty() {
                return match (self.eof, self.line.is_empty()) {
                    (true, true) => Read::End,
                    (true, false) => Read::Line(std::mem::take(&mut self.line)),
                    (false, true) => Read::Nothing,
                    (false, false) => Read::Partial,
                };
            }
            let n = self.kernel.len().min(STDIO);
            self.stdio.extend(self.kernel.drain(..n));
        }
    }

    /// Writes one piece. Where the script does not read, it waits a while, and drops what found no room.
    pub(crate) fn write(&mut self, bytes: Vec<u8>, now: Duration) {
        self.stuck.push_back((now + WRITE, bytes));
        self.retry(now);
    }

    /// Whether Asterisk waits for the script to read.
    pub(crate) fn stuck_until(&self) -> Option<Duration> {
        self.stuck.front().map(|(until, _)| *until)
    }

    pub(crate) fn retry(&mut self, now: Duration) {
        while let Some((until, mut bytes)) = self.stuck.pop_front() {
            let room = self.window.saturating_sub(self.queued);
            let rest = bytes.split_off(room.min(bytes.len()));
            if !bytes.is_empty() {
                self.queued += bytes.len();
                self.writes.push_back(bytes);
            }
            if rest.is_empty() {
                continue;
            }
            if now < until {
                self.stuck.push_front((until, rest));
                return;
            }
            // the next write gets its own time
            for (until, _) in &mut self.stuck {
                *until = now + WRITE;
            }
        }
    }

    pub(crate) fn poll_transmit(&self) -> Option<&[u8]> {
        self.writes.front().map(Vec::as_slice)
    }

    pub(crate) fn transmitted(&mut self, n: usize) {
        let first = self.writes.front_mut().expect("transmitted without a write");
        assert!(n <= first.len(), "transmitted more than there was");
        first.drain(..n);
        self.queued -= n;
        if first.is_empty() {
            self.writes.pop_front();
        }
    }

    /// What the script has sent is thrown away: Asterisk has closed.
    pub(crate) fn discard(&mut self) {
        self.kernel.clear();
        self.stdio.clear();
        self.line.clear();
    }
}

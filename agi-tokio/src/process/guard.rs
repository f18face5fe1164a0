//! Keeps everybody else off the conversation.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::stdio::{dup2_stdin, dup2_stdout, stderr};

use super::Descriptor;

/// There is one standard input and output, and one conversation over them.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The descriptors that standard input and output had, under other numbers.
///
/// As long as this is there, 1 is what 2 is, so that a print does not become a command, and 0 is empty.
/// These duplicates are closed in a program that this one starts, so that it does not hold the conversation
/// open.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) input: Descriptor,
    /// `None` when our direction has ended: there is nothing to go back to.
    pub(super) output: Option<Descriptor>,
}

impl Guard {
    pub(super) fn new() -> io::Result<Self> {
        if TAKEN.swap(true, Ordering::AcqRel) {
            return Err(io::Error::new(ErrorKind::ResourceBusy, "standard input and output are taken"));
        }
        Self::replace().inspect_err(|_| TAKEN.store(false, Ordering::Release))
    }

    fn replace() -> io::Result<Self> {
        let empty = File::open("/dev/null")?;
        let input = Descriptor::new(io::stdin().as_fd().try_clone_to_owned()?)?;
        let output = Descriptor::new(io::stdout().as_fd().try_clone_to_owned()?)?;
        // from here on its drop undoes what is done
        let guard = Self { input, output: Some(output) };
        dup2_stdin(&empty)?;
        dup2_stdout(stderr())?;
        // the rest of a line that was printed before
        let _ = io::stdout().flush();
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(output) = &self.output {
            // nor may the rest of a printed line come out when the descriptor is Asterisk's again
            let _ = io::stdout().flush();
            let _ = dup2_stdin(&self.input);
            let _ = dup2_stdout(output);
        }
        TAKEN.store(false, Ordering::Release);
    }
}

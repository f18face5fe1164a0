//! What the server has to say, line by line.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

pub(crate) struct Log(Receiver<String>);

impl Log {
    /// Once in a process, because handlers run on threads of their own.
    pub(crate) fn capture() -> Self {
        let (sender, receiver) = channel();
        let sender = Mutex::new(sender);
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .without_time()
            .with_writer(move || Lines(sender.lock().expect("nothing panics here").clone()))
            .init();
        Self(receiver)
    }

    /// The next line that holds this.
    pub(crate) fn find(&self, text: &str) -> String {
        std::iter::repeat_with(|| self.next()).find(|line| line.contains(text)).expect("it goes on")
    }

    /// The next line.
    pub(crate) fn next(&self) -> String {
        self.0.recv_timeout(Duration::from_secs(20)).expect("something is logged")
    }
}

struct Lines(Sender<String>);

impl Write for Lines {
    /// The subscriber writes each line as a whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // a test that reads no further may have ended
        let _ = self.0.send(String::from_utf8_lossy(line).trim().to_string());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

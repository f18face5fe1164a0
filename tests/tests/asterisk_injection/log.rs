//! What the servers of this process log.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, Once};

use super::TIME;

static TEXT: Mutex<String> = Mutex::new(String::new());
static NEWS: Condvar = Condvar::new();

/// The log since some moment.
pub struct Log(usize);

impl Log {
    pub fn from_now() -> Self {
        static START: Once = Once::new();
        START.call_once(|| {
            tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
                .with_writer(|| Lines)
                .init();
        });
        Self(TEXT.lock().unwrap().len())
    }

    /// The first line that holds this text. It is there or comes soon.
    pub fn wait_for(&self, text: &str) -> String {
        let find = |log: &str| log[self.0..].lines().find(|line| line.contains(text)).map(String::from);
        let log = TEXT.lock().unwrap();
        let (log, _) = NEWS.wait_timeout_while(log, TIME, |log| find(log).is_none()).unwrap();
        find(&log).unwrap_or_else(|| panic!("no {text:?} in the log: {}", &log[self.0..]))
    }
}

/// Keeps other tests from logging meanwhile.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    // a test that failed has ended
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        TEXT.lock().unwrap().push_str(std::str::from_utf8(bytes).expect("a log is text"));
        NEWS.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

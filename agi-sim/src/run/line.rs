//! The line in memory, for whatever reads and writes.

use std::io::{self, ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::caller::{Call, Caller, Scripted};

pub(crate) type Shared = Arc<Mutex<Scripted>>;

/// Who panicked while it held the lock has failed the test already.
pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, Scripted> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The service's end of a call in memory. A read that has to wait makes the simulated time pass instead.
///
/// Dropped, it is closed.
pub struct Line {
    shared: Shared,
    timeout: Option<Duration>,
}

impl Line {
    /// How long a read waits, in simulated time, before it fails with [`TimedOut`](ErrorKind::TimedOut);
    /// `None`, at first, is for ever.
    pub fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// Ends the direction to the PBX.
    pub fn shutdown_write(&mut self) {
        let mut scripted = lock(&self.shared);
        let now = scripted.now;
        scripted.handle_eof(now);
    }

    /// How much time has passed in the call.
    pub fn now(&self) -> Duration {
        lock(&self.shared).now
    }
}

impl Read for Line {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut scripted = lock(&self.shared);
        let deadline = self.timeout.map(|timeout| scripted.now + timeout);
        loop {
            if scripted.reset {
                return Err(ErrorKind::ConnectionReset.into());
            }
            if let Some(bytes) = scripted.poll_transmit() {
                let n = bytes.len().min(buf.len());
                buf[..n].copy_from_slice(&bytes[..n]);
                scripted.transmitted(n);
                return Ok(n);
            }
            if scripted.is_closed() {
                return Ok(0);
            }
            match (scripted.poll_timeout(), deadline) {
                (Some(due), Some(deadline)) if due > deadline => {
                    scripted.handle_timeout(deadline);
                    return Err(ErrorKind::TimedOut.into());
                }
                (Some(due), _) => scripted.handle_timeout(due),
                (None, _) => return Ok(0),
            }
        }
    }
}

impl Write for Line {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let mut scripted = lock(&self.shared);
        if scripted.reset {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if scripted.is_over() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let now = scripted.now;
        scripted.handle_input(buf, now);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shutdown_write();
    }
}

impl Caller {
    /// Calls a service in memory that reads and writes a stream.
    ///
    /// # Panics
    ///
    /// If the call goes otherwise than the script says, or as the service does, having printed what happened; so do
    /// all the ways to call.
    #[track_caller]
    pub fn run_stream<T>(self, service: impl FnOnce(Line) -> T) -> Call<T> {
        let shared = Arc::new(Mutex::new(Scripted::new(self)));
        let line = Line { shared: shared.clone(), timeout: None };
        let returned = catch_unwind(AssertUnwindSafe(|| service(line)));
        finish(&shared, returned).checked()
    }
}

/// Lets the PBX come to its end, once the service has. Or passes the service's panic on, unless the call had failed
/// before: then it says why, for the service may have panicked of that.
#[track_caller]
pub(crate) fn finish<T>(shared: &Shared, returned: thread::Result<T>) -> Call<T> {
    let mut scripted = lock(shared);
    let returned = match (returned, &scripted.failure) {
        (Ok(returned), _) => returned,
        (Err(_), Some(why)) if !scripted.unmet => panic!("{why}\n\n{}", scripted.transcript),
        (Err(panic), _) => {
            eprintln!("{}", scripted.transcript);
            resume_unwind(panic)
        }
    };
    while let Some(due) = scripted.poll_timeout().filter(|_| !scripted.is_over()) {
        scripted.handle_timeout(due);
    }
    Call::new(&scripted, returned)
}

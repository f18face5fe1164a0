//! Which calls run, and how they are made to end.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{self, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use agi_proto::service::{Counters, Ending, Options, WhenFull};

/// Ends a [`Server`](crate::Server), from any thread; every clone ends the same one.
///
/// ```no_run
/// # fn handler(_: &mut agi_blocking::Channel) -> Result<(), agi_blocking::Error> { Ok(()) }
/// let server = agi_blocking::Server::bind_local()?;
/// let shutdown = server.shutdown_handle();
/// std::thread::spawn(move || {
///     // when a signal or an administrator says so
///     shutdown.shutdown();
/// });
/// server.serve(handler)?; // returns once the calls have ended
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Shutdown {
    calls: Arc<Calls>,
}

impl Shutdown {
    pub(super) fn new(calls: &Arc<Calls>) -> Self {
        Self { calls: Arc::clone(calls) }
    }

    /// Stops accepting and returns; what waits in the kernel's queue by then is still taken, as far as there is room.
    /// [`Server::serve`](crate::Server::serve) returns when the calls have ended:
    ///
    /// 1. They may go on for [the time given](crate::Server::shutdown_timeout).
    /// 2. Then their writing sides are shut. Asterisk stops what it plays, and closes; the handler's next
    ///    command, or the one that waits, ends in [`Error::Closed`](agi_proto::Error::Closed), for which
    ///    [`is_hangup`](agi_proto::Error::is_hangup) holds. That ends a call as
    ///    [`Cancelled`](Ending::Cancelled), and so does an environment that did not come.
    /// 3. What still runs after the [time to linger](crate::Server::linger) (`EXEC Dial`, say) is cut off.
    ///
    /// A handler that does something else than wait for Asterisk is not interrupted, and not waited for.
    pub fn shutdown(&self) {
        self.calls.lock().stopping = true;
        self.calls.changed.notify_all();
        // if it cannot be written, enough is in it already
        let _ = (&self.calls.wake.0).write(&[0]);
    }

    /// Whether [`shutdown`](Self::shutdown) was called.
    pub fn is_shut_down(&self) -> bool {
        self.calls.is_stopping()
    }
}

/// How many calls are being refused at once, which takes until Asterisk has closed. Further ones wait.
const REFUSALS: usize = 64;
/// How long a handler has to notice that its socket was cut.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The calls of one server.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) counters: Arc<Counters>,
    /// The writing sides are being shut: what Asterisk says after that answers it, and is no hangup.
    pub(super) cut: Arc<AtomicBool>,
    running: Mutex<Running>,
    /// A call ended, or the server is to stop.
    changed: Condvar,
    /// A byte written into the first wakes who polls the second.
    wake: (UnixStream, UnixStream),
}

#[derive(Debug, Default)]
struct Running {
    stopping: bool,
    last: u64,
    sockets: HashMap<u64, TcpStream>,
    /// How many of them are only being refused.
    refusals: usize,
}

impl Running {
    fn is_full(&self, max_calls: usize) -> bool {
        self.sockets.len() - self.refusals >= max_calls
    }
}

impl Calls {
    pub(super) fn new() -> io::Result<Self> {
        let wake = UnixStream::pair()?;
        wake.0.set_nonblocking(true)?;
        Ok(Self {
            counters: Arc::default(),
            cut: Arc::default(),
            running: Mutex::default(),
            changed: Condvar::new(),
            wake,
        })
    }

    /// Readable once the server is to stop.
    pub(super) fn wake(&self) -> &UnixStream {
        &self.wake.1
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Waits until another connection can be taken. `false`: none can, and the server is to stop.
    pub(super) fn wait_for_room(&self, options: &Options) -> bool {
        let refuses = options.when_full == WhenFull::Refuse;
        let full = |running: &Running| {
            let room_to_refuse = refuses && running.refusals < REFUSALS;
            running.is_full(options.max_calls) && !room_to_refuse
        };
        let waits = |running: &mut Running| !running.stopping && full(running);
        let running = self.changed.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        !full(&running)
    }

    /// Waits so long, or until the server is to stop, and gives whether it is.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        self.wait(pause, |running| running.stopping)
    }

    /// Counts a call until what this gives is dropped.
    pub(super) fn enter(self: &Arc<Self>, stream: &TcpStream, max_calls: usize) -> io::Result<Guard> {
        let socket = stream.try_clone()?;
        let mut running = self.lock();
        running.last += 1;
        let (id, is_refusal) = (running.last, running.is_full(max_calls));
        running.refusals += usize::from(is_refusal);
        running.sockets.insert(id, socket);
        Ok(Guard { calls: Arc::clone(self), id, is_refusal, outcome: Outcome::NotBegun })
    }

    /// Waits for all calls to end, and makes them.
    pub(super) fn end(&self, timeout: Duration, linger: Duration) {
        if self.wait_for_end(timeout) {
            return;
        }
        self.cut.store(true, Ordering::Release);
        self.shut(net::Shutdown::Write);
        if self.wait_for_end(linger) {
            return;
        }
        self.shut(net::Shutdown::Both);
        if !self.wait_for_end(LAST_WORDS) {
            tracing::warn!(calls = self.lock().sockets.len(), "handlers still run after the shutdown");
        }
    }

    fn wait_for_end(&self, timeout: Duration) -> bool {
        self.wait(timeout, |running| running.sockets.is_empty())
    }

    fn shut(&self, how: net::Shutdown) {
        for socket in self.lock().sockets.values() {
            // one that has ended by itself needs no more
            let _ = socket.shutdown(how);
        }
    }

    fn wait(&self, timeout: Duration, done: impl Fn(&Running) -> bool) -> bool {
        let until = Instant::now().checked_add(timeout);
        let mut running = self.lock();
        while !done(&running) {
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            running = self.changed.wait_timeout(running, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Nothing panics while it holds the lock, so what it guards is whole.
    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One running call.
#[derive(Debug)]
pub(super) struct Guard {
    calls: Arc<Calls>,
    id: u64,
    is_refusal: bool,
    outcome: Outcome,
}

/// What has become of a call.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// Nothing: no thread could be had, and whoever wanted one counts that.
    NotBegun,
    Refused,
    Ended(Ending),
}

impl Guard {
    /// Whether there was no room.
    pub(super) fn is_refusal(&self) -> bool {
        self.is_refusal
    }

    /// The call is over. `None`: it was refused.
    pub(super) fn leave(mut self, ending: Option<Ending>) {
        self.outcome = ending.map_or(Outcome::Refused, Outcome::Ended);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut running = self.calls.lock();
        running.sockets.remove(&self.id);
        running.refusals -= usize::from(self.is_refusal);
        // In one step with the place, so that neither shows without the other: who sees that this call is
        // over finds its place free, and a server that has no call left has counted all of them.
        match self.outcome {
            Outcome::Ended(ending) => self.calls.counters.end(ending),
            // for want of room: it took none, and was counted when it came
            Outcome::Refused if !self.is_refusal => self.calls.counters.refuse(),
            Outcome::Refused | Outcome::NotBegun => {}
        }
        drop(running);
        self.calls.changed.notify_all();
    }
}

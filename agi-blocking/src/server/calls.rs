//! Which calls run, and how they are made to end.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{self, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use agi_service::log::TARGET;
use agi_service::{CallOutcome, Counters, Options, WhenFull};

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
    calls: Arc<Registry>,
}

impl Shutdown {
    pub(super) fn new(calls: &Arc<Registry>) -> Self {
        Self { calls: Arc::clone(calls) }
    }

    /// Stops accepting and returns; what waits in the kernel's queue by then is still taken, as far as there is room.
    /// [`Server::serve`](crate::Server::serve) returns when the calls have ended:
    ///
    /// 1. They may go on for [the time given](crate::Server::shutdown_timeout).
    /// 2. Then their writing sides are shut. Asterisk stops what it plays, and closes; the handler's next
    ///    command, or the one that waits, ends in [`Error::Closed`](agi_proto::Error::Closed), for which
    ///    [`is_hangup`](agi_proto::Error::is_hangup) holds. That ends a call as
    ///    [`Cancelled`](CallOutcome::Cancelled), and so does an environment that did not come.
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

/// The most calls that are being refused at once, which takes until Asterisk has closed. Further ones wait.
const REFUSALS: usize = 64;
/// The most connections that have not shown a call. The oldest silent one makes room for a newcomer, so that peers which
/// connect and say nothing keep no call out.
const LOBBY: usize = 256;
/// The time that a handler has to notice that its socket was cut.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The calls of one server.
#[derive(Debug)]
pub(super) struct Registry {
    pub(super) counters: Arc<Counters>,
    /// The writing sides are being shut: what Asterisk says after that answers it, and is not a hangup.
    pub(super) cut: Arc<AtomicBool>,
    running: Mutex<Running>,
    /// A call began or ended, or the server is to stop.
    changed: Condvar,
    /// A byte written into the first wakes whoever polls the second.
    wake: (UnixStream, UnixStream),
}

#[derive(Debug, Default)]
struct Running {
    stopping: bool,
    last: u64,
    /// The oldest first.
    connections: BTreeMap<u64, Connection>,
    /// How many of them are in which place.
    lobby: usize,
    calls: usize,
    refusals: usize,
}

#[derive(Debug)]
struct Connection {
    /// By which the call is cut off; a stream that was handed over has none.
    socket: Option<TcpStream>,
    place: Place,
}

/// The place of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the lobby: its environment has not come.
    Silent,
    /// In the lobby: its environment has not come, and it had to make room.
    Evicted,
    /// In the lobby: a call that waits for a place.
    Waiting,
    Call,
    Refusal,
}

impl Running {
    fn count(&mut self, place: Place) -> &mut usize {
        match place {
            Place::Silent | Place::Evicted | Place::Waiting => &mut self.lobby,
            Place::Call => &mut self.calls,
            Place::Refusal => &mut self.refusals,
        }
    }

    fn put(&mut self, id: u64, place: Place) {
        let connection = self.connections.get_mut(&id).expect("it is there as long as its guard");
        let before = std::mem::replace(&mut connection.place, place);
        *self.count(before) -= 1;
        *self.count(place) += 1;
    }

    /// Ends the oldest connection that has not shown a call. Returns whether there was one.
    fn evict_oldest(&mut self) -> bool {
        let silent = |(_, connection): &(&u64, &mut Connection)| {
            connection.place == Place::Silent && connection.socket.is_some()
        };
        let Some((_, connection)) = self.connections.iter_mut().find(silent) else { return false };
        connection.place = Place::Evicted;
        // a socket that has ended by itself needs no more
        let _ = connection.socket.as_ref().map(|socket| socket.shutdown(net::Shutdown::Read));
        true
    }
}

impl Registry {
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

    /// Waits until another connection can be taken. If the lobby is full, the oldest silent connection has to leave.
    /// `false`: none can be taken, and the server is to stop.
    pub(super) fn wait_for_room(&self) -> bool {
        let mut running = self.lock();
        if running.lobby >= LOBBY {
            running.evict_oldest();
        }
        let waits = |running: &mut Running| !running.stopping && running.lobby >= LOBBY;
        let running = self.changed.wait_while(running, waits).unwrap_or_else(PoisonError::into_inner);
        running.lobby < LOBBY
    }

    /// Ends the oldest connection that has not shown a call. Returns whether there was one.
    pub(super) fn evict_oldest(&self) -> bool {
        self.lock().evict_oldest()
    }

    /// Waits for this long, or until the server is to stop, and returns whether it is.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        self.wait(pause, |running| running.stopping)
    }

    /// Takes a new connection into the lobby, until the guard is dropped.
    pub(super) fn enter(self: &Arc<Self>, socket: Option<TcpStream>) -> Guard {
        let mut running = self.lock();
        running.last += 1;
        let id = running.last;
        running.connections.insert(id, Connection { socket, place: Place::Silent });
        running.lobby += 1;
        Guard { calls: Arc::clone(self), id, outcome: Outcome::NotBegun }
    }

    /// Waits for all calls to end, and makes them.
    pub(super) fn end(&self, timeout: Duration, linger: Duration) {
        if self.wait_for_end(timeout) {
            return;
        }
        let calls = self.lock().connections.len();
        tracing::warn!(target: TARGET, calls, after = ?timeout, "shutdown: calls did not end in time, and are cancelled");
        self.cut.store(true, Ordering::Release);
        self.changed.notify_all();
        self.shut(net::Shutdown::Write);
        if self.wait_for_end(linger) {
            return;
        }
        self.shut(net::Shutdown::Both);
        if !self.wait_for_end(LAST_WORDS) {
            tracing::warn!(target: TARGET, calls = self.lock().connections.len(), "shutdown: handlers still run");
        }
    }

    fn wait_for_end(&self, timeout: Duration) -> bool {
        self.wait(timeout, |running| running.connections.is_empty())
    }

    fn shut(&self, how: net::Shutdown) {
        for connection in self.lock().connections.values() {
            // a socket that has ended by itself needs no more
            let _ = connection.socket.as_ref().map(|socket| socket.shutdown(how));
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

/// One connection.
#[derive(Debug)]
pub(super) struct Guard {
    calls: Arc<Registry>,
    id: u64,
    outcome: Outcome,
}

/// The way in which a connection ended.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// Not at all: no thread could be had, and whoever wanted one counts that.
    NotBegun,
    Refused,
    Ended(CallOutcome),
}

impl Guard {
    /// Waits for a place, because the environment has come: a call's, or if calls do not wait also one for being refused.
    /// Returns whether the call is served. `None`: the server cancels its calls.
    pub(super) fn wait_for_place(&self, options: &Options) -> Option<bool> {
        let mut running = self.calls.lock();
        running.put(self.id, Place::Waiting);
        loop {
            if running.calls < options.max_calls {
                running.put(self.id, Place::Call);
                break;
            }
            if options.when_full == WhenFull::Refuse && running.refusals < REFUSALS {
                running.put(self.id, Place::Refusal);
                break;
            }
            if self.calls.cut.load(Ordering::Acquire) {
                return None;
            }
            running = self.calls.changed.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
        let is_served = running.connections[&self.id].place == Place::Call;
        drop(running);
        self.calls.changed.notify_all();
        Some(is_served)
    }

    /// Returns whether the connection had to make room before its environment came.
    pub(super) fn is_evicted(&self) -> bool {
        self.calls.lock().connections[&self.id].place == Place::Evicted
    }

    /// Notes how the connection ended. `None`: it was refused.
    pub(super) fn leave(mut self, outcome: Option<CallOutcome>) {
        self.outcome = outcome.map_or(Outcome::Refused, Outcome::Ended);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut running = self.calls.lock();
        if let Some(connection) = running.connections.remove(&self.id) {
            *running.count(connection.place) -= 1;
        }
        // In one step with the place, so that neither shows without the other: an observer who sees that this call is over
        // finds its place free, and a server that has no call left has counted all of them.
        match self.outcome {
            Outcome::Ended(outcome) => self.calls.counters.end(outcome),
            Outcome::Refused => self.calls.counters.refuse(),
            Outcome::NotBegun => {}
        }
        drop(running);
        self.calls.changed.notify_all();
    }
}

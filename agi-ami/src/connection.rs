//! The manager connection: its contract with the transport and the application.

mod front;

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use self::front::Front;
use crate::action::{self, ActionError};
use crate::call::Call;
use crate::error::{ConnectionError, SendError};
use crate::event::Event;
use crate::ids::CallId;
use crate::input::Input;
use crate::login::Credentials;
use crate::options::Options;

/// One connection to Asterisk's manager interface and the Async AGI calls on it, without any I/O.
///
/// Three kinds of methods:
///
/// * **Input**, which the transport has: [`handle_input`](Self::handle_input), [`handle_eof`](Self::handle_eof),
///   [`handle_timeout`](Self::handle_timeout).
/// * **Output**, which it takes: [`poll_transmit`](Self::poll_transmit) with [`transmitted`](Self::transmitted),
///   [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout).
/// * **The application's calls**: [`send`](Self::send), [`interrupt`](Self::interrupt), [`finish`](Self::finish),
///   [`logoff`](Self::logoff), [`reconnect`](Self::reconnect).
///
/// There is no clock inside: `now` is the time since any moment that stays the same, as of the process's start.
pub struct Connection {
    input: Input,
    front: Front,
}

impl Connection {
    /// Returns a connection that waits for Asterisk's greeting.
    ///
    /// `nonce` is a random number per process: it makes the CommandIDs unique, by which results are paired.
    ///
    /// # Errors
    ///
    /// [`ActionError`] for a service's name that is invalid, see [`Options::claim`].
    pub fn new(
        credentials: Credentials,
        options: Options,
        nonce: u64,
        now: Duration,
    ) -> Result<Self, ActionError> {
        options.check()?;
        let input = Input::new(options.message_bytes);
        Ok(Self { input, front: Front::new(credentials, options, nonce, now) })
    }

    /// Begins anew, over a new stream: the calls of the old one have ended with [`End::Lost`](crate::End::Lost), and
    /// those that still wait in Asterisk are found after the login, see [`Orphans`](crate::Orphans).
    ///
    /// Events that were not polled are kept.
    pub fn reconnect(&mut self, now: Duration) {
        self.input = Input::new(self.front.out.options.message_bytes);
        self.front.reconnect(now);
    }

    // ---- input ----

    /// Takes received bytes, in any pieces.
    pub fn handle_input(&mut self, input: &[u8], now: Duration) {
        if self.front.is_open() {
            self.front.handle_time(now);
            self.front.heard(now);
            self.input.push(input);
        }
    }

    /// The stream has ended or was reset.
    pub fn handle_eof(&mut self) {
        self.front.is_eof = true;
    }

    /// Does what is due: see [`poll_timeout`](Self::poll_timeout). It may be called at any time.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.front.handle_time(now);
        if self.front.is_open() {
            self.front.handle_timeout();
        }
    }

    // ---- output ----

    /// Returns bytes to write: whole actions, of one call after the other. Tell
    /// [`transmitted`](Self::transmitted) how many were written.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        self.front.out.poll().filter(|_| !self.front.is_eof)
    }

    /// Says that `n` of the bytes that [`poll_transmit`](Self::poll_transmit) returned were written.
    ///
    /// # Panics
    ///
    /// If `n` is more than it returned.
    pub fn transmitted(&mut self, n: usize) {
        self.front.out.transmitted(n);
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout), on the clock of `now`; `None` is never. It may be
    /// earlier than anything is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.front.due()
    }

    /// Returns what happened. `Ok(None)` means that more input is needed, once what
    /// [`poll_transmit`](Self::poll_transmit) returns is written.
    ///
    /// # Errors
    ///
    /// [`ConnectionError`], which is final, after the end of each call was reported.
    pub fn poll_event(&mut self) -> Result<Option<Event>, ConnectionError> {
        loop {
            if let Some(event) = self.front.out.events.pop_front() {
                return Ok(Some(event));
            }
            if let Some(error) = self.front.error() {
                return Err(error.clone());
            }
            if !self.front.is_open() || !self.front.step(&mut self.input) {
                return Ok(None);
            }
        }
    }

    // ---- the application's calls ----

    /// Queues a command line of a call, with or without its line end. Its reply comes as
    /// [`Event::Reply`] or [`Event::Cut`], or the call ends.
    ///
    /// One line runs at a time, the others wait here. A line that comes while another runs stops what plays,
    /// as over FastAGI, where Asterisk sees it: STREAM FILE, CONTROL STREAM FILE, GET DATA, GET OPTION, WAIT FOR DIGIT.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing was queued then.
    pub fn send(&mut self, call: CallId, line: &[u8], now: Duration) -> Result<(), SendError> {
        self.front.handle_time(now);
        let taker = self.front.calls.get(call).filter(|call| call.takes_lines() && self.front.is_open());
        let queued = taker.map(Call::queued_lines).ok_or(SendError::Over)?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let blanks = line.iter().take_while(|&&byte| byte == b' ').count();
        let line = &line[blanks..];
        action::check("AGI", "Command", line)?;
        if queued >= self.front.out.options.queued_lines {
            return Err(SendError::Full { queued });
        }
        self.front.calls.with(call, &mut self.front.out, |call, out| call.send(line, out));
        Ok(())
    }

    /// Stops the command of a call that runs, if it is one that input stops over FastAGI; does nothing if it is another
    /// or none. Its reply comes all the same, and soon.
    pub fn interrupt(&mut self, call: CallId, now: Duration) {
        self.front.handle_time(now);
        self.front.calls.with(call, &mut self.front.out, Call::interrupt);
    }

    /// Lets the dialplan go on behind `AGI()`, as over FastAGI when the script closes: lines that wait run, then the
    /// session is broken. No reply is reported any more, only [`Event::Ended`].
    pub fn finish(&mut self, call: CallId, now: Duration) {
        self.front.handle_time(now);
        self.front.calls.with(call, &mut self.front.out, Call::finish);
    }

    /// Asks Asterisk to close the connection once all else is written. Calls that have not ended stay in Asterisk and
    /// end here with [`End::Lost`](crate::End::Lost): [`finish`](Self::finish) them first.
    pub fn logoff(&mut self) {
        self.front.logoff();
    }

    // ---- getters ----

    /// Returns whether the login is done and the connection open.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.front.is_ready()
    }

    /// Returns how many calls are this service's, those being claimed or broken out included.
    #[must_use]
    pub fn call_count(&self) -> usize {
        self.front.calls.count_own()
    }

    /// Returns the Uniqueid of a call's channel, which a masquerade changes.
    #[must_use]
    pub fn uniqueid(&self, call: CallId) -> Option<Vec<u8>> {
        self.front.calls.get(call).map(|call| call.uniqueid.clone())
    }
}

/// Shows no bytes, since they hold what callers said.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.call_count();
        f.debug_struct("Connection")
            .field("is_ready", &self.is_ready())
            .field("calls", &calls)
            .finish_non_exhaustive()
    }
}

//! The core's loop over a blocking stream: what is written and read, and what an I/O error means.

use std::io::{self, ErrorKind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use agi_proto::{Event, Filled};
use agi_service::is_gone;

use super::Channel;
use crate::{Error, Stream};

/// The most bytes of one read: an environment or a reply usually comes by one.
pub(super) const READ: usize = 2048;
/// A time limit for what should not wait at all; zero is none that a socket takes.
pub(super) const MOMENT: Duration = Duration::from_millis(1);

/// So long from now; `None`, for ever, where the clock does not reach that far.
pub(super) fn after(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

/// How long that is from now.
pub(super) fn left(deadline: Option<Instant>) -> Option<Duration> {
    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

impl<S: Stream> Channel<S> {
    /// Goes on until `pick` takes an event; `None` when the deadline has passed.
    pub(super) fn drive<T>(
        &mut self,
        deadline: Option<Instant>,
        mut pick: impl FnMut(Event<'_>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        loop {
            let picked = self.progress(deadline, &mut pick)?;
            if picked.is_some() || !self.read(deadline)? {
                return Ok(picked);
            }
        }
    }

    /// Writes what is due and tells `pick` what has happened; `None` when more input is needed, or when the
    /// deadline has passed.
    pub(super) fn progress<T>(
        &mut self,
        deadline: Option<Instant>,
        mut pick: impl FnMut(Event<'_>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        loop {
            if !self.transmit(deadline)? {
                return Ok(None);
            }
            if self.stream.take_hangup() {
                self.session.handle_hangup();
            }
            let event = self.session.poll_event()?;
            match &event {
                Some(Event::Hangup) => self.log.hangup(),
                Some(Event::Response(response)) => self.log.reply(response),
                _ => {}
            }
            match event.map(&mut pick) {
                Some(Some(picked)) => return Ok(Some(picked)),
                Some(None) => {}
                // looking at an answer can make the session ask something of its own
                None if self.session.poll_transmit().is_some() => {}
                None => return Ok(None),
            }
        }
    }

    /// Waits for input, or for the session's own time-out. `false`: the deadline has passed.
    pub(super) fn read(&mut self, deadline: Option<Instant>) -> Result<bool, Error> {
        let left = left(deadline);
        if left == Some(Duration::ZERO) {
            return Ok(false);
        }
        let patience = self.session.poll_timeout().map(|patience| {
            let since = *self.quiet_since.get_or_insert_with(Instant::now);
            patience.saturating_sub(since.elapsed())
        });
        let limit = [left, patience].into_iter().flatten().min();
        match self.limit_reads(limit) {
            // then the session waits without: it needs a time-out only after a call was given up
            Err(error) if error.kind() == ErrorKind::Unsupported && left.is_none() => {}
            result => result.map_err(Error::Io)?,
        }
        if self.session.wants_quick_ack() {
            self.stream.acknowledge();
        }
        let mut space = [0; READ];
        let result = self.stream.read(&mut space);
        self.heed_cut();
        match result {
            Ok(0) => self.session.handle_eof(),
            Ok(read) => {
                self.log.read(&space[..read]);
                self.session.handle_input(&space[..read], Filled::when(read == READ));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            Err(error) if is_timeout(&error) && limit.is_some() => {
                if limit != patience {
                    return Ok(true);
                }
                self.session.handle_timeout();
            }
            Err(error) if is_gone(&error) => self.session.handle_eof(),
            Err(error) => {
                // whatever it was, nothing is to be waited for on this stream any more
                self.session.handle_eof();
                return Err(Error::Io(error));
            }
        }
        self.quiet_since = None;
        Ok(true)
    }

    /// Writes whatever is due. `false`: the deadline has passed.
    fn transmit(&mut self, deadline: Option<Instant>) -> Result<bool, Error> {
        match self.write_out(deadline) {
            // the peer goes on: what it still says is read until its end
            Err(error) if is_gone(&error) && self.heed_cut() => Ok(true),
            Err(error) if is_gone(&error) => {
                // what came before the end, a HANGUP perhaps, may still be read
                self.read_rest(true);
                self.session.handle_eof();
                Ok(true)
            }
            // the time cannot be limited: nothing was tried, and nothing is broken
            Err(error) if error.kind() == ErrorKind::Unsupported => Err(Error::Io(error)),
            Err(error) => {
                self.session.handle_eof();
                Err(Error::Io(error))
            }
            Ok(done) => Ok(done),
        }
    }

    /// Looks whether the stream was cut, and gives whether the rest of the conversation can be read with nothing
    /// more to be written.
    ///
    /// Asterisk answers the end of this direction by a `HANGUP` that is none, so what comes then is nobody's.
    /// Because it is told before the cut, nothing that answers the cut was read when this does not know of it yet.
    fn heed_cut(&mut self) -> bool {
        let is_cut = self.cut.load(Ordering::Acquire);
        if is_cut {
            self.session.finish();
        }
        is_cut && self.session.poll_transmit().is_none()
    }

    /// Writes whatever is due. `false`: the deadline has passed, and the rest is due still.
    pub(super) fn write_out(&mut self, deadline: Option<Instant>) -> io::Result<bool> {
        while self.unflushed || self.session.poll_transmit().is_some() {
            if let Some(left) = left(deadline) {
                self.limit_writes(left)?;
            }
            match self.write_once() {
                // what can be written at once is written, however late it is
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // the limit may be that of an earlier call, and shorter
                Err(error) if is_timeout(&error) && self.write_timeout.is_some() => {
                    self.set_write_timeout(left(deadline))?;
                }
                Err(error) => {
                    self.unflushed = false;
                    return Err(error);
                }
            }
            if left(deadline) == Some(Duration::ZERO) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One write, or where none is due the flush behind it. `false`: the stream took only a part of the line.
    fn write_once(&mut self) -> io::Result<bool> {
        let Some(line) = self.session.poll_transmit() else {
            self.stream.flush()?;
            self.unflushed = false;
            return Ok(true);
        };
        let written = self.stream.write(line)?;
        if written == 0 {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let is_whole = written == line.len();
        self.log.wrote(line, written);
        self.session.transmitted(written);
        self.unflushed = true;
        Ok(is_whole)
    }

    /// Sets both limits before anything is written, so that nothing is where the stream knows none.
    pub(super) fn limit(&mut self, timeout: Duration) -> Result<(), Error> {
        self.limit_reads(Some(timeout)).and_then(|()| self.limit_writes(timeout)).map_err(Error::Io)
    }

    /// Sees to it that a write takes no longer than that. A limit that is shorter already may stay: most writes
    /// do not wait at all, and are not worth a system call more.
    pub(super) fn limit_writes(&mut self, timeout: Duration) -> io::Result<()> {
        match self.write_timeout {
            Some(limit) if limit <= timeout.saturating_add(MOMENT) => Ok(()),
            _ => self.set_write_timeout(Some(timeout)),
        }
    }

    pub(super) fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| timeout.max(MOMENT));
        self.stream.set_write_timeout(timeout)?;
        self.write_timeout = timeout;
        Ok(())
    }

    /// Sets the stream's time limit for reads where it is another than it has.
    pub(super) fn limit_reads(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| timeout.max(MOMENT));
        if timeout != self.read_timeout {
            self.stream.set_read_timeout(timeout)?;
            self.read_timeout = timeout;
        }
        Ok(())
    }
}

pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

//! The end of a call.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::Channel;
use agi_proto::Filled;
use agi_service::{LINGER, is_gone};

use super::drive::{MOMENT, READ, after, is_timeout, left};
use crate::{Error, Stream};

/// Reads of what is left behind, so that a peer which never stops sending cannot hold up the end.
const LAST_READS: usize = 64;

impl<S: Stream> Channel<S> {
    /// Ends the conversation as Asterisk likes it, and the dialplan goes on: says that no more commands will
    /// come, lets what runs come to its end, and waits up to 5 seconds until Asterisk has closed; so nothing
    /// that it writes meets a closed socket.
    ///
    /// Asterisk closes within a millisecond, unless a command that was given up still runs. The stream itself
    /// is closed when the channel is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], with the kind [`TimedOut`](ErrorKind::TimedOut) where Asterisk did not close in time, or did
    /// not take the rest of a command. The conversation is over all the same.
    pub fn close(&mut self) -> Result<(), Error> {
        self.close_within(LINGER)
    }

    /// [`close`](Self::close) with a deadline of one's own.
    ///
    /// # Errors
    ///
    /// As [`close`](Self::close).
    pub fn close_within(&mut self, deadline: Duration) -> Result<(), Error> {
        if self.is_closed() {
            return Ok(());
        }
        self.session.finish();
        let ended = self.linger(after(deadline));
        self.session.handle_eof();
        // a conversation that failed stays failed, and has ended all the same
        while let Ok(Some(_)) = self.session.poll_event() {}
        self.log.end();
        match ended {
            Err(error) if is_gone(&error) => Ok(()),
            // a stream that can do no more than be dropped
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
            ended => ended.map_err(Error::Io),
        }
    }

    /// Ends this direction, then reads until the peer has ended the other.
    ///
    /// What comes is not given to the session, which would refuse to go on had the protocol been broken.
    fn linger(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        // the peer learns of the end also where the rest of a line cannot be written in time
        self.write_out(deadline)?;
        // where there is no such limit it waits as long as the stream does
        let _ = self.set_write_timeout(left(deadline));
        match self.stream.shutdown_write() {
            // a stream that has something to write for that, such as TLS, could not in time
            Err(error) if is_timeout(&error) => {}
            result => result?,
        }
        let mut space = [0; READ];
        loop {
            let left = left(deadline);
            if left == Some(Duration::ZERO) {
                // a socket that is closed with bytes unread is reset
                self.read_rest(false);
                return Err(ErrorKind::TimedOut.into());
            }
            self.limit_reads(left)?;
            match self.stream.read(&mut space) {
                Ok(0) => return Ok(()),
                Ok(read) => self.log.read(&space[..read]),
                Err(error) if is_timeout(&error) && left.is_some() => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads what is there already, for the session or to be thrown away.
    pub(super) fn read_rest(&mut self, keep: bool) {
        let mut space = [0; READ];
        for _ in 0..LAST_READS {
            if self.limit_reads(Some(MOMENT)).is_err() {
                return;
            }
            match self.stream.read(&mut space) {
                Ok(read @ 1..) if keep => {
                    self.session.handle_input(&space[..read], Filled::when(read == READ));
                }
                Ok(1..) => {}
                _ => return,
            }
        }
    }
}

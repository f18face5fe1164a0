//! A service on the bare session of agi-proto.

use std::io::{ErrorKind, Read, Write};

use agi_proto::{Command, Environment, Event, Filled, Request, Session};

use super::line::Line;
use crate::Error;
use crate::caller::{Call, Caller};

/// A [`Session`] and the line that it goes over: for services that are written without I/O, and for tests that
/// need no more. It has a method for each command.
pub struct Link {
    session: Session,
    line: Line,
}

impl Link {
    fn start(line: Line) -> Result<Self, Error> {
        let mut link = Self { session: Session::new(0x5eed), line };
        while link.session.environment().is_none() && !link.session.is_closed() {
            if link.session.poll_event()?.is_none() {
                link.turn()?;
            }
        }
        Ok(link)
    }

    /// Sends a command and waits for its reply.
    ///
    /// # Errors
    ///
    /// [`Error`], whose page says for each kind whether one may go on.
    pub fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
        let pending = self.session.send(&command).map_err(|error| self.session.send_error(error))?;
        loop {
            match self.session.poll_event()? {
                Some(Event::Response(response)) => return Ok(pending.decode(response)?),
                Some(Event::Closed) => return Err(self.session.close_error()),
                Some(_) => {}
                None => self.turn()?,
            }
        }
    }

    /// What Asterisk said about the call when it began.
    pub fn environment(&self) -> Option<&Environment> {
        self.session.environment()
    }

    /// What the dialplan asked for.
    pub fn request(&self) -> Option<Request> {
        self.environment().map(Request::new)
    }

    /// The session, to be driven by the service: what it has to send is written by
    /// [`turn`](Self::turn).
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Writes what the session has to write, and waits for input.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](agi_proto::Error::Io).
    pub fn turn(&mut self) -> Result<(), Error> {
        while let Some(bytes) = self.session.poll_transmit() {
            let n = bytes.len();
            // what came before the end is still to be read
            let _ = self.line.write(bytes);
            self.session.transmitted(n);
        }
        self.line.set_read_timeout(self.session.poll_timeout());
        let mut space = [0; 1024];
        match self.line.read(&mut space) {
            Ok(0) => self.session.handle_eof(),
            Ok(n) => self.session.handle_input(&space[..n], Filled::when(n == space.len())),
            Err(error) if error.kind() == ErrorKind::TimedOut => self.session.handle_timeout(),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => self.session.handle_eof(),
            Err(error) => return Err(agi_proto::Error::Io(error)),
        }
        Ok(())
    }

    agi_proto::channel_methods!("agi_sim::Link", "agi_sim::Error");
}

impl Caller {
    /// Calls a service in memory that is written on the bare session.
    ///
    /// # Panics
    ///
    /// If the call goes otherwise than the script says, or the environment is refused.
    #[track_caller]
    pub fn run<T>(self, service: impl FnOnce(&mut Link) -> T) -> Call<T> {
        self.run_stream(|line| {
            let mut link = Link::start(line).expect("the session takes the environment");
            let returned = service(&mut link);
            link.session.finish();
            link.line.shutdown_write();
            returned
        })
    }
}

//! Services on agi-blocking.

use std::io;
use std::time::Duration;

use agi_blocking::{Channel, ChannelBuilder, Stream};

use super::line::Line;
use crate::caller::{Call, Caller};

impl Stream for Line {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        Line::set_read_timeout(self, timeout);
        Ok(())
    }

    /// No write ever waits.
    fn set_write_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Line::shutdown_write(self);
        Ok(())
    }
}

impl Caller {
    /// Calls a service in memory that is written on [`agi_blocking`], and closes its channel as a server
    /// does. `None` where the call ended before it began, or its environment was refused.
    ///
    /// # Panics
    ///
    /// If the call goes otherwise than the script says.
    #[track_caller]
    pub fn run_blocking<T>(self, service: impl FnOnce(&mut Channel<Line>) -> T) -> Call<Option<T>> {
        self.run_stream(|line| {
            let mut channel = ChannelBuilder::new().start(line).ok().flatten()?;
            let returned = service(&mut channel);
            // a call that was reset cannot be closed
            let _ = channel.close();
            Some(returned)
        })
    }
}

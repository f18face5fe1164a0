//! A channel of agi-blocking.

use super::{Error, HANG, Script, Tap, Tape};
use agi_blocking::{Channel, ChannelBuilder};
use agi_proto::Command;
use std::net::TcpStream;
use std::time::Duration;

/// How long a command has run when it is given up: that cannot be made to depend on what is seen.
const HALF_WAY: Duration = Duration::from_millis(150);

/// A channel of agi-blocking.
pub struct Blocking(Channel<Tap<TcpStream>>);

impl Script for Blocking {
    const ADAPTER: &'static str = "blocking";

    fn start(stream: TcpStream, tape: &Tape) -> Self {
        let stream = Tap::new(stream, tape);
        let channel = ChannelBuilder::new().environment_timeout(HANG).start(stream);
        Self(channel.expect("an environment").expect("no probe"))
    }

    fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
        self.0.call_timeout(command, HANG).map(|reply| reply.expect("it hangs"))
    }

    fn call_for<C: Command>(&mut self, command: C, time: Duration) -> Option<Result<C::Reply, Error>> {
        self.0.call_timeout(command, time).transpose()
    }

    fn gives_up<C: Command>(&mut self, command: C, seen: impl FnOnce() + Send) -> bool {
        std::thread::scope(|scope| {
            scope.spawn(seen);
            self.call_for(command, HALF_WAY).is_none()
        })
    }

    fn wait_for_hangup(&mut self, at_most: Duration) -> bool {
        self.0.wait_for_hangup(at_most).expect("nothing is wrong with the conversation")
    }

    fn wait_for_hangup_polling(&mut self, interval: Duration, at_most: Duration) -> bool {
        self.0.wait_for_hangup_polling(at_most, interval).expect("nothing is wrong with the conversation")
    }

    fn resync(&mut self) -> Result<(), Error> {
        self.0.resync()
    }

    fn is_hung_up(&self) -> bool {
        self.0.is_hung_up()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(mut self) -> Result<(), Error> {
        self.0.close()
    }
}

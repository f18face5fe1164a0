//! A channel of agi-smol, step by step.

use super::{Error, HANG, Script, Tap, Tape};
use ::smol::future::{or, poll_once};
use ::smol::net::TcpStream as AsyncStream;
use ::smol::{Timer, block_on};
use agi_proto::Command;
use agi_smol::{Channel, ChannelBuilder};
use std::future::Future;
use std::net::TcpStream;
use std::pin::pin;
use std::time::Duration;

/// A channel of agi-smol.
pub struct Smol(Channel<Tap<AsyncStream>>, Tape);

/// Waits so long at most.
async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let limit = async {
        Timer::after(time).await;
        None
    };
    or(async { Some(future.await) }, limit).await
}

/// Waits for what may not take long.
fn soon<T>(future: impl Future<Output = T>) -> T {
    block_on(within(HANG, future)).expect("it hangs")
}

impl Script for Smol {
    const ADAPTER: &'static str = "smol";

    fn start(stream: TcpStream, tape: &Tape) -> Self {
        let stream = AsyncStream::try_from(stream).expect("a socket");
        let channel = soon(ChannelBuilder::new().start(Tap::new(stream, tape)));
        Self(channel.expect("an environment").expect("no probe"), tape.clone())
    }

    fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
        soon(self.0.call(command))
    }

    fn send_and_drop<C: Command>(&mut self, command: C) {
        self.1.set_deaf(true);
        let reply = block_on(poll_once(self.0.call(command)));
        self.1.set_deaf(false);
        assert!(reply.is_none(), "nothing can be read yet");
    }

    fn call_for<C: Command>(&mut self, command: C, time: Duration) -> Option<Result<C::Reply, Error>> {
        block_on(within(time, self.0.call(command)))
    }

    fn gives_up<C: Command>(&mut self, command: C, seen: impl FnOnce() + Send) -> bool {
        std::thread::scope(|scope| {
            let seen = scope.spawn(seen);
            let told = async {
                while !seen.is_finished() {
                    Timer::after(Duration::from_millis(1)).await;
                }
                None
            };
            let call = pin!(async { Some(self.0.call(command).await.is_ok()) });
            soon(or(call, told)).is_none()
        })
    }

    fn wait_for_hangup(&mut self, at_most: Duration) -> bool {
        block_on(within(at_most, self.0.wait_for_hangup())).is_some()
    }

    fn wait_for_hangup_polling(&mut self, interval: Duration, at_most: Duration) -> bool {
        block_on(within(at_most, self.0.wait_for_hangup_polling(interval))).is_some()
    }

    fn resync(&mut self) -> Result<(), Error> {
        soon(self.0.resync())
    }

    fn is_hung_up(&self) -> bool {
        self.0.is_hung_up()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(self) -> Result<(), Error> {
        block_on(self.0.close())
    }
}

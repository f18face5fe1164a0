//! A channel of agi-tokio, step by step.

use super::{Error, HANG, Script, Tap, Tape};
use agi_proto::Command;
use agi_tokio::{Channel, ChannelBuilder};
use std::future::{Future, poll_fn};
use std::net::TcpStream;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream as AsyncStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// A channel of agi-tokio and what runs it.
pub struct Tokio {
    runtime: Runtime,
    channel: Channel<Tap<AsyncStream>>,
}

/// Waits for what may not take long.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(HANG, future).await.expect("it hangs")
}

impl Script for Tokio {
    const ADAPTER: &'static str = "tokio";

    fn start(stream: TcpStream, tape: &Tape) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let channel = runtime.block_on(async {
            stream.set_nonblocking(true).expect("a socket");
            let stream = AsyncStream::from_std(stream).expect("a socket");
            soon(ChannelBuilder::new().start(Tap::new(stream, tape))).await
        });
        let channel = channel.expect("an environment").expect("no probe");
        Self { runtime, channel }
    }

    fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
        self.runtime.block_on(soon(self.channel.call(command)))
    }

    fn send_and_drop<C: Command>(&mut self, command: C) {
        self.runtime.block_on(async {
            let mut call = pin!(self.channel.call(command));
            poll_fn(|cx| {
                assert!(call.as_mut().poll(cx).is_pending(), "there can be no reply yet");
                Poll::Ready(())
            })
            .await;
        });
    }

    fn call_for<C: Command>(&mut self, command: C, time: Duration) -> Option<Result<C::Reply, Error>> {
        self.runtime.block_on(async { timeout(time, self.channel.call(command)).await.ok() })
    }

    fn gives_up<C: Command>(&mut self, command: C, seen: impl FnOnce() + Send) -> bool {
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                seen();
                // who has its reply waits no more
                let _ = tell.send(());
            });
            self.runtime.block_on(async {
                let mut told = pin!(soon(told));
                let mut call = pin!(self.channel.call(command));
                poll_fn(|cx| {
                    if call.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(false);
                    }
                    told.as_mut().poll(cx).map(|told| told.map(|()| true).expect("`seen` has panicked"))
                })
                .await
            })
        })
    }

    fn wait_for_hangup(&mut self, at_most: Duration) -> bool {
        self.runtime.block_on(async { timeout(at_most, self.channel.wait_for_hangup()).await.is_ok() })
    }

    fn wait_for_hangup_polling(&mut self, interval: Duration, at_most: Duration) -> bool {
        let wait = async { timeout(at_most, self.channel.wait_for_hangup_polling(interval)).await.is_ok() };
        self.runtime.block_on(wait)
    }

    fn resync(&mut self) -> Result<(), Error> {
        self.runtime.block_on(soon(self.channel.resync()))
    }

    fn is_hung_up(&self) -> bool {
        self.channel.is_hung_up()
    }

    fn is_closed(&self) -> bool {
        self.channel.is_closed()
    }

    fn close(self) -> Result<(), Error> {
        self.runtime.block_on(self.channel.close())
    }
}

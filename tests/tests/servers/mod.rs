//! The servers of all adapters, started and stopped in the same way.

#![allow(dead_code, unreachable_pub, reason = "no test file needs all of it")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use agi_service::Counters;

/// A free port on this machine.
pub const LOOPBACK: &[SocketAddr] = &[SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)];

/// A server that serves.
pub struct Running {
    pub address: SocketAddr,
    pub counters: Arc<Counters>,
    stop: Box<dyn FnOnce()>,
    serving: JoinHandle<()>,
}

impl Running {
    /// Begins the shutdown, and goes on.
    pub fn tell_to_stop(self) -> JoinHandle<()> {
        (self.stop)();
        self.serving
    }

    /// Stops it, and waits until every call is over.
    pub fn stop(self) {
        self.tell_to_stop().join().unwrap();
    }
}

/// What three runtimes differ in is how they block.
macro_rules! asynchronous {
    ($start:ident: $adapter:ident, $block_on:expr) => {
        pub fn $start<A: 'static>(
            addresses: &'static [SocketAddr],
            options: impl FnOnce($adapter::Server) -> $adapter::Server + Send + 'static,
            handler: impl $adapter::Handler<$adapter::Channel, A>,
        ) -> Running {
            let (give, given) = mpsc::channel();
            let (stop, stopped) = async_channel::bounded::<()>(1);
            let serving = thread::spawn(move || {
                $block_on(async move {
                    let server = options($adapter::Server::bind(addresses).await.unwrap());
                    give.send((server.local_addr().unwrap(), server.counters())).unwrap();
                    server.serve_until(handler, async { stopped.recv().await.unwrap_or(()) }).await;
                });
            });
            let (address, counters) = given.recv().unwrap();
            let stop = Box::new(move || stop.send_blocking(()).unwrap());
            Running { address, counters, stop, serving }
        }
    };
}

asynchronous!(tokio: agi_tokio, |serve| {
    tokio::runtime::Runtime::new().unwrap().block_on(serve);
});
asynchronous!(smol: agi_smol, smol::block_on);
asynchronous!(async_std: agi_async_std, async_std::task::block_on);

pub fn blocking<A: 'static>(
    addresses: &'static [SocketAddr],
    options: impl FnOnce(agi_blocking::Server) -> agi_blocking::Server,
    handler: impl agi_blocking::Handler<A>,
) -> Running {
    let server = options(agi_blocking::Server::bind(addresses).unwrap());
    let (address, counters) = (server.local_addr().unwrap(), server.counters());
    let shutdown = server.shutdown_handle();
    let serving = thread::spawn(move || server.serve(handler).unwrap());
    Running { address, counters, stop: Box::new(move || shutdown.shutdown()), serving }
}

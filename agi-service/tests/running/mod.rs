//! A server that runs and can be stopped: the one of `adapter`, on the runtime of `spawn` and `block_on`.

#![allow(dead_code, reason = "no test file needs all of it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};

use agi_tests::pbx::LONG;

use crate::adapter::{Channel, Counters, Handler, Server};
use crate::{block_on, spawn};

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) counters: Arc<Counters>,
    stop: async_channel::Sender<()>,
    done: mpsc::Receiver<()>,
}

impl Running {
    pub(crate) fn start<A: 'static>(handler: impl Handler<Channel, A>) -> Self {
        Self::with(|server| server, handler)
    }

    pub(crate) fn with<A: 'static>(
        options: impl FnOnce(Server) -> Server,
        handler: impl Handler<Channel, A>,
    ) -> Self {
        let server = options(block_on(Server::bind((Ipv4Addr::LOCALHOST, 0))).unwrap());
        let address = server.local_addr().unwrap();
        let counters = server.counters();
        let (stop, stopped) = async_channel::bounded::<()>(1);
        let (tell, done) = mpsc::channel();
        spawn(async move {
            server.serve_until(handler, async { stopped.recv().await.unwrap_or(()) }).await;
            tell.send(()).unwrap();
        });
        Self { address, counters, stop, done }
    }

    /// Stops it, and waits until every call is over.
    pub(crate) fn stop(self) {
        self.tell_to_stop().recv_timeout(LONG).expect("it hangs");
    }

    pub(crate) fn tell_to_stop(self) -> mpsc::Receiver<()> {
        self.stop.send_blocking(()).unwrap();
        self.done
    }
}

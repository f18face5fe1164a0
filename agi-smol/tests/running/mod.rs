//! A server that runs and can be stopped: the one of `adapter`, on the executor of `spawn`.

#![allow(dead_code, reason = "no test file needs all of it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;

use agi_tests::pbx::LONG;
use futures_lite::future::block_on;

use crate::adapter::{Handler, Server};
use crate::{Stream, spawn};

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: async_channel::Sender<()>,
    done: mpsc::Receiver<()>,
}

impl Running {
    pub(crate) fn start<H: Handler<Stream>>(handler: H) -> Self {
        Self::with(|server| server, handler)
    }

    pub(crate) fn with<H: Handler<Stream>>(options: impl FnOnce(Server) -> Server, handler: H) -> Self {
        let server = options(block_on(Server::bind((Ipv4Addr::LOCALHOST, 0))).unwrap());
        let address = server.local_addr().unwrap();
        let (stop, stopped) = async_channel::bounded::<()>(1);
        let (tell, done) = mpsc::channel();
        spawn(async move {
            server.serve_until(handler, async { stopped.recv().await.unwrap_or(()) }).await;
            tell.send(()).unwrap();
        });
        Self { address, stop, done }
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

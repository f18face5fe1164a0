//! Connections from peers that may not connect, without an end, on a runtime of one thread.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use agi_service::{Channel, Error, FuturesIo, Runtime, Server};
use futures_lite::future::{block_on, zip};
use futures_lite::io::Cursor;

/// A runtime whose listener has a new connection each time that it is asked.
struct Flood;

impl Runtime for Flood {
    type Sleep = std::future::Pending<()>;
    type Listener = ();
    type Connection = FuturesIo<Cursor<Vec<u8>>, Self>;

    fn sleep(_: Duration) -> Self::Sleep {
        std::future::pending()
    }

    fn spawn(_: impl Future<Output = ()> + Send + 'static) {
        unreachable!("this peer may not connect");
    }

    fn listener(_: std::net::TcpListener) -> io::Result<()> {
        Ok(())
    }

    fn local_addr((): &()) -> io::Result<SocketAddr> {
        Ok(([127, 0, 0, 1], 4573).into())
    }

    async fn accept((): &()) -> io::Result<(Self::Connection, SocketAddr)> {
        Ok((FuturesIo::new(Cursor::new(Vec::new())), ([192, 0, 2, 1], 4573).into()))
    }
}

#[test]
fn flood_neither_starves_tasks_nor_blocks_the_shutdown() {
    let (tell, done) = mpsc::channel();
    thread::spawn(move || {
        let server = Server::<Flood>::from_listener(()).allow("127.0.0.0/8".parse().unwrap());
        let counters = server.counters();
        let handler = async |_: Channel<_>| Ok::<(), Error>(());
        // whoever stops it is on the same thread
        let (stop, stopped) = async_channel::bounded::<()>(1);
        let serving = server.serve_until(handler, async { stopped.recv().await.unwrap_or(()) });
        block_on(zip(serving, async { stop.send(()).await.unwrap() }));
        tell.send(counters.counts()).unwrap();
    });
    let counts = done.recv_timeout(Duration::from_secs(20)).expect("it hangs");
    assert_eq!((counts.accepted(), counts.active()), (counts.refused(), 0));
}

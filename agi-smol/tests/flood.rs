//! Connections from peers that may not connect, without an end, on a runtime of one thread.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use agi_smol::agi_proto::service::Options;
use agi_smol::generic::{self, Runtime};
use agi_smol::{Channel, Counters, Error};
use futures_lite::future::{block_on, zip};
use futures_lite::io::Cursor;

enum Flood {}

impl Runtime for Flood {
    type Listener = ();
    type Stream = Cursor<Vec<u8>>;

    async fn accept((): &()) -> io::Result<(Self::Stream, SocketAddr)> {
        Ok((Cursor::new(Vec::new()), ([192, 0, 2, 1], 4573).into()))
    }

    fn set_nodelay(_: &Self::Stream) -> io::Result<()> {
        Ok(())
    }

    fn keep_alive(_: &Self::Stream) -> io::Result<()> {
        Ok(())
    }

    fn acknowledge(_: &Self::Stream) {}

    fn spawn(_: impl Future<Output = ()> + Send + 'static) {
        unreachable!("this peer may not connect");
    }
}

#[test]
fn it_keeps_nobody_from_the_thread_and_no_server_from_its_end() {
    let (tell, done) = mpsc::channel();
    thread::spawn(move || {
        let mut options = Options::default();
        options.set_allowed("127.0.0.0/8".parse().unwrap());
        let counters = std::sync::Arc::new(Counters::default());
        let handler = async |_: Channel<Cursor<Vec<u8>>>| Ok::<(), Error>(());
        // who stops it is on the same thread
        let (stop, stopped) = async_channel::bounded::<()>(1);
        let shutdown = async { stopped.recv().await.unwrap_or(()) };
        let serving = generic::serve_until::<Flood, _>((), options, counters.clone(), handler, shutdown);
        block_on(zip(serving, async { stop.send(()).await.unwrap() }));
        tell.send(counters.counts()).unwrap();
    });
    let counts = done.recv_timeout(Duration::from_secs(20)).expect("it hangs");
    assert_eq!((counts.accepted(), counts.active()), (counts.refused(), 0));
}

//! A server on the loopback interface, and calls that end in every way.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agi_tokio::{CallOutcome, Channel, Error, Handler, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use self::peer::{Peer, dial, polled, soon};

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl Running {
    async fn start<A: 'static>(handler: impl Handler<Channel, A>) -> Self {
        Self::with(|server| server, handler).await
    }

    async fn with<A: 'static>(
        options: impl FnOnce(Server) -> Server,
        handler: impl Handler<Channel, A>,
    ) -> Self {
        let server = options(Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
        let address = server.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { stopped.await.unwrap_or(()) };
        Self { address, stop, done: tokio::spawn(server.serve_until(handler, shutdown)) }
    }

    /// Stops it, and waits until every call is over.
    async fn stop(self) {
        self.stop.send(()).unwrap();
        soon(self.done).await.unwrap();
    }
}

#[tokio::test]
async fn every_call_ends_without_a_reset_however_its_handler_ended() {
    async fn handler(mut channel: Channel) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        channel.answer().await?;
        match channel.get_variable("HOW").await?.unwrap().to_string().as_str() {
            "return" => Ok(()),
            "fail" => Err("a handler's own error".into()),
            "panic" => panic!("a handler's panic"),
            "close" => Ok(channel.close().await?),
            "cut" => {
                // a call is dropped with the channel, and its reply is still to come
                assert!(!polled(1, channel.exec("Dial", "PJSIP/bob")).await);
                Ok(())
            }
            "pass on" => {
                tokio::spawn(async move { channel.noop().await });
                Ok(())
            }
            how => unreachable!("{how}"),
        }
    }
    let server = Running::start(handler).await;
    let cases = [
        ("return", Some("SUCCESS")),
        ("fail", Some("FAILED")),
        ("panic", Some("FAILED")),
        ("close", None),
        ("cut", Some("SUCCESS")),
        ("pass on", Some("SUCCESS")),
    ];
    for (how, status) in cases {
        let mut peer = dial(server.address).await;
        soon(async {
            peer.answer("ANSWER", "200 result=0").await;
            peer.answer("GET VARIABLE \"HOW\"", &format!("200 result=1 ({how})")).await;
            match how {
                "cut" => peer.answer("EXEC \"Dial\" \"PJSIP/bob\"", "200 result=0").await,
                "pass on" => peer.answer("NOOP", "200 result=0").await,
                _ => {}
            }
            match status {
                Some(status) => peer.end_with(status).await,
                None => peer.end_without_reset().await,
            }
        })
        .await;
    }
    server.stop().await;
}

#[tokio::test]
async fn shutdown_cancels_what_takes_too_long() {
    struct Dropped(Arc<Notify>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (starts, drops) = (started.clone(), dropped.clone());
    let handler = move |channel: Channel| {
        starts.notify_one();
        let guard = Dropped(drops.clone());
        async move {
            let _held = (guard, channel);
            pending::<Result<(), Error>>().await
        }
    };
    let server = Running::with(|server| server.shutdown_timeout(Duration::ZERO), handler).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut call = dial(server.address).await;
    soon(started.notified()).await;
    let script = async {
        dropped.notified().await;
        call.end_with("FAILED").await;
        // a connection that sends no environment is not waited for either
        assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
        silent.shutdown().await.unwrap();
    };
    soon(async { tokio::join!(server.stop(), script) }).await;
}

/// They would be reset.
#[tokio::test]
async fn who_is_in_the_queue_at_the_end_is_still_taken() {
    const MANY: usize = 300;
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (address, counters) = (server.local_addr().unwrap(), server.counters());
    for _ in 0..MANY {
        drop(std::net::TcpStream::connect(address).unwrap());
    }
    // the runtime learns meanwhile that they are there
    soon(server.serve_until(async |channel: Channel| channel.close().await, tokio::task::yield_now())).await;
    let counts = counters.counts();
    assert_eq!((counts.accepted(), counts.ended(CallOutcome::Probe)), (MANY, MANY));
}

#[tokio::test]
async fn who_does_not_close_is_left_without_a_reset_in_the_end() {
    let server = Running::with(
        |server| server.linger(Duration::from_millis(20)).status_variable(None),
        async |channel: Channel| {
            drop(channel);
            Ok::<(), Error>(())
        },
    )
    .await;
    let mut peer = dial(server.address).await;
    peer.stream.write_all(b"200 result=0\n").await.unwrap();
    assert_eq!(soon(peer.command()).await, None);
    server.stop().await;
    // the server has closed its socket with our bytes read
    assert_eq!(peer.stream.take_error().unwrap().map(|error| error.kind()), None);
}

#[tokio::test]
async fn who_is_no_call_gets_no_handler() {
    let handled = Arc::new(Mutex::new(0));
    let count = handled.clone();
    let handler = move |channel: Channel| {
        *count.lock().unwrap() += 1;
        async move { channel.close().await }
    };
    let server = Running::with(|server| server.environment_timeout(Duration::from_millis(50)), handler).await;
    drop(TcpStream::connect(server.address).await.unwrap());
    for nonsense in ["GET / HTTP/1.1\r\n\r\n", "agi_network: yes\n"] {
        let mut peer = Peer::new(TcpStream::connect(server.address).await.unwrap());
        peer.stream.write_all(nonsense.as_bytes()).await.unwrap();
        soon(peer.end_without_reset()).await;
    }
    let mut peer = dial(server.address).await;
    soon(peer.end_without_reset()).await;
    server.stop().await;
    assert_eq!(*handled.lock().unwrap(), 1);
}

#[tokio::test]
async fn who_closes_the_channel_may_go_on_without_the_call() {
    let (goes_on, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, told) = (goes_on.clone(), end.clone());
    let server = Running::start(move |channel: Channel| {
        let (tell, told) = (tell.clone(), told.clone());
        async move {
            channel.close().await?;
            tell.notify_one();
            told.notified().await;
            Ok::<(), Error>(())
        }
    })
    .await;
    let mut peer = dial(server.address).await;
    soon(async { tokio::join!(peer.end_without_reset(), goes_on.notified()) }).await;
    end.notify_one();
    server.stop().await;
}

/// Else each call would panic, and be cut.
#[test]
fn a_runtime_without_time_is_noticed_before_the_first_call() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let serving = tokio::spawn(server.serve(async |channel: Channel| channel.close().await));
        tokio::task::yield_now().await;
        assert!(serving.is_finished(), "it waits for calls");
        assert!(serving.await.unwrap_err().is_panic());
    });
}

#[tokio::test]
async fn a_handler_may_keep_the_stream() {
    let (give, kept) = oneshot::channel();
    let give = Mutex::new(Some(give));
    let server = Running::start(move |channel: Channel| {
        let give = give.lock().unwrap().take().unwrap();
        async move {
            give.send(channel.into_inner()).unwrap();
            Ok::<(), Error>(())
        }
    })
    .await;
    let mut peer = dial(server.address).await;
    let mut stream = soon(kept).await.unwrap();
    server.stop().await;
    assert!(stream.nodelay().unwrap());
    #[cfg(unix)]
    assert!(rustix::net::sockopt::socket_keepalive(&stream).unwrap(), "who died is never noticed");
    stream.write_all(b"NOOP\n").await.unwrap();
    assert_eq!(soon(peer.command()).await.unwrap(), "NOOP");
}

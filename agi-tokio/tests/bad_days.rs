//! What a server meets on a bad day. After each of these it serves the next call.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use agi_tokio::{
    Channel, Counters, Counts, Ending, Error, Handler, NotFound, Replaceable, Request, Router, Server,
    Status, WhenFull, layer, with_state,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use self::peer::{Peer, call, soon};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

struct Running {
    address: SocketAddr,
    counters: Arc<Counters>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl Running {
    async fn start<A: 'static>(options: impl FnOnce(Server) -> Server, handler: impl Handler<A>) -> Self {
        let server = options(Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
        let (address, counters) = (server.local_addr().unwrap(), server.counters());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { stopped.await.unwrap_or(()) };
        Self { address, counters, stop, done: tokio::spawn(server.serve_until(handler, shutdown)) }
    }

    /// A server of the services below.
    async fn services(options: impl FnOnce(Server) -> Server) -> Self {
        let router: Router = Router::new()
            .route("/noop", async |mut channel: Channel| channel.noop().await)
            .unwrap()
            .route("/fail", async |_: Channel| Err::<(), BoxError>("a handler's own error".into()))
            .unwrap()
            .route("/panic", async |_: Channel| -> Result<(), Error> { panic!("a handler's panic") })
            .unwrap();
        Self::start(options, router).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn call(&self, script: &str) -> Peer<TcpStream> {
        call(self.address, script).await
    }

    /// Waits until the numbers are so, which other tasks have to bring about.
    async fn until(&self, reached: impl Fn(&Counts) -> bool) {
        soon(async {
            while !reached(&self.counters.counts()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// A call that goes as it should, and the end of the server. Gives its last numbers.
    async fn serves_the_next(self) -> Counts {
        self.until(|counts| counts.active() == 0).await;
        let mut peer = self.call("noop").await;
        soon(async {
            peer.answer("NOOP", "200 result=0").await;
            peer.end_with("SUCCESS").await;
        })
        .await;
        self.stop.send(()).unwrap();
        soon(self.done).await.unwrap();
        let counts = self.counters.counts();
        assert_eq!((counts.active(), counts.ended(Ending::Success)), (0, 1), "{counts:?}");
        counts
    }
}

/// Closes at once, without an orderly end.
fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn a_slow_environment() {
    let server = Running::services(|server| server.environment_timeout(Duration::from_millis(50))).await;
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    slow.write_all(b"agi_network: yes\nagi_netw").await.unwrap();
    for stream in [&mut silent, &mut slow] {
        assert_eq!(soon(stream.read(&mut [0])).await.unwrap(), 0);
        stream.shutdown().await.unwrap();
    }
    assert_eq!(server.serves_the_next().await.ended(Ending::Late), 2);
}

#[tokio::test]
async fn connections_without_a_call() {
    let server = Running::services(|server| server).await;
    drop(server.connect().await);
    server.until(|counts| counts.ended(Ending::Probe) == 1).await;
    reset(server.connect().await);
    server.until(|counts| counts.ended(Ending::Probe) == 2).await;
    let mut half = server.connect().await;
    half.write_all(b"agi_network: yes\n").await.unwrap();
    half.shutdown().await.unwrap();
    assert_eq!(soon(half.read(&mut [0])).await.unwrap(), 0);
    assert_eq!(server.serves_the_next().await.ended(Ending::Invalid), 1);
}

#[tokio::test]
async fn a_peer_that_ends_its_direction_after_the_environment() {
    let server = Running::services(|server| server).await;
    let mut peer = server.call("noop").await;
    peer.stream.shutdown().await.unwrap();
    let mut said = Vec::new();
    soon(peer.stream.read_to_end(&mut said)).await.unwrap();
    // no status, for nobody is there who could take it
    assert_eq!(said, b"NOOP\n");
    assert_eq!(server.serves_the_next().await.ended(Ending::Hangup), 1);
}

#[tokio::test]
async fn a_reply_that_ends_half_way_and_one_that_is_reset() {
    let server = Running::services(|server| server).await;
    for is_reset in [false, true] {
        let mut peer = server.call("noop").await;
        assert_eq!(soon(peer.command()).await.unwrap(), "NOOP");
        peer.stream.write_all(b"200 res").await.unwrap();
        if is_reset {
            reset(peer.stream);
        }
    }
    let counts = server.serves_the_next().await;
    assert_eq!(counts.ended(Ending::Failed) + counts.ended(Ending::Hangup), 2, "{counts:?}");
}

#[tokio::test]
async fn a_panic_an_error_and_a_script_that_nobody_has() {
    let server = Running::services(|server| server).await;
    for (script, status) in [("panic", "FAILED"), ("fail", "FAILED"), ("nothing/here", "NOT_FOUND")] {
        let mut peer = server.call(script).await;
        soon(peer.end_with(status)).await;
    }
    let counts = server.serves_the_next().await;
    for ending in [Ending::Panicked, Ending::Failed, Ending::NotFound] {
        assert_eq!(counts.ended(ending), 1, "{ending:?}");
    }
}

#[tokio::test]
async fn a_status_that_is_not_taken_holds_up_nothing() {
    let short = Duration::from_millis(30);
    let server = Running::services(|server| server.linger(short).status_variable("HOW")).await;
    let mut peer = server.call("fail").await;
    assert_eq!(soon(peer.command()).await.unwrap(), "SET VARIABLE \"HOW\" \"FAILED\"");
    assert_eq!(soon(peer.command()).await, None);
    server.until(|counts| counts.active() == 0).await;
    let mut quiet = server.call("noop").await;
    soon(quiet.answer("NOOP", "200 result=0")).await;
    assert_eq!(soon(quiet.command()).await.unwrap(), "SET VARIABLE \"HOW\" \"SUCCESS\"");
}

#[tokio::test]
async fn a_dead_channel_still_takes_the_status() {
    let server = Running::services(|server| server).await;
    let mut peer = server.call("noop").await;
    soon(async {
        assert_eq!(peer.command().await.unwrap(), "NOOP");
        peer.respond("HANGUP").await;
        peer.respond("511 Command Not Permitted on a dead channel or intercept routine").await;
        peer.end_with("SUCCESS").await;
    })
    .await;
    assert_eq!(server.serves_the_next().await.ended(Ending::Hangup), 1);
}

#[tokio::test]
async fn at_the_limit_a_call_is_refused() {
    let server = Running::services(|server| server.max_calls(1)).await;
    let mut first = server.call("noop").await;
    assert_eq!(soon(first.command()).await.unwrap(), "NOOP");
    for _ in 0..3 {
        soon(server.call("noop").await.end_with("BUSY")).await;
    }
    // who does not even send an environment is no call, and none that is being served
    drop(server.connect().await);
    server.until(|counts| counts.refused() == 4).await;
    assert_eq!(server.counters.counts().active(), 1);
    first.respond("510 Invalid or unknown command").await;
    soon(first.end_with("FAILED")).await;
    assert_eq!(server.serves_the_next().await.refused(), 4);
}

#[tokio::test]
async fn at_the_limit_a_call_waits() {
    let server = Running::services(|server| server.max_calls(1).when_full(WhenFull::Wait)).await;
    let mut first = server.call("noop").await;
    assert_eq!(soon(first.command()).await.unwrap(), "NOOP");
    let mut second = server.call("fail").await;
    assert_eq!(server.counters.counts().accepted(), 1);
    first.respond("510 Invalid or unknown command").await;
    soon(first.end_with("FAILED")).await;
    soon(second.end_with("FAILED")).await;
    let counts = server.serves_the_next().await;
    assert_eq!((counts.accepted(), counts.refused()), (3, 0));
}

#[tokio::test]
async fn a_peer_that_is_not_allowed() {
    let server = Running::services(|server| server.allow("192.0.2.0/24".parse().unwrap())).await;
    let mut peer = server.connect().await;
    assert_eq!(soon(peer.read(&mut [0])).await.unwrap(), 0);
    server.until(|counts| counts.refused() == 1).await;
    assert_eq!(server.counters.counts().active(), 0);
    let server = Running::services(|server| server.allow("192.0.2.0/24, 127.0.0.0/8".parse().unwrap())).await;
    assert_eq!(server.serves_the_next().await.refused(), 0);
}

#[tokio::test]
async fn a_call_that_is_not_admitted() {
    let admission = |peer: SocketAddr, request: &Request| {
        assert!(request.path() != "/panic", "an admission's panic");
        match request.path() == "/noop" && peer.ip().is_loopback() {
            true => Ok(()),
            false => Err(Status::Busy),
        }
    };
    let server = Running::services(|server| server.admit(admission)).await;
    soon(server.call("fail").await.end_with("BUSY")).await;
    soon(server.call("panic").await.end_with("FAILED")).await;
    assert_eq!(server.serves_the_next().await.refused(), 2);
}

#[tokio::test]
async fn a_long_queue() {
    const MANY: usize = 300;
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = server.local_addr().unwrap();
    // nobody accepts yet: it is the kernel that takes them
    let mut queue = Vec::new();
    for _ in 0..MANY {
        queue.push(soon(TcpStream::connect(address)).await.unwrap());
    }
    let counters = server.counters();
    let serving = tokio::spawn(server.serve(async |mut channel: Channel| channel.noop().await));
    drop(queue);
    soon(async {
        while counters.counts().ended(Ending::Probe) < MANY {
            tokio::task::yield_now().await;
        }
    })
    .await;
    serving.abort();
}

#[tokio::test]
async fn routes_state_layers_and_their_replacement() {
    async fn menu(mut channel: Channel, request: Request, prefix: Arc<str>) -> Result<(), Error> {
        let name = request.param("name").unwrap();
        let (query, argument) = (request.query("lang").unwrap(), request.args().next().unwrap());
        channel.verbose(&format!("{prefix} {name} {query} {argument}")).await
    }
    async fn guard(
        mut channel: Channel,
        request: Request,
        next: agi_tokio::BoxHandler,
    ) -> Result<(), BoxError> {
        match channel.get_variable("GUARD").await? {
            Some(_) => next.run(channel, request).await,
            None => Err(NotFound::new(request.path()).into()),
        }
    }
    let router: Router = Router::new()
        .route("/menu/{name}", layer(guard, with_state(Arc::from("state"), menu)))
        .unwrap()
        .fallback(async |mut channel: Channel| channel.verbose("fallback").await);
    let routes = Replaceable::new(router.clone());
    let server = Running::start(|server| server, routes.clone()).await;
    soon(async {
        let mut peer = server.call("menu/J%C3%BCrgen?lang=de").await;
        peer.answer("GET VARIABLE \"GUARD\"", "200 result=1 (x)").await;
        peer.answer("VERBOSE \"state Jürgen de one\"", "200 result=1").await;
        peer.end_with("SUCCESS").await;

        let mut peer = server.call("menu/a").await;
        peer.answer("GET VARIABLE \"GUARD\"", "200 result=0").await;
        peer.end_with("NOT_FOUND").await;

        let mut peer = server.call("menu/a/b").await;
        peer.answer("VERBOSE \"fallback\"", "200 result=1").await;
        peer.end_with("SUCCESS").await;

        routes.replace(router.layer(guard));
        let mut peer = server.call("menu/a/b").await;
        peer.answer("GET VARIABLE \"GUARD\"", "200 result=0").await;
        peer.end_with("NOT_FOUND").await;
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_with_calls_in_flight() {
    let (tell, mut told) = mpsc::channel(1);
    let handler = move |mut channel: Channel, request: Request| {
        let tell = tell.clone();
        async move {
            tell.send(()).await.unwrap();
            match request.path() == "/dial" {
                true => channel.exec("Dial", "PJSIP/bob").await.map(drop),
                false => channel.noop().await,
            }
        }
    };
    let server = Running::start(|server| server.shutdown_timeout(Duration::from_millis(50)), handler).await;
    let (mut ends, mut is_cut) = (server.call("noop").await, server.call("dial").await);
    for _ in 0..2 {
        soon(told.recv()).await.unwrap();
    }
    assert_eq!(soon(ends.command()).await.unwrap(), "NOOP");
    assert_eq!(soon(is_cut.command()).await.unwrap(), "EXEC \"Dial\" \"PJSIP/bob\"");
    server.stop.send(()).unwrap();
    soon(async {
        ends.respond("200 result=0").await;
        ends.end_with("SUCCESS").await;
        // Dial runs on, so the dialplan cannot take a status: the server does not wait for that for ever
        is_cut.end_without_reset().await;
        server.done.await.unwrap();
    })
    .await;
    let counts = server.counters.counts();
    assert_eq!((counts.ended(Ending::Success), counts.ended(Ending::Cancelled)), (1, 1), "{counts:?}");
    assert!(TcpStream::connect(server.address).await.is_err());
}

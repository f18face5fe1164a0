//! Channels over sockets of one's own, set up as the servers do it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::net::{TcpListener, TcpStream};

use agi_async_std::Connection;
use agi_tests::pbx::Pbx;
use futures_lite::future::poll_once;
use rustix::net::sockopt::{set_tcp_quickack, socket_keepalive, tcp_nodelay, tcp_quickack};

/// A call, and the script's end of it twice: for the adapter, and to look at its options.
fn call() -> (Pbx, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pbx = Pbx::call(listener.local_addr().unwrap());
    let stream = listener.accept().unwrap().0;
    stream.set_nonblocking(true).unwrap();
    let watched = stream.try_clone().unwrap();
    (pbx, stream, watched)
}

/// Whether a wait for the hangup asks for acknowledgements at once.
async fn acknowledges(watched: &TcpStream, hung_up: impl Future<Output = ()>) -> bool {
    set_tcp_quickack(watched, false).unwrap();
    assert!(poll_once(hung_up).await.is_none());
    tcp_quickack(watched).unwrap()
}

#[test]
fn tokio() {
    let (_pbx, stream, watched) = call();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        let mut channel = agi_tokio::ChannelBuilder::new().start_tcp(stream).await.unwrap().unwrap();
        assert!(tcp_nodelay(&watched).unwrap() && socket_keepalive(&watched).unwrap());
        assert!(acknowledges(&watched, channel.wait_for_hangup()).await);
    });
}

#[test]
fn smol() {
    let (_pbx, stream, watched) = call();
    smol::block_on(async {
        let stream = smol::net::TcpStream::try_from(stream).unwrap();
        let mut channel = agi_smol::ChannelBuilder::new().start_tcp(stream).await.unwrap().unwrap();
        assert!(tcp_nodelay(&watched).unwrap() && socket_keepalive(&watched).unwrap());
        assert!(acknowledges(&watched, channel.wait_for_hangup()).await);
    });
}

#[test]
fn async_std() {
    let (_pbx, stream, watched) = call();
    async_std::task::block_on(async {
        let stream = Connection::from(async_std::net::TcpStream::from(stream));
        let mut channel = agi_async_std::ChannelBuilder::new().start_tcp(stream).await.unwrap().unwrap();
        assert!(tcp_nodelay(&watched).unwrap() && socket_keepalive(&watched).unwrap());
        assert!(acknowledges(&watched, channel.wait_for_hangup()).await);
    });
}

/// Who does not ask for it has a stream of any kind, which nobody touches.
#[test]
fn not_otherwise() {
    let (_pbx, stream, watched) = call();
    smol::block_on(async {
        let stream = smol::net::TcpStream::try_from(stream).unwrap();
        let mut channel = agi_smol::ChannelBuilder::new().start(stream).await.unwrap().unwrap();
        assert!(!acknowledges(&watched, channel.wait_for_hangup()).await);
    });
}

//! Closing a channel.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use agi_smol::{ChannelBuilder, Error};

use smol::future::zip;
use smol::net::{TcpListener, TcpStream};

use self::peer::{Peer, pipes, polled, soon};

#[test]
fn closing_waits_for_asterisk_up_to_a_deadline() {
    smol::block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        for closes in [true, false] {
            let (mut peer, accepted) = zip(dial(address), listener.accept()).await;
            let channel = ChannelBuilder::new().start(accepted.unwrap().0).await.unwrap().unwrap();
            let deadline = Duration::from_millis(if closes { 20_000 } else { 20 });
            let script = async {
                match closes {
                    true => end_without_reset(&mut peer).await,
                    false => assert_eq!(peer.command().await, None),
                }
            };
            match soon(zip(channel.close_within(deadline), script)).await.0 {
                Ok(()) => assert!(closes),
                Err(Error::Io(error)) => assert!(!closes && error.kind() == ErrorKind::TimedOut, "{error}"),
                Err(error) => panic!("{error}"),
            }
        }
    });
}

#[test]
fn what_was_not_written_when_the_channel_is_closed_is_never_sent() {
    smol::block_on(async {
        let (ours, theirs) = pipes(4096, "NOOP\n".len());
        let mut peer = Peer::new(ours).begin().await;
        let mut channel = ChannelBuilder::new().start(theirs).await.unwrap().unwrap();
        // the answer comes though the command still fills the pipe (these pipes yield at random)
        zip(peer.respond("200 result=0"), async { assert!(polled(10, channel.noop()).await) }).await;
        assert!(!polled(1, channel.answer()).await);
        let script = async {
            assert_eq!(peer.command().await.unwrap(), "NOOP");
            peer.end().await;
        };
        soon(zip(channel.close(), script)).await.0.unwrap();
    });
}

async fn dial(address: SocketAddr) -> Peer<TcpStream> {
    Peer::new(TcpStream::connect(address).await.unwrap()).begin().await
}

/// A socket that was closed would answer the `HANGUP` with a reset.
async fn end_without_reset(peer: &mut Peer<TcpStream>) {
    peer.end().await;
    let socket: Arc<smol::Async<std::net::TcpStream>> = peer.stream.clone().into();
    assert_eq!(socket.get_ref().take_error().unwrap().map(|error| error.kind()), None, "a reset");
}

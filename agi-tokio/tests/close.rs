//! Closing a channel.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;

use agi_tokio::{ChannelBuilder, Error};

use self::peer::{Peer, dial, polled, soon};

#[tokio::test]
async fn closing_waits_for_asterisk_up_to_a_deadline() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    for closes in [true, false] {
        let (mut peer, accepted) = tokio::join!(dial(address), listener.accept());
        let channel = ChannelBuilder::new().start(accepted.unwrap().0).await.unwrap().unwrap();
        let deadline = Duration::from_millis(if closes { 20_000 } else { 20 });
        let script = async {
            match closes {
                true => peer.end_without_reset().await,
                false => assert_eq!(peer.command().await, None),
            }
        };
        match tokio::join!(channel.close_within(deadline), script).0 {
            Ok(()) => assert!(closes),
            Err(Error::Io(error)) => assert!(!closes && error.kind() == ErrorKind::TimedOut, "{error}"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn what_was_not_written_when_the_channel_is_closed_is_never_sent() {
    let (their_reader, our_writer) = tokio::io::simplex(4096);
    let (our_reader, their_writer) = tokio::io::simplex("NOOP\n".len());
    let mut peer = Peer::new(tokio::io::join(our_reader, our_writer)).begin().await;
    let theirs = tokio::io::join(their_reader, their_writer);
    let mut channel = ChannelBuilder::new().start(theirs).await.unwrap().unwrap();
    // the answer comes though the command still fills the pipe
    tokio::join!(peer.respond("200 result=0"), async { assert!(polled(1, channel.noop()).await) });
    assert!(!polled(1, channel.answer()).await);
    let script = async {
        assert_eq!(peer.command().await.unwrap(), "NOOP");
        peer.end().await;
    };
    soon(async { tokio::join!(channel.close(), script).0 }).await.unwrap();
}

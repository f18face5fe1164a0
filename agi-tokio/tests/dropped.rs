//! Calls that are dropped half-way, and what comes after them.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::time::Duration;

use agi_tokio::ChannelBuilder;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use self::peer::{Peer, polled, soon, start};

#[tokio::test(start_paused = true)]
async fn after_a_dropped_call_the_next_one_gets_its_own_reply() {
    for stopped in [None, Some("200 result=0 endpos=4000"), Some("200 result=1 (late)"), Some("HANGUP")] {
        let (mut peer, mut channel) = start().await;
        let script = async {
            assert_eq!(peer.command().await.unwrap(), "STREAM FILE \"long\" \"\"");
            let echo = peer.barrier().await;
            if let Some(stopped) = stopped {
                peer.respond(stopped).await;
            }
            peer.respond(&echo).await;
            peer.answer("GET VARIABLE \"X\"", "200 result=1 (its own)").await;
        };
        let handler = async {
            let limit = Duration::from_secs(3);
            assert!(timeout(limit, channel.stream_file("long", "")).await.is_err());
            assert_eq!(channel.get_variable("X").await.unwrap().unwrap(), "its own");
            assert_eq!(channel.is_hung_up(), stopped == Some("HANGUP"));
        };
        soon(async { tokio::join!(script, handler) }).await;
    }
}

/// Both sides write three bytes at a time, so that there are many places to stop at.
#[tokio::test]
async fn a_call_may_be_dropped_at_any_await() {
    let (their_reader, our_writer) = tokio::io::simplex(4096);
    let (our_reader, their_writer) = tokio::io::simplex(3);
    let mut peer = Peer::new(tokio::io::join(our_reader, our_writer)).begin().await;
    peer.at_once = 3;
    let theirs = tokio::io::join(their_reader, their_writer);
    let mut channel = ChannelBuilder::new().start(theirs).await.unwrap().unwrap();
    let script = async {
        while let Some(line) = peer.command().await {
            match line.as_str() {
                "WAIT FOR DIGIT -1" => peer.respond("200 result=1").await,
                // the next command stops it
                "STREAM FILE \"long\" \"\"" => {}
                "GET VARIABLE \"A\"" => peer.respond("200 result=1 (a)").await,
                "GET VARIABLE \"B\"" => peer.respond("200 result=1 (b)").await,
                sync => peer.respond(&format!("200 result=1 ({})", sync.split('"').nth(1).unwrap())).await,
            }
        }
    };
    let mut cut = 0;
    let handler = async {
        for polls in 0..80 {
            cut += usize::from(!polled(polls, channel.get_variable("A")).await);
            assert_eq!(channel.get_variable("B").await.unwrap().unwrap(), "b", "after {polls} polls");
            polled(polls, channel.stream_file("long", "")).await;
            polled(polls / 4, channel.resync()).await;
            polled(polls, channel.wait_for_digit(None)).await;
            polled(polls / 2, channel.get_variable("A")).await;
            polled(polls / 3, channel.wait_for_hangup()).await;
            assert_eq!(channel.get_variable("B").await.unwrap().unwrap(), "b", "after {polls} polls");
        }
        channel.into_inner().shutdown().await.unwrap();
    };
    soon(async { tokio::join!(script, handler) }).await;
    assert!((10..80).contains(&cut), "some calls are cut and some are not: {cut}");
}

#[tokio::test]
async fn resync_stops_what_a_dropped_call_left_running() {
    let (mut peer, mut channel) = start().await;
    let script = async {
        assert_eq!(peer.command().await.unwrap(), "STREAM FILE \"long\" \"\"");
        let echo = peer.barrier().await;
        peer.respond(&echo).await;
        let echo = peer.barrier().await;
        peer.respond(&echo).await;
        peer.answer("NOOP", "200 result=0").await;
    };
    let handler = async {
        assert!(!polled(3, channel.stream_file("long", "")).await);
        channel.resync().await.unwrap();
        channel.resync().await.unwrap();
        channel.noop().await.unwrap();
    };
    soon(async { tokio::join!(script, handler) }).await;
}

#[tokio::test(start_paused = true)]
async fn a_barrier_that_is_not_heard_is_sent_again() {
    let (mut peer, mut channel) = start().await;
    let script = async {
        assert_eq!(peer.command().await.unwrap(), "STREAM FILE \"long\" \"\"");
        let first = peer.barrier().await;
        let second = peer.barrier().await;
        assert_ne!(first, second);
        peer.respond(&first).await;
        peer.respond(&second).await;
    };
    let handler = async {
        assert!(!polled(3, channel.stream_file("long", "")).await);
        channel.resync().await.unwrap();
    };
    soon(async { tokio::join!(script, handler) }).await;
}

#[tokio::test(start_paused = true)]
async fn a_barrier_is_sent_again_though_every_call_is_dropped_before() {
    let (mut peer, mut channel) = start().await;
    let script = async {
        assert_eq!(peer.command().await.unwrap(), "STREAM FILE \"long\" \"\"");
        // it came in one read with the command before, and lies unseen
        peer.barrier().await;
        let echo = peer.barrier().await;
        peer.respond(&echo).await;
        peer.answer("GET VARIABLE \"X\"", "200 result=1 (its own)").await;
    };
    let handler = async {
        let limit = Duration::from_millis(80);
        assert!(timeout(limit, channel.stream_file("long", "")).await.is_err());
        for _ in 0..5 {
            if let Ok(value) = timeout(limit, channel.get_variable("X")).await {
                return assert_eq!(value.unwrap().unwrap(), "its own");
            }
        }
        panic!("replies were never paired again");
    };
    soon(async { tokio::join!(script, handler) }).await;
}

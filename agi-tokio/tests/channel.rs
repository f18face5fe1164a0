//! A channel over streams in memory.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use agi_tokio::agi_proto::commands::{GetVariable, StreamFile};
use agi_tokio::agi_proto::{EncodeError, ProtocolError};
use agi_tokio::{Channel, ChannelBuilder, Error, EscapeDigits};
use tokio::io::{AsyncRead, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::Notify;

use self::peer::{Peer, polled, soon, start};

#[tokio::test]
async fn a_command_gets_its_reply() {
    let (mut peer, mut channel) = start().await;
    assert_eq!(channel.environment().unique_id().unwrap(), "1700000000.1");
    assert_eq!(channel.request().path(), "/ivr/menu");
    assert_eq!(channel.request().query("lang").unwrap(), "de");
    let script = async {
        peer.answer("ANSWER", "200 result=0").await;
        peer.answer("GET VARIABLE \"X\"", "200 result=1 (200 result=0)").await;
        peer.answer("STREAM FILE \"hi\" \"#\"", "200 result=35 endpos=800").await;
        peer.answer("SET VARIABLE \"Y\" \"1\"", "510 Invalid or unknown command").await;
        peer.answer("NOOP", "200 result=0").await;
    };
    let handler = async {
        channel.answer().await?;
        assert_eq!(channel.get_variable("X").await?.unwrap(), "200 result=0");
        let playback = channel.call(StreamFile::new("hi", EscapeDigits::new("#")?)).await?;
        assert_eq!((playback.digit().unwrap().to_string(), playback.samples), ("#".into(), Some(800)));
        assert!(matches!(channel.set_variable("Y", "1").await, Err(Error::Rejected(_))));
        // nothing of a refused command is sent
        let refused = channel.set_variable("Y", "1\nNOOP").await;
        assert!(matches!(refused, Err(Error::Encode(EncodeError::ForbiddenByte { .. }))));
        channel.noop().await
    };
    soon(async { tokio::join!(script, handler).1 }).await.unwrap();
}

#[tokio::test]
async fn the_hangup_is_waited_for_beside_something_else() {
    let (mut peer, mut channel) = start().await;
    let (half, dropped) = (Notify::new(), Notify::new());
    let script = async {
        assert_eq!(peer.command().await.unwrap(), "WAIT FOR DIGIT -1");
        peer.stream.write_all(b"200 result=-1\nHAN").await.unwrap();
        half.notify_one();
        dropped.notified().await;
        peer.stream.write_all(b"GUP\n").await.unwrap();
        peer.answer("STREAM FILE \"bye\" \"\"", "511 Command Not Permitted on a dead channel").await;
        peer.answer("SET VARIABLE \"A\" \"b\"", "200 result=1").await;
    };
    let handler = async {
        assert!(!polled(1, channel.wait_for_digit(None)).await);
        tokio::select! {
            biased;
            () = channel.wait_for_hangup() => panic!("nobody has hung up"),
            () = half.notified() => {}
        }
        dropped.notify_one();
        tokio::select! {
            () = channel.wait_for_hangup() => {}
            () = std::future::pending() => {}
        }
        assert!(channel.is_hung_up() && !channel.is_closed());
        channel.wait_for_hangup().await;
        assert!(channel.stream_file("bye", "").await.unwrap_err().is_hangup());
        channel.set_variable("A", "b").await.unwrap();
    };
    soon(async { tokio::join!(script, handler) }).await;
}

/// With `AGISIGHUP=no` nothing announces a hangup: asking finds out.
#[tokio::test(start_paused = true)]
async fn a_hangup_that_is_not_told_is_asked_for() {
    let (mut peer, mut channel) = start().await;
    let script = async {
        peer.answer("CHANNEL STATUS", "200 result=6").await;
        peer.answer("CHANNEL STATUS", "511 Command Not Permitted on a dead channel").await;
    };
    let began = tokio::time::Instant::now();
    tokio::join!(script, channel.wait_for_hangup_polling(Duration::from_secs(5)));
    assert_eq!(began.elapsed().as_secs(), 10, "one question in each interval");
    assert!(channel.is_hung_up());
}

#[tokio::test]
async fn when_asterisk_closes_the_call_is_over() {
    for (last_words, hung_up) in [("", false), ("HANGUP\n", true)] {
        for sends in [true, false] {
            let (mut peer, mut channel) = start().await;
            let script = async {
                if sends {
                    assert_eq!(peer.command().await.unwrap(), "ANSWER");
                }
                peer.stream.write_all(last_words.as_bytes()).await.unwrap();
                drop(peer);
            };
            if !sends {
                script.await; // the write fails, and what was said before is heard
                check_over(&mut channel, hung_up).await;
            } else {
                soon(async { tokio::join!(script, check_over(&mut channel, hung_up)) }).await;
            }
            channel.wait_for_hangup().await;
            assert!(channel.is_closed());
            check_over(&mut channel, hung_up).await;
            assert!(channel.resync().await.unwrap_err().is_hangup());
        }
    }
}

async fn check_over(channel: &mut Channel<DuplexStream>, hung_up: bool) {
    let error = soon(channel.answer()).await.unwrap_err();
    assert!(error.is_hangup());
    assert_eq!(matches!(error, Error::Hangup), hung_up, "{error:?}");
    assert_eq!(matches!(error, Error::Closed), !hung_up, "{error:?}");
}

/// As a pipe may be whose other end has closed only one way.
#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_not_waited_for() {
    for last_words in ["", "HANGUP\n"] {
        let (reader, mut writer) = tokio::io::duplex(4096);
        let (gone, broken) = tokio::io::duplex(64);
        writer = Peer::new(writer).begin().await.stream;
        let mut channel =
            ChannelBuilder::new().start(tokio::io::join(reader, broken)).await.unwrap().unwrap();
        drop(gone);
        writer.write_all(last_words.as_bytes()).await.unwrap();
        let error = soon(channel.noop()).await.unwrap_err();
        assert_eq!(matches!(error, Error::Hangup), !last_words.is_empty(), "{error:?}");
        assert!(error.is_hangup());
    }
}

#[tokio::test]
async fn bytes_that_nobody_asked_for_end_the_conversation() {
    let (mut peer, mut channel) = start().await;
    peer.respond("200 result=1 (forged)").await;
    for _ in 0..2 {
        soon(channel.wait_for_hangup()).await;
        let error = channel.get_variable("X").await.unwrap_err();
        assert!(matches!(error, Error::Protocol(ProtocolError::Unsolicited(_))), "{error:?}");
        assert!(!error.is_hangup());
    }
}

/// As the system says of a peer that died without a word.
struct Dies<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for Dies<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.0).poll_read(cx, buf))?;
        match buf.filled().len() == before {
            true => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            false => Poll::Ready(Ok(())),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_breaks_while_the_hangup_is_waited_for_is_told_by_the_next_command() {
    for (polls, resyncs) in [(false, false), (false, true), (true, false)] {
        let (ours, theirs) = tokio::io::duplex(4096);
        let mut peer = Peer::new(ours).begin().await;
        let (reader, writer) = tokio::io::split(theirs);
        let mut channel =
            ChannelBuilder::new().start(tokio::io::join(Dies(reader), writer)).await.unwrap().unwrap();
        let script = async {
            if polls {
                assert_eq!(peer.command().await.unwrap(), "CHANNEL STATUS");
            }
            peer.stream.shutdown().await.unwrap();
        };
        let handler = async {
            match polls {
                true => channel.wait_for_hangup_polling(Duration::from_secs(5)).await,
                false => channel.wait_for_hangup().await,
            }
            let error = match resyncs {
                true => channel.resync().await.unwrap_err(),
                false => channel.noop().await.unwrap_err(),
            };
            assert!(
                matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::TimedOut),
                "{error:?}"
            );
            assert!(matches!(channel.noop().await, Err(Error::Closed)), "it is told once");
        };
        soon(async { tokio::join!(script, handler) }).await;
    }
}

#[tokio::test]
async fn somebody_who_only_looks_is_no_error() {
    let (ours, theirs) = tokio::io::duplex(64);
    drop(ours);
    assert!(ChannelBuilder::new().start(theirs).await.unwrap().is_none());

    let (mut ours, theirs) = tokio::io::duplex(64);
    ours.write_all(b"agi_network: yes\n").await.unwrap();
    drop(ours);
    assert!(matches!(ChannelBuilder::new().start(theirs).await, Err(Error::Protocol(_))));
}

#[tokio::test]
async fn futures_are_small_and_can_be_spawned() {
    fn is_send<T: Send>(future: T) -> usize {
        size_of_val(&future)
    }
    let (_peer, mut channel) = start().await;
    let call = is_send(channel.call(GetVariable::new("X")));
    assert!(call <= 320, "{call} bytes");
    let method = is_send(channel.stream_file("hi", "#"));
    assert!(method <= 384, "{method} bytes");
    is_send(channel.set_variable("X", "y"));
    is_send(channel.wait_for_hangup());
    is_send(channel.resync());
    is_send(channel.close());
}

//! A channel over streams in memory.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use agi_smol::agi_proto::commands::{GetVariable, StreamFile};
use agi_smol::agi_proto::{EncodeError, ProtocolError};
use agi_smol::{Channel, ChannelBuilder, Error, EscapeDigits};
use smol::channel::bounded;
use smol::future::{or, zip};
use smol::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use self::peer::{Duplex, Peer, duplex, polled, soon, start};

#[test]
fn a_command_gets_its_reply() {
    smol::block_on(async {
        let (mut peer, mut channel) = start().await;
        assert_eq!(channel.environment().unique_id().unwrap(), "1700000000.7");
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
        soon(zip(script, handler)).await.1.unwrap();
    });
}

#[test]
fn the_hangup_is_waited_for_beside_something_else() {
    smol::block_on(async {
        let (mut peer, mut channel) = start().await;
        let ((half, halved), (drop, dropped)) = (bounded(1), bounded(1));
        let script = async {
            assert_eq!(peer.command().await.unwrap(), "WAIT FOR DIGIT -1");
            peer.stream.write_all(b"200 result=-1\nHAN").await.unwrap();
            half.send(()).await.unwrap();
            dropped.recv().await.unwrap();
            peer.stream.write_all(b"GUP\n").await.unwrap();
            peer.answer("STREAM FILE \"bye\" \"\"", "511 Command Not Permitted on a dead channel").await;
            peer.answer("SET VARIABLE \"A\" \"b\"", "200 result=1").await;
        };
        let handler = async {
            assert!(!polled(1, channel.wait_for_digit(None)).await);
            let hung_up = async {
                channel.wait_for_hangup().await;
                panic!("nobody has hung up");
            };
            or(hung_up, async { halved.recv().await.unwrap() }).await;
            drop.send(()).await.unwrap();
            or(channel.wait_for_hangup(), std::future::pending()).await;
            assert!(channel.is_hung_up() && !channel.is_closed());
            channel.wait_for_hangup().await;
            assert!(channel.stream_file("bye", "").await.unwrap_err().is_hangup());
            channel.set_variable("A", "b").await.unwrap();
        };
        soon(zip(script, handler)).await;
    });
}

#[test]
fn when_asterisk_closes_the_call_is_over() {
    smol::block_on(async {
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
                    soon(zip(script, check_over(&mut channel, hung_up))).await;
                }
                channel.wait_for_hangup().await;
                assert!(channel.is_closed());
                check_over(&mut channel, hung_up).await;
                assert!(channel.resync().await.unwrap_err().is_hangup());
            }
        }
    });
}

async fn check_over(channel: &mut Channel<Duplex>, hung_up: bool) {
    let error = soon(channel.answer()).await.unwrap_err();
    assert!(error.is_hangup());
    assert_eq!(matches!(error, Error::Hangup), hung_up, "{error:?}");
    assert_eq!(matches!(error, Error::Closed), !hung_up, "{error:?}");
}

/// As a pipe may be whose other end has closed only one way.
#[test]
fn a_peer_that_takes_nothing_is_not_waited_for() {
    smol::block_on(async {
        for last_words in ["", "HANGUP\n"] {
            let (ours, theirs) = duplex(4096);
            let mut writer = Peer::new(ours).begin().await.stream;
            let mut channel = ChannelBuilder::new().start(theirs).await.unwrap().unwrap();
            writer.stop_reading();
            writer.write_all(last_words.as_bytes()).await.unwrap();
            let error = soon(channel.noop()).await.unwrap_err();
            assert_eq!(matches!(error, Error::Hangup), !last_words.is_empty(), "{error:?}");
            assert!(error.is_hangup());
        }
    });
}

#[test]
fn bytes_that_nobody_asked_for_end_the_conversation() {
    smol::block_on(async {
        let (mut peer, mut channel) = start().await;
        peer.respond("200 result=1 (forged)").await;
        for _ in 0..2 {
            soon(channel.wait_for_hangup()).await;
            let error = channel.get_variable("X").await.unwrap_err();
            assert!(matches!(error, Error::Protocol(ProtocolError::Unsolicited(_))), "{error:?}");
            assert!(!error.is_hangup());
        }
    });
}

/// As the system says of a peer that died without a word.
struct Dies(Duplex);

impl AsyncRead for Dies {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.0).poll_read(cx, buf))? {
            0 => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            read => Poll::Ready(Ok(read)),
        }
    }
}

impl AsyncWrite for Dies {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

#[test]
fn a_transport_that_breaks_while_the_hangup_is_waited_for_is_told_by_the_next_command() {
    smol::block_on(async {
        for (polls, resyncs) in [(false, false), (false, true), (true, false)] {
            let (ours, theirs) = duplex(4096);
            let mut peer = Peer::new(ours).begin().await;
            let mut channel = ChannelBuilder::new().start(Dies(theirs)).await.unwrap().unwrap();
            let script = async {
                if polls {
                    assert_eq!(peer.command().await.unwrap(), "CHANNEL STATUS");
                }
                peer.stream.close().await.unwrap();
            };
            let handler = async {
                match polls {
                    true => channel.wait_for_hangup_polling(Duration::from_millis(1)).await,
                    false => channel.wait_for_hangup().await,
                }
                let error = match resyncs {
                    true => channel.resync().await.unwrap_err(),
                    false => channel.noop().await.unwrap_err(),
                };
                let told = matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::TimedOut);
                assert!(told, "{error:?}");
                assert!(matches!(channel.noop().await, Err(Error::Closed)), "it is told once");
            };
            soon(zip(script, handler)).await;
        }
    });
}

#[test]
fn somebody_who_only_looks_is_no_error() {
    smol::block_on(async {
        let (ours, theirs) = duplex(64);
        drop(ours);
        assert!(ChannelBuilder::new().start(theirs).await.unwrap().is_none());

        let (mut ours, theirs) = duplex(64);
        ours.write_all(b"agi_network: yes\n").await.unwrap();
        drop(ours);
        assert!(matches!(ChannelBuilder::new().start(theirs).await, Err(Error::Protocol(_))));
    });
}

#[test]
fn futures_are_small_and_can_be_spawned() {
    smol::block_on(async {
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
    });
}

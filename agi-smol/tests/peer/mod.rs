//! The PBX's side of a conversation, by script.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use agi_smol::agi_proto::{Asterisk, AsteriskEvent};
use agi_smol::{Channel, ChannelBuilder};
use smol::Timer;
use smol::future::{or, yield_now};
use smol::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What Asterisk sends at the beginning.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("agi_network", "yes"),
    ("agi_network_script", "ivr/menu?lang=de"),
    ("agi_request", "agi://127.0.0.1/ivr/menu?lang=de"),
    ("agi_channel", "PJSIP/alice-00000001"),
    ("agi_language", "en"),
    ("agi_type", "PJSIP"),
    ("agi_uniqueid", "1700000000.7"),
    ("agi_version", "22.10.1"),
    ("agi_callerid", "100"),
    ("agi_calleridname", "Alice"),
    ("agi_callingpres", "0"),
    ("agi_callingani2", "0"),
    ("agi_callington", "0"),
    ("agi_callingtns", "0"),
    ("agi_dnid", "200"),
    ("agi_rdnis", "unknown"),
    ("agi_context", "default"),
    ("agi_extension", "200"),
    ("agi_priority", "1"),
    ("agi_enhanced", "0.0"),
    ("agi_accountcode", ""),
    ("agi_threadid", "140022982756032"),
    ("agi_arg_1", "one"),
];

pub struct Peer<S> {
    pub stream: S,
    /// How many bytes are written before other tasks have their turn.
    pub at_once: usize,
    asterisk: Asterisk,
}

/// Both ends in memory.
pub async fn start() -> (Peer<Duplex>, Channel<Duplex>) {
    let (ours, theirs) = duplex(4096);
    let peer = Peer::new(ours).begin().await;
    (peer, ChannelBuilder::new().start(theirs).await.unwrap().unwrap())
}

/// A pipe to read from and one to write to.
pub struct Duplex {
    reader: piper::Reader,
    writer: piper::Writer,
}

/// Two ends of two pipes.
pub fn duplex(size: usize) -> (Duplex, Duplex) {
    pipes(size, size)
}

/// The same of two sizes: from the first to the second end, and back.
pub fn pipes(there: usize, back: usize) -> (Duplex, Duplex) {
    let (second_reader, first_writer) = piper::pipe(there);
    let (first_reader, second_writer) = piper::pipe(back);
    let first = Duplex { reader: first_reader, writer: first_writer };
    (first, Duplex { reader: second_reader, writer: second_writer })
}

impl Duplex {
    /// Takes nothing any more.
    pub fn stop_reading(&mut self) {
        self.reader = piper::pipe(1).0;
    }
}

impl AsyncRead for Duplex {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.reader).poll_read(cx, buf)
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_close(cx)
    }
}

/// Waits for a future so long at most.
pub async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    or(async { Some(future.await) }, async {
        Timer::after(limit).await;
        None
    })
    .await
}

/// Polls a future so many times at most, and says whether it ended.
pub async fn polled<F: Future>(times: usize, future: F) -> bool {
    let mut future = pin!(future);
    for _ in 0..times {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        yield_now().await;
    }
    false
}

/// A test that hangs fails.
pub async fn soon<F: Future>(future: F) -> F::Output {
    within(Duration::from_secs(20), future).await.expect("it hangs")
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, at_once: usize::MAX, asterisk: Asterisk::new(8191) }
    }

    /// Sends the environment.
    pub async fn begin(mut self) -> Self {
        self.asterisk.send_environment(ENVIRONMENT.iter().copied());
        self.transmit().await;
        self
    }

    /// The next command line; `None` at the end.
    pub async fn command(&mut self) -> Option<String> {
        let mut space = [0; 1024];
        loop {
            match self.asterisk.poll_event() {
                Some(AsteriskEvent::Invocation(invocation)) => return Some(invocation.line().to_string()),
                Some(_) => return None,
                None => match self.stream.read(&mut space).await.unwrap() {
                    0 => self.asterisk.handle_eof(),
                    read => self.asterisk.handle_input(&space[..read]),
                },
            }
        }
    }

    pub async fn respond(&mut self, response: &str) {
        self.asterisk.respond(response);
        self.transmit().await;
    }

    /// Waits for this very command and answers it.
    pub async fn answer(&mut self, command: &str, response: &str) {
        assert_eq!(self.command().await.as_deref(), Some(command));
        self.respond(response).await;
    }

    /// Waits for a barrier, and gives what it wants to hear.
    pub async fn barrier(&mut self) -> String {
        let line = self.command().await.expect("a barrier");
        let token =
            line.strip_prefix("GET FULL VARIABLE \"agi-sync-").and_then(|rest| rest.strip_suffix('"'));
        format!("200 result=1 (agi-sync-{})", token.unwrap_or_else(|| panic!("no barrier: {line}")))
    }

    /// The end of a session as Asterisk has it: it waits for the script's end, says `HANGUP`, and closes.
    pub async fn end(&mut self) {
        assert_eq!(self.command().await, None);
        self.respond("HANGUP").await;
        self.stream.close().await.unwrap();
    }

    async fn transmit(&mut self) {
        while let Some(bytes) = self.asterisk.poll_transmit() {
            let bytes = &bytes[..bytes.len().min(self.at_once)];
            let written = self.stream.write(bytes).await.unwrap();
            self.asterisk.transmitted(written);
            yield_now().await;
        }
    }
}

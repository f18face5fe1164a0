//! The PBX's side of a conversation, by script.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use agi_tests::pair::environment;
use agi_tokio::agi_proto::{PbxEvent, PbxSession};
use agi_tokio::{Channel, ChannelBuilder};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;

pub struct Peer<S> {
    pub stream: S,
    /// How many bytes are written before other tasks have their turn.
    pub at_once: usize,
    asterisk: PbxSession,
}

/// Both ends in memory.
pub async fn start() -> (Peer<DuplexStream>, Channel<DuplexStream>) {
    let (ours, theirs) = tokio::io::duplex(4096);
    let peer = Peer::new(ours).begin().await;
    (peer, ChannelBuilder::new().start(theirs).await.unwrap().unwrap())
}

/// Polls a future so many times at most, and says whether it ended.
pub async fn polled<F: Future>(times: usize, future: F) -> bool {
    let mut future = pin!(future);
    for _ in 0..times {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// A call to a server.
pub async fn dial(address: SocketAddr) -> Peer<TcpStream> {
    call(address, "ivr/menu?lang=de").await
}

/// A call to a script.
pub async fn call(address: SocketAddr, script: &str) -> Peer<TcpStream> {
    let mut peer = Peer::new(TcpStream::connect(address).await.unwrap());
    peer.asterisk.send_environment(environment(script));
    peer.transmit().await;
    peer
}

/// A test that hangs fails.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it hangs")
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, at_once: usize::MAX, asterisk: PbxSession::new(8191) }
    }

    /// Sends the environment.
    pub async fn begin(mut self) -> Self {
        self.asterisk.send_environment(environment("ivr/menu?lang=de"));
        self.transmit().await;
        self
    }

    /// The next command line; `None` at the end.
    pub async fn command(&mut self) -> Option<String> {
        let mut space = [0; 1024];
        loop {
            match self.asterisk.poll_event() {
                Some(PbxEvent::Command(invocation)) => return Some(invocation.line().to_string()),
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
        self.stream.shutdown().await.unwrap();
    }

    async fn transmit(&mut self) {
        while let Some(bytes) = self.asterisk.poll_transmit() {
            let bytes = &bytes[..bytes.len().min(self.at_once)];
            let written = self.stream.write(bytes).await.unwrap();
            self.asterisk.transmitted(written);
            tokio::task::yield_now().await;
        }
    }
}

impl Peer<TcpStream> {
    /// Takes the status that the server tells the dialplan, then ends as
    /// [`end_without_reset`](Self::end_without_reset).
    pub async fn end_with(&mut self, status: &str) {
        self.answer(&format!("SET VARIABLE \"AGI_SERVER_STATUS\" \"{status}\""), "200 result=1").await;
        self.end_without_reset().await;
    }

    /// Ends the session while the other side still listens. A socket that was closed would answer the
    /// `HANGUP` with a reset, which on the loopback interface is here before the write returns.
    pub async fn end_without_reset(&mut self) {
        self.end().await;
        assert_eq!(self.stream.take_error().unwrap().map(|error| error.kind()), None, "a reset");
    }
}

//! A PBX that a test scripts line by line, over a stream that blocks. It calls a service, on whichever runtime that is.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use agi_proto::{PbxEvent, PbxSession};

use crate::pair::environment;

/// Longer than a test takes: one that would hang fails.
pub const LONG: Duration = Duration::from_secs(20);

/// A call to a service, over any stream that blocks.
#[derive(Debug)]
pub struct Pbx<S = TcpStream> {
    /// The connection, for what no Asterisk does.
    pub stream: S,
    asterisk: PbxSession,
    ended: bool,
}

impl Pbx {
    /// Calls a FastAGI server.
    pub fn call(address: SocketAddr) -> Self {
        Self::call_for(address, "test")
    }

    /// Calls a FastAGI server for a script of this name.
    pub fn call_for(address: SocketAddr, script: &str) -> Self {
        Self::connect(address).begin(script)
    }

    /// Connects, and sends nothing yet.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(LONG)).expect("a socket");
        Self::over(stream)
    }
}

impl<S: Read + Write> Pbx<S> {
    /// A stream on which nothing was sent yet.
    pub fn over(stream: S) -> Self {
        Self { stream, asterisk: PbxSession::new(8191), ended: false }
    }

    /// Sends the environment of a call for a script.
    pub fn begin(mut self, script: &str) -> Self {
        self.asterisk.send_environment(environment(script));
        self.flush();
        self
    }

    /// The next command; `None` at the end of the script's direction.
    pub fn next_line(&mut self) -> Option<String> {
        let mut space = [0; 1024];
        loop {
            match self.asterisk.poll_event() {
                Some(PbxEvent::Command(invocation)) => return Some(invocation.line().to_string()),
                Some(_) => return None,
                None => {}
            }
            match self.stream.read(&mut space).expect("no reset, and no end of patience") {
                0 if self.ended => return None,
                0 => {
                    self.ended = true;
                    self.asterisk.handle_eof();
                }
                read => self.asterisk.handle_input(&space[..read]),
            }
        }
    }

    /// Takes this command and no other.
    pub fn expect(&mut self, line: &str) -> &mut Self {
        assert_eq!(self.next_line().as_deref(), Some(line));
        self
    }

    /// Takes a barrier, and gives what it wants to hear.
    pub fn expect_barrier(&mut self) -> String {
        let line = self.next_line().expect("a barrier");
        let token = line.strip_prefix("GET FULL VARIABLE \"").and_then(|rest| rest.strip_suffix('"'));
        let token = token.filter(|token| token.starts_with("agi-sync-"));
        format!("200 result=1 ({})", token.unwrap_or_else(|| panic!("no barrier: {line}")))
    }

    /// Takes a barrier and lets it be heard.
    pub fn echo(&mut self) -> &mut Self {
        let echo = self.expect_barrier();
        self.respond(&echo)
    }

    /// Sends this, whatever it is.
    pub fn respond(&mut self, response: &str) -> &mut Self {
        self.asterisk.respond(response);
        self.flush();
        self
    }

    /// Ends the session as Asterisk does: waits for the script's end, says `HANGUP`, and closes, while the
    /// other side still listens. A socket that was closed would answer the `HANGUP` with a reset, which on
    /// the loopback interface is here before the write returns.
    pub fn end(mut self) {
        assert_eq!(self.next_line(), None);
        // after a reset the second one cannot be written
        self.respond("HANGUP").respond("HANGUP");
    }

    /// The same, of a server that says how the call ended.
    pub fn end_with(mut self, status: &str) {
        self.expect(&format!("SET VARIABLE \"AGI_SERVER_STATUS\" \"{status}\"")).respond("200 result=1");
        self.end();
    }

    fn flush(&mut self) {
        while let Some(bytes) = self.asterisk.poll_transmit() {
            let written = self.stream.write(bytes).expect("no reset");
            self.asterisk.transmitted(written);
        }
    }
}

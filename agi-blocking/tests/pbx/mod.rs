//! The other side: a PBX that a test scripts line by line.

#![allow(dead_code, reason = "no test file needs all of it")]

pub(crate) mod log;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use agi_blocking::agi_proto::{Asterisk, AsteriskEvent};
use agi_blocking::{Channel, ChannelBuilder};

/// The variables that Asterisk always sends, in its order.
const ENVIRONMENT: [(&str, &str); 22] = [
    ("agi_network", "yes"),
    ("agi_network_script", "menu?lang=de"),
    ("agi_request", "agi://127.0.0.1/menu?lang=de"),
    ("agi_channel", "PJSIP/100-00000001"),
    ("agi_language", "en"),
    ("agi_type", "PJSIP"),
    ("agi_uniqueid", "1700000000.1"),
    ("agi_version", "22.10.1"),
    ("agi_callerid", "100"),
    ("agi_calleridname", "unknown"),
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
    ("agi_threadid", "140000000000000"),
];

/// Longer than a test takes: one that would hang fails.
const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Pbx<S> {
    asterisk: Asterisk,
    pub(crate) stream: S,
}

impl Pbx<TcpStream> {
    /// Calls a server.
    pub(crate) fn call(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(LONG)).expect("a socket");
        Self::begin(stream)
    }
}

impl<S: Read + Write> Pbx<S> {
    /// Sends the environment.
    pub(crate) fn begin(stream: S) -> Self {
        Self::begin_at(stream, "menu?lang=de")
    }

    /// Sends the environment of a call to a script.
    pub(crate) fn begin_at(stream: S, script: &str) -> Self {
        let mut pbx = Self { asterisk: Asterisk::new(8191), stream };
        pbx.asterisk.send_environment(ENVIRONMENT.map(|(name, value)| match name {
            "agi_network_script" => (name, script),
            _ => (name, value),
        }));
        pbx.flush();
        pbx
    }

    /// The next command; `None` at the end of the script's direction.
    pub(crate) fn next(&mut self) -> Option<String> {
        let mut space = [0; 1024];
        loop {
            match self.asterisk.poll_event() {
                Some(AsteriskEvent::Invocation(invocation)) => return Some(invocation.line().to_string()),
                Some(_) => return None,
                None => {}
            }
            match self.stream.read(&mut space).expect("no reset, and no end of patience") {
                0 => self.asterisk.handle_eof(),
                read => self.asterisk.handle_input(&space[..read]),
            }
        }
    }

    /// Takes this command and no other.
    pub(crate) fn expect(&mut self, line: &str) -> &mut Self {
        assert_eq!(self.next().as_deref(), Some(line));
        self
    }

    /// Takes the barrier, and gives what answers it.
    pub(crate) fn expect_barrier(&mut self) -> String {
        let line = self.next().expect("a barrier");
        let token = line.strip_prefix("GET FULL VARIABLE \"").and_then(|rest| rest.strip_suffix('"'));
        let token = token.filter(|token| token.starts_with("agi-sync-")).expect("a barrier");
        format!("200 result=1 ({token})")
    }

    pub(crate) fn respond(&mut self, response: &str) -> &mut Self {
        self.asterisk.respond(response);
        self.flush();
        self
    }

    /// What Asterisk does when the script has ended its direction: it announces a hangup, and closes.
    ///
    /// A socket that is closed already answers the first line by a reset, and the second is not written.
    pub(crate) fn end(mut self) {
        assert_eq!(self.next(), None);
        self.respond("HANGUP").respond("HANGUP");
    }

    /// Takes the status that the server tells the dialplan, and [`end`](Self::end)s.
    pub(crate) fn end_with(mut self, status: &str) {
        self.expect(&format!(r#"SET VARIABLE "AGI_SERVER_STATUS" "{status}""#)).respond("200 result=1");
        self.end();
    }

    fn flush(&mut self) {
        while let Some(bytes) = self.asterisk.poll_transmit() {
            let written = self.stream.write(bytes).expect("no reset");
            self.asterisk.transmitted(written);
        }
    }
}

/// Runs the script of a PBX on a thread, and the test against it.
pub(crate) fn with_pbx(
    script: impl FnOnce(Pbx<UnixStream>) + Send + 'static,
    test: impl FnOnce(&mut Channel<UnixStream>),
) {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    theirs.set_read_timeout(Some(LONG)).expect("a socket");
    let pbx = thread::spawn(move || script(Pbx::begin(theirs)));
    let mut channel = ChannelBuilder::new().start(ours).expect("an environment").expect("not closed");
    test(&mut channel);
    drop(channel);
    pbx.join().expect("the script went as written");
}

//! Two sides of a conversation joined in memory: no socket, no thread, no time.

use agi_proto::commands::Noop;
use agi_proto::{
    BString, CallError, Command, EncodeError, Error, Event, Filled, PbxEvent, PbxSession, Pending,
    ProtocolError, Session,
};

/// The variables that Asterisk always sends, with values of no meaning.
pub const ENVIRONMENT: [(&str, &str); 22] = [
    ("agi_network", "yes"),
    ("agi_network_script", "test"),
    ("agi_request", "agi://127.0.0.1/test"),
    ("agi_channel", "PJSIP/100-00000001"),
    ("agi_language", "en"),
    ("agi_type", "PJSIP"),
    ("agi_uniqueid", "1700000000.1"),
    ("agi_version", "22.10.1"),
    ("agi_callerid", "100"),
    ("agi_calleridname", "Ada"),
    ("agi_callingpres", "0"),
    ("agi_callingani2", "0"),
    ("agi_callington", "0"),
    ("agi_callingtns", "0"),
    ("agi_dnid", "unknown"),
    ("agi_rdnis", "unknown"),
    ("agi_context", "default"),
    ("agi_extension", "100"),
    ("agi_priority", "1"),
    ("agi_enhanced", "0.0"),
    ("agi_accountcode", ""),
    ("agi_threadid", "140022982756032"),
];

/// The variables of a call for a script.
pub fn environment(script: &str) -> [(&'static str, String); 22] {
    ENVIRONMENT.map(|(name, value)| match name {
        "agi_network_script" => (name, script.to_string()),
        "agi_request" => (name, format!("agi://127.0.0.1/{script}")),
        _ => (name, value.to_string()),
    })
}

/// The nonce of a [`Pair`]'s session.
pub const NONCE: u64 = 0x5eed;

/// What happened at the script's side, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The environment came.
    Environment,
    /// The answer is still to come.
    Trying,
    /// A response, as it came.
    Response(BString),
    /// The channel is hung up.
    Hangup,
    /// The conversation is over.
    Closed,
    /// The peer broke the protocol.
    Failed(ProtocolError),
    /// A command was not taken.
    Refused(EncodeError),
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Environment(_) => Self::Environment,
            Event::Trying => Self::Trying,
            Event::Response(response) => Self::Response(response.raw().into()),
            Event::Hangup => Self::Hangup,
            Event::Closed => Self::Closed,
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }
}

/// A script's session and a PBX, joined.
#[derive(Debug)]
pub struct Pair {
    /// The script's side.
    pub session: Session,
    /// The PBX's side.
    pub asterisk: PbxSession,
}

impl Default for Pair {
    fn default() -> Self {
        Self::new()
    }
}

impl Pair {
    /// A conversation that stands behind its environment.
    pub fn new() -> Self {
        Self::with(&ENVIRONMENT)
    }

    /// The same with an environment of one's own.
    pub fn with(environment: &[(&str, &str)]) -> Self {
        let mut pair = Self { session: Session::new(NONCE), asterisk: PbxSession::new(8191) };
        pair.asterisk.send_environment(environment.iter().copied());
        assert_eq!(pair.events(), [Seen::Environment]);
        pair
    }

    /// Everything that the PBX has sent reaches the script; what it sees.
    pub fn events(&mut self) -> Vec<Seen> {
        while let Some(bytes) = self.asterisk.poll_transmit() {
            let n = bytes.len();
            self.session.handle_input(bytes, Filled::No);
            self.asterisk.transmitted(n);
        }
        seen(&mut self.session)
    }

    /// Everything that the script has sent reaches the PBX; the lines that it sees.
    pub fn lines(&mut self) -> Vec<BString> {
        while let Some(bytes) = self.session.poll_transmit() {
            let n = bytes.len();
            self.asterisk.handle_input(bytes);
            self.session.transmitted(n);
        }
        let mut lines = Vec::new();
        while let Some(event) = self.asterisk.poll_event() {
            if let PbxEvent::Command(invocation) = event {
                lines.push(invocation.line().into());
            }
        }
        lines
    }

    /// Sends a command, sees that the PBX gets this line, lets it answer, and takes the script's events.
    pub fn exchange<C: Command>(&mut self, command: C, line: &str, answer: &str) -> Vec<Seen> {
        let _pending = self.session.send(&command).expect("the session takes a command");
        assert_eq!(self.lines(), [line]);
        self.asterisk.respond(answer);
        self.events()
    }

    /// Sends a command that the session does not take any more; why.
    pub fn refused<Io>(&mut self) -> Error<Io> {
        while let Some(bytes) = self.asterisk.poll_transmit() {
            let n = bytes.len();
            self.session.handle_input(bytes, Filled::No);
            self.asterisk.transmitted(n);
        }
        let error = self.session.send(&Noop::new()).expect_err("the conversation is over");
        self.session.send_error(error)
    }

    /// Waits for the answer to a command, which the PBX has sent already.
    pub fn reply<R>(&mut self, pending: Pending<R>) -> Result<R, CallError> {
        while let Some(bytes) = self.asterisk.poll_transmit() {
            let n = bytes.len();
            self.session.handle_input(bytes, Filled::No);
            self.asterisk.transmitted(n);
        }
        loop {
            match self.session.poll_event() {
                Ok(Some(Event::Response(response))) => return pending.decode(response),
                Ok(Some(_)) => {}
                other => panic!("no answer came: {other:?}"),
            }
        }
    }
}

/// Polls a session until it needs input.
pub fn seen(session: &mut Session) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        match session.poll_event() {
            Ok(Some(event)) => seen.push(event.into()),
            Ok(None) => return seen,
            Err(error) => {
                seen.push(Seen::Failed(error));
                return seen;
            }
        }
    }
}

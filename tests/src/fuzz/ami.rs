//! Any bytes from a manager interface, with anything that an application may do in between.

use std::collections::BTreeMap;
use std::time::Duration;

use agi_ami::{CallId, Connection, ConnectionError, Credentials, Event, Options, Orphans};
use arbitrary::{Arbitrary, Result, Unstructured};

use super::trace;
use crate::ami::{Action, ENVIRONMENT, encode};

#[derive(Arbitrary, Clone, Debug)]
enum Operation {
    Feed(Vec<u8>),
    Greet,
    /// The response to one of the actions that were sent.
    Respond(u8, Response),
    Start(u8, Block),
    /// The result of one of the commands that were sent, or of somebody else's.
    Result(u8, u8, Text),
    Tell(u8, Sign),
    Status(u8, u8, bool),
    Send(u8, Line),
    Interrupt(u8),
    Finish(u8),
    Wait(u16),
    TimeOut,
    Logoff,
    Eof,
    Reconnect,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Response {
    Success,
    Denied,
    Unknown,
    NoChannel,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Block {
    Short,
    Long,
    Strange,
}

#[derive(Arbitrary, Clone, Debug)]
enum Text {
    Done,
    Failed,
    /// A chunk of so many bytes.
    Chunk(u16, bool),
    Any(Vec<u8>),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Sign {
    Begun,
    Ran,
    Failed,
    End,
    HangupRequest,
    Hangup,
    BridgeEnter,
    BridgeLeave,
}

#[derive(Arbitrary, Clone, Debug)]
enum Line {
    Noop,
    Stream,
    Exec,
    Break,
    Any(Vec<u8>),
}

/// The same operations are done to two connections: one gets the bytes in the pieces of the input, the other every
/// byte by itself.
///
/// * Both report the same and send the same: nothing depends on how the bytes arrive.
/// * What is sent is whole actions, of lines that Asterisk takes; no value becomes a header.
/// * A call starts once and ends once, and nothing is reported of it before or after.
/// * There is a reply, or the news that it was cut, for a line that was sent at most.
/// * An error is final: it repeats, nothing is sent any more, and nothing is due.
/// * What is due is done once its time has come.
pub fn ami(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = run(&mut u);
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut options = Options::default();
    options.claim = u.arbitrary::<bool>()?.then(|| "fuzz".into());
    options.wake = u.arbitrary()?;
    options.orphans = *u.choose(&[Orphans::BreakOwn, Orphans::Break, Orphans::Adopt, Orphans::Leave])?;
    options.max_calls = u.int_in_range(1..=4)?;
    options.message_bytes = 8_192;
    options.reply_bytes = 4_096;
    options.queued_lines = 4;
    let plain = u.arbitrary()?;
    let mut whole = Side::new(&options, plain);
    let mut bytewise = Side::new(&options, plain);
    if u.arbitrary()? {
        for operation in [
            Operation::Greet,
            Operation::Respond(0, Response::Success),
            Operation::Respond(0, Response::Success),
        ] {
            both(&mut whole, &mut bytewise, &operation);
        }
    }
    while !u.is_empty() {
        let operation: Operation = u.arbitrary()?;
        trace(|| format!("{operation:?}"));
        both(&mut whole, &mut bytewise, &operation);
    }
    Ok(())
}

fn both(whole: &mut Side, bytewise: &mut Side, operation: &Operation) {
    whole.operate(operation, false);
    bytewise.operate(operation, true);
    assert_eq!(whole.events, bytewise.events, "the events depend on the split");
    assert_eq!(whole.texts(), bytewise.texts(), "what is sent depends on the split");
    assert_eq!(whole.error, bytewise.error, "the error depends on the split");
    assert_eq!(
        whole.connection.poll_timeout(),
        bytewise.connection.poll_timeout(),
        "the timer depends on the split"
    );
}

struct Side {
    connection: Connection,
    now: Duration,
    events: Vec<Event>,
    error: Option<ConnectionError>,
    sent: Vec<Action>,
    /// Actions without a response.
    open: Vec<Action>,
    /// Calls by when they started, and how many lines of them were taken and not answered.
    calls: BTreeMap<CallId, usize>,
    is_over: bool,
}

impl Side {
    fn new(options: &Options, plain: bool) -> Self {
        let credentials = Credentials::new("agi", "secret").expect("valid");
        let credentials = if plain { credentials.plain() } else { credentials };
        let connection = Connection::new(credentials, options.clone(), 1, Duration::ZERO).expect("valid");
        Self {
            connection,
            now: Duration::ZERO,
            events: vec![],
            error: None,
            sent: vec![],
            open: vec![],
            calls: BTreeMap::new(),
            is_over: false,
        }
    }

    fn texts(&self) -> Vec<String> {
        self.sent.iter().map(|action| format!("{action:?}")).collect()
    }

    fn operate(&mut self, operation: &Operation, bytewise: bool) {
        (self.events, self.sent) = (vec![], vec![]);
        if let Some(bytes) = self.bytes(operation) {
            let step = if bytewise { 1 } else { bytes.len().max(1) };
            for piece in bytes.chunks(step) {
                self.connection.handle_input(piece, self.now);
                self.poll();
            }
            return;
        }
        match operation {
            Operation::Send(call, line) => self.send(*call, line),
            Operation::Interrupt(call) => {
                if let Some(call) = self.pick(*call) {
                    self.connection.interrupt(call, self.now);
                }
            }
            Operation::Finish(call) => {
                if let Some(call) = self.pick(*call) {
                    self.connection.finish(call, self.now);
                }
            }
            Operation::Wait(time) => self.time_out(self.now + Duration::from_millis((*time).into())),
            Operation::TimeOut => {
                if let Some(due) = self.connection.poll_timeout() {
                    self.time_out(due.max(self.now));
                    let next = self.connection.poll_timeout();
                    assert!(next.is_none_or(|next| next > self.now), "it was due and was not done");
                }
            }
            Operation::Logoff => self.connection.logoff(),
            Operation::Eof => {
                self.connection.handle_eof();
                self.is_over = true;
            }
            Operation::Reconnect => {
                self.connection.reconnect(self.now);
                self.open.clear();
                (self.is_over, self.error) = (false, None);
                self.poll();
                assert!(self.calls.is_empty(), "a call outlived its connection");
            }
            _ => unreachable!("it is bytes"),
        }
        self.poll();
    }

    fn time_out(&mut self, now: Duration) {
        self.now = now;
        self.connection.handle_timeout(now);
        self.poll();
    }

    fn bytes(&mut self, operation: &Operation) -> Option<Vec<u8>> {
        let event = |event: &str, channel: u8, rest: &str| {
            format!("Event: {event}\r\nUniqueid: 1.{}\r\n{rest}\r\n", channel % 4).into_bytes()
        };
        Some(match operation {
            Operation::Feed(bytes) => bytes.clone(),
            Operation::Greet => b"Asterisk Call Manager/11.0.0\r\n".to_vec(),
            Operation::Respond(which, response) => {
                if self.open.is_empty() {
                    return Some(vec![]);
                }
                let action = self.open.remove(usize::from(*which) % self.open.len());
                response.bytes(&action)
            }
            Operation::Start(channel, block) => {
                event("AsyncAGIStart", *channel, &format!("Env: {}\r\n", block.encoded()))
            }
            Operation::Result(channel, id, text) => {
                let ids: Vec<_> = self
                    .open
                    .iter()
                    .chain(&self.sent)
                    .map(|it| it.text("CommandID"))
                    .filter(|it| !it.is_empty())
                    .collect();
                let foreign = ["claim:b:2-1-1", "ask:b:2-1-2", "cliid", ""].map(String::from);
                let all = [ids, foreign.to_vec()].concat();
                let id = &all[usize::from(*id) % all.len()];
                event("AsyncAGIExec", *channel, &format!("Result: {}\r\nCommandId: {id}\r\n", text.encoded()))
            }
            Operation::Tell(channel, sign) => {
                let running = self.open.iter().find(|action| !action.bytes("Command").is_empty());
                let command = running.map(|action| action.text("Command")).unwrap_or_default();
                let (name, code) = match sign {
                    Sign::Begun => ("AGIExecStart", ""),
                    Sign::Ran => ("AGIExecEnd", "ResultCode: 200\r\n"),
                    Sign::Failed => ("AGIExecEnd", "ResultCode: -1\r\n"),
                    Sign::End => ("AsyncAGIEnd", ""),
                    Sign::HangupRequest => ("HangupRequest", ""),
                    Sign::Hangup => ("Hangup", ""),
                    Sign::BridgeEnter => ("BridgeEnter", ""),
                    Sign::BridgeLeave => ("BridgeLeave", ""),
                };
                event(name, *channel, &format!("Command: {command}\r\n{code}"))
            }
            Operation::Status(channel, application, is_last) => {
                let application = ["AGI", "Dial", "(null)"][usize::from(*application) % 3];
                let list = self.open.iter().find(|action| action.text("Action") == "Status");
                let id = list.map(|action| action.text("ActionID")).unwrap_or_else(|| "2".into());
                let rest = format!("Application: {application}\r\nData: agi:async,x\r\nActionID: {id}\r\n");
                event(if *is_last { "StatusComplete" } else { "Status" }, *channel, &rest)
            }
            _ => return None,
        })
    }

    fn pick(&self, which: u8) -> Option<CallId> {
        self.calls.keys().nth(usize::from(which) % self.calls.len().max(1)).copied()
    }

    fn send(&mut self, call: u8, line: &Line) {
        let Some(call) = self.pick(call) else { return };
        let line = match line {
            Line::Noop => b"NOOP\n",
            Line::Stream => &b"STREAM FILE beep \"\"\n"[..],
            Line::Exec => b"EXEC Dial x\n",
            Line::Break => b"ASYNCAGI BREAK\n",
            Line::Any(bytes) => bytes,
        };
        if self.connection.send(call, line, self.now).is_ok() {
            *self.calls.get_mut(&call).expect("only a call that has started takes lines") += 1;
        }
    }

    fn poll(&mut self) {
        loop {
            match self.connection.poll_event() {
                Ok(Some(event)) => {
                    self.check(&event);
                    self.events.push(event);
                }
                Ok(None) => {
                    assert_eq!(self.error, None, "an error that does not repeat");
                    break;
                }
                Err(error) => {
                    assert!(
                        self.error.as_ref().is_none_or(|before| *before == error),
                        "an error that changes"
                    );
                    assert!(self.calls.is_empty(), "a call outlived its connection");
                    assert_eq!(self.connection.poll_transmit(), None);
                    assert_eq!(self.connection.poll_timeout(), None);
                    self.error = Some(error);
                    return;
                }
            }
        }
        let mut sent = Vec::new();
        while let Some(bytes) = self.connection.poll_transmit() {
            // in pieces, as a socket may take them
            let n = bytes.len().min(100);
            sent.extend_from_slice(&bytes[..n]);
            self.connection.transmitted(n);
        }
        assert!(sent.is_empty() || !self.is_over, "sent to nobody");
        while let Some(end) = sent.windows(4).position(|end| end == b"\r\n\r\n") {
            let rest = sent.split_off(end + 4);
            let action = Action::read(&sent);
            self.open.push(action.clone());
            self.sent.push(action);
            sent = rest;
        }
        assert!(sent.is_empty(), "part of an action");
    }

    fn check(&mut self, event: &Event) {
        match event {
            Event::Started { call, environment, .. } => {
                assert!(environment.ends_with(b"\n\n"));
                assert_eq!(self.calls.insert(*call, 0), None, "started twice");
            }
            Event::Begun { call } => assert!(self.calls.contains_key(call), "begun without a call"),
            Event::Reply { call, .. } | Event::Cut { call, .. } => {
                if let Event::Reply { reply, .. } = event {
                    assert!(reply.ends_with(b"\n") && reply.len() <= 4_096 + 1_024);
                }
                let owed = self.calls.get_mut(call).expect("a reply without a call");
                *owed = owed.checked_sub(1).expect("a reply without a command");
            }
            Event::Ended { call, .. } => assert!(self.calls.remove(call).is_some(), "ended twice"),
            _ => {}
        }
    }
}

impl Response {
    fn bytes(self, action: &Action) -> Vec<u8> {
        let id = action.text("ActionID");
        let rest = match self {
            Self::Success => {
                return format!("Response: Success\r\nActionID: {id}\r\nChallenge: 1\r\n\r\n").into_bytes();
            }
            Self::Denied => "Permission denied",
            Self::Unknown => "Invalid/unknown command: X.",
            Self::NoChannel => "No such channel",
        };
        format!("Response: Error\r\nActionID: {id}\r\nMessage: {rest}\r\n\r\n").into_bytes()
    }
}

impl Block {
    fn encoded(self) -> String {
        let block = match self {
            Self::Short => format!("{ENVIRONMENT}\n"),
            Self::Long => format!("{ENVIRONMENT}agi_arg_1: {}\n\n", "x".repeat(900)),
            Self::Strange => format!("{ENVIRONMENT}agi_arg_1: {}\n\n", "+".repeat(600)),
        };
        chunk(block.as_bytes())
    }
}

impl Text {
    fn encoded(&self) -> String {
        match self {
            Self::Done => chunk(b"200 result=0\n"),
            Self::Failed => chunk(b"200 result=-1\n"),
            Self::Chunk(length, strange) => {
                chunk(&vec![if *strange { b'+' } else { b'x' }; usize::from(*length) % 1_100])
            }
            Self::Any(bytes) => chunk(bytes),
        }
    }
}

/// As much of it as Asterisk sends at once.
fn chunk(bytes: &[u8]) -> String {
    let mut encoded = String::new();
    for escape in bytes.iter().take(1_024).map(|&byte| encode(byte)) {
        if encoded.len() + escape.len() > 2_047 {
            break;
        }
        encoded += &escape;
    }
    encoded
}

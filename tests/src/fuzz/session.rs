//! Any bytes from Asterisk's side, with anything that an application may do in between.

use std::time::Duration;

use agi_proto::commands::{Exec, GetVariable, Noop, StreamFile, WaitForDigit};
use agi_proto::{Command, EncodeError, EscapeDigits, Filled, Leniency, Limits, Pending, Session};
use arbitrary::{Arbitrary, Result, Unstructured};

use super::trace;
use crate::pair::{ENVIRONMENT, NONCE, Seen, seen};

/// Small, so that they are reached.
const RESPONSE_BYTES: usize = 256;

#[derive(Arbitrary, Clone, Debug)]
enum Operation {
    Feed(Vec<u8>),
    FeedWord(Word),
    Transmit(u16),
    TransmitAll,
    Send(Kind),
    Abandon,
    Resync,
    Finish,
    Hangup,
    Timeout,
    Eof,
}

/// What Asterisk says, so that the fuzzer need not spell it.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Word {
    Environment,
    Done,
    One,
    Failed,
    Value,
    ValueOfLines,
    LineOfValue,
    Trying,
    UsageBegins,
    UsageEnds,
    Unknown,
    Dead,
    Hangup,
    Echo,
    Long,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Noop,
    GetVariable,
    StreamFile,
    WaitForDigit,
    Exec,
    Refused,
}

/// The same operations are done to two sessions: one gets the bytes in the pieces of the input, the other
/// every byte by itself.
///
/// * Both tell the same and send the same: nothing depends on how the bytes arrive.
/// * There is no response without a command, and one at most to each.
/// * An error is final: it repeats, nothing is sent any more, and nothing is due.
/// * What is sent is whole lines, one at a time, and nothing once Asterisk has closed.
/// * A response is never longer than the limit, and a line buffer holds twice of what it may need at most.
pub fn session(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = run(&mut u);
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut whole = Side::new();
    let mut bytewise = Side::new();
    if u.arbitrary()? {
        let block = Word::Environment.bytes(0);
        whole.feed(&block, false);
        bytewise.feed(&block, false);
    }
    while !u.is_empty() {
        let operation: Operation = u.arbitrary()?;
        trace(|| format!("{operation:?}"));
        whole.operate(&operation, false);
        bytewise.operate(&operation, true);
        whole.same(&bytewise);
    }
    Ok(())
}

impl Operation {
    fn bytes(&self, barriers: u64) -> Option<Vec<u8>> {
        match self {
            Self::Feed(bytes) => Some(bytes.clone()),
            Self::FeedWord(word) => Some(word.bytes(barriers)),
            _ => None,
        }
    }
}

impl Word {
    fn bytes(self, barriers: u64) -> Vec<u8> {
        let fixed: &[u8] = match self {
            Self::Environment => {
                let lines = ENVIRONMENT.map(|(name, value)| format!("{name}: {value}\n"));
                return (lines.concat() + "\n").into_bytes();
            }
            Self::Echo => {
                return format!("200 result=1 (agi-sync-{NONCE:016x}-{barriers})\n").into_bytes();
            }
            Self::Long => return [b"200 result=0 ".to_vec(), vec![b'x'; RESPONSE_BYTES]].concat(),
            Self::Done => b"200 result=0\n",
            Self::One => b"200 result=1\n",
            Self::Failed => b"200 result=-1 endpos=0\n",
            Self::Value => b"200 result=1 (a value)\n",
            Self::ValueOfLines => b"200 result=1 (a\nHANGUP\n520-b)\n",
            Self::LineOfValue => b"200 result=1 (a\n",
            Self::Trying => b"100 result=0 Trying...\n",
            Self::UsageBegins => b"520-Invalid command syntax.  Proper usage follows:\n",
            Self::UsageEnds => b"520 End of proper usage.\n",
            Self::Unknown => b"510 Invalid or unknown command\n",
            Self::Dead => b"511 Command Not Permitted on a dead channel or intercept routine\n",
            Self::Hangup => b"HANGUP\n",
        };
        fixed.to_vec()
    }
}

struct Side {
    session: Session,
    told: Vec<Seen>,
    refused: Vec<EncodeError>,
    sent: Vec<u8>,
    /// Commands that the session took and that were neither answered nor given up.
    awaited: u32,
    /// Barriers that were wholly sent.
    barriers: u64,
    /// Asterisk has closed: nobody reads what is sent.
    over: bool,
}

impl Side {
    fn new() -> Self {
        let mut limits = Limits::default();
        limits.response_bytes = RESPONSE_BYTES;
        let session = Session::with_config(NONCE, limits, Leniency::default());
        Self { session, told: vec![], refused: vec![], sent: vec![], awaited: 0, barriers: 0, over: false }
    }

    fn same(&self, other: &Self) {
        assert_eq!(self.told, other.told, "the events depend on the split");
        assert_eq!(self.sent, other.sent, "what is sent depends on the split");
        assert_eq!(self.refused, other.refused, "what is refused depends on the split");
        let getters = |side: &Self| {
            let session = &side.session;
            let timeout: Option<Duration> = session.poll_timeout();
            (session.is_hung_up(), session.is_waiting(), session.is_synced(), session.is_closed(), timeout)
        };
        assert_eq!(getters(self), getters(other), "the state depends on the split");
    }

    fn operate(&mut self, operation: &Operation, bytewise: bool) {
        if let Some(bytes) = operation.bytes(self.barriers) {
            self.feed(&bytes, bytewise);
            return;
        }
        match operation {
            Operation::Feed(_) | Operation::FeedWord(_) => {}
            Operation::Transmit(n) => self.transmit((*n).into()),
            Operation::TransmitAll => self.transmit(usize::MAX),
            Operation::Send(kind) => self.send(*kind),
            Operation::Abandon => {
                self.session.abandon();
                self.awaited = 0;
                assert!(!self.session.is_waiting());
            }
            Operation::Resync => {
                let result = self.session.resync();
                self.refused.extend(result.err());
            }
            Operation::Finish => {
                self.session.finish();
                self.awaited = 0;
            }
            Operation::Hangup => self.session.handle_hangup(),
            Operation::Timeout => self.session.handle_timeout(),
            Operation::Eof => {
                self.session.handle_eof();
                self.over = true;
            }
        }
        self.poll();
    }

    fn feed(&mut self, bytes: &[u8], bytewise: bool) {
        if self.failed() || self.session.is_closed() {
            return; // nobody reads on
        }
        if !bytewise {
            self.session.handle_input(bytes, Filled::No);
            self.poll();
            return;
        }
        for byte in bytes {
            self.session.handle_input(&[*byte], Filled::No);
            self.poll();
        }
    }

    fn send(&mut self, kind: Kind) {
        let waiting = self.session.is_waiting();
        let result = match kind {
            Kind::Noop => self.queue(&Noop::new()),
            Kind::GetVariable => self.queue(&GetVariable::new("X")),
            Kind::StreamFile => self.queue(&StreamFile::new("f", EscapeDigits::NONE)),
            Kind::WaitForDigit => self.queue(&WaitForDigit::new(None)),
            Kind::Exec => self.queue(&Exec::new("A")),
            Kind::Refused => self.queue(&GetVariable::new("a\nb")),
        };
        match result {
            Ok(()) => {
                assert!(!waiting && self.session.is_waiting() && !matches!(kind, Kind::Refused));
                assert_eq!(self.awaited, 0);
                self.awaited = 1;
            }
            Err(error) => {
                assert_eq!(self.session.is_waiting(), waiting, "a refusal changed the state");
                self.refused.push(error);
            }
        }
    }

    fn queue<C: Command>(&mut self, command: &C) -> std::result::Result<(), EncodeError> {
        self.session.send(command).map(|_: Pending<C::Reply>| ())
    }

    fn transmit(&mut self, most: usize) {
        let mut left = most;
        while let Some(bytes) = self.session.poll_transmit() {
            assert_eq!(bytes.iter().position(|&byte| byte == b'\n'), Some(bytes.len() - 1), "not one line");
            let n = bytes.len().min(left);
            if n == 0 {
                return;
            }
            self.sent.extend_from_slice(&bytes[..n]);
            self.session.transmitted(n);
            left -= n;
            if self.sent.ends_with(b"\n") {
                self.line_went_out();
            }
        }
        let whole = matches!(self.sent.last(), None | Some(b'\n'));
        assert!(whole || self.over || self.failed(), "a line without its end");
    }

    fn line_went_out(&mut self) {
        let lines = &self.sent[..self.sent.len() - 1];
        let line = lines.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        self.barriers += u64::from(line.starts_with(b"GET FULL VARIABLE \"agi-sync-"));
    }

    fn poll(&mut self) {
        assert!(!self.over || self.session.poll_transmit().is_none(), "something to send after the end");
        if let Some(error @ Seen::Failed(_)) = self.told.last() {
            assert_eq!(seen(&mut self.session), std::slice::from_ref(error), "another error");
            assert_eq!(self.session.poll_transmit(), None, "something to send after an error");
            assert_eq!(self.session.poll_timeout(), None, "something to do after an error");
            return;
        }
        for event in seen(&mut self.session) {
            match &event {
                Seen::Response(raw) => {
                    assert_eq!(self.awaited, 1, "a response that nobody awaits: {raw:?}");
                    assert!(raw.len() <= RESPONSE_BYTES);
                    self.awaited = 0;
                }
                Seen::Trying => assert_eq!(self.awaited, 1),
                Seen::Hangup => assert!(!self.told.contains(&event), "told twice"),
                Seen::Environment => assert!(!self.told.contains(&event), "told twice"),
                // the end is reported for each time that it was noted
                Seen::Closed | Seen::Failed(_) => self.awaited = 0,
                Seen::Refused(_) => {}
            }
            trace(|| format!("  event {event:?}"));
            self.told.push(event);
        }
        if !self.failed() {
            assert_eq!(self.awaited == 1, self.session.is_waiting(), "a command was lost");
        }
    }

    fn failed(&self) -> bool {
        matches!(self.told.last(), Some(Seen::Failed(_)))
    }
}

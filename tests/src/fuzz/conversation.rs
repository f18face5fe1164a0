//! A session against a model of Asterisk: anything may happen at any time, and every answer must reach its
//! command.

use std::time::Duration;

use agi_proto::commands::{
    Exec, GetData, GetFullVariable, GetVariable, Noop, SpeechRecognize, StreamFile, WaitForDigit,
};
use agi_proto::{
    Command, CommandEncoder, CommandInfo, EncodeError, Filled, ReplyError, ReplyFormat, Response, Session,
    WhenInterrupted,
};
use arbitrary::{Arbitrary, Result, Unstructured};

use super::pbx::Pbx;
use super::trace;
use crate::pair::{ENVIRONMENT, NONCE, Seen, seen};

/// The time that a session waits for the rest of a message.
const REST: Duration = Duration::from_secs(60);

/// The commands that differ in what the session must know of them. Others have the same rules.
const COMMANDS: [CommandInfo; 12] = [
    Noop::INFO,
    GetVariable::INFO,
    GetFullVariable::INFO,
    Exec::INFO,
    StreamFile::INFO,
    GetData::INFO,
    WaitForDigit::INFO,
    CommandInfo::new("SAY ALPHA").when_interrupted(WhenInterrupted::StopsInEagi).failure_may_be_hangup(),
    CommandInfo::new("CONTROL STREAM FILE").failure_may_be_hangup(),
    CommandInfo::new("GOSUB"),
    CommandInfo::new("RECEIVE TEXT").format(ReplyFormat::Value),
    SpeechRecognize::INFO,
];

/// A command whose only argument is its number, which its answer holds as a rule.
struct Numbered {
    info: CommandInfo,
    id: u32,
}

impl Command for Numbered {
    type Reply = ();
    const INFO: CommandInfo = CommandInfo::new("a numbered command");

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words(self.info.name).number(self.id.into());
    }

    fn decode(_: &Response<'_>) -> std::result::Result<(), ReplyError> {
        Ok(())
    }

    fn info(&self) -> CommandInfo {
        self.info
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Operation {
    Send(u8),
    Abandon,
    Resync,
    /// So many bytes leave the session.
    Transmit(u8),
    /// What was sent reaches Asterisk: so many bytes of it.
    Carry(u8),
    CarryAll,
    /// Asterisk goes one step.
    Step,
    /// Asterisk goes on until nothing more happens.
    Run,
    /// The command that runs ends.
    Complete,
    /// What Asterisk wrote reaches the session: so many bytes of it.
    Deliver(u8),
    DeliverAll,
    HangUp,
    Timeout,
    Finish,
}

/// * Every response is what Asterisk answered to the very command that waits for it.
/// * Whatever the values say, nothing is told that Asterisk did not mean: no hangup on a live channel, and
///   no error.
/// * No command leaves the session while Asterisk has anything to answer or the session anything to read.
/// * Once everything in flight has arrived, everything is settled: each command was answered or the end
///   was told, and the next command works.
pub fn conversation(data: &[u8]) {
    let mut u = Unstructured::new(data);
    // what is left out of a short input counts as zero
    let _ = Conversation::new(&mut u).and_then(|mut conversation| conversation.run(&mut u));
}

struct Conversation {
    session: Session,
    pbx: Pbx,
    /// Sent by the session, not yet at Asterisk.
    wire: Vec<u8>,
    /// The line of which the beginning has left the session.
    line: Vec<u8>,
    awaited: Option<(u32, CommandInfo)>,
    next: u32,
    hangup_told: bool,
    closed: bool,
    finished: bool,
}

impl Conversation {
    fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let mut session = Session::new(NONCE);
        let pbx = Pbx::new(u)?;
        for (name, value) in ENVIRONMENT {
            let enhanced = name == "agi_enhanced" && pbx.is_enhanced();
            let value = if enhanced { "1.0" } else { value };
            session.handle_input(format!("{name}: {value}\n").as_bytes(), Filled::No);
        }
        session.handle_input(b"\n", Filled::No);
        assert_eq!(seen(&mut session), [Seen::Environment]);
        Ok(Self {
            session,
            pbx,
            wire: vec![],
            line: vec![],
            awaited: None,
            next: 1,
            hangup_told: false,
            closed: false,
            finished: false,
        })
    }

    fn run(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        while !u.is_empty() {
            let operation = u.arbitrary()?;
            self.operate(operation, u)?;
        }
        self.settle()?;
        if self.finished || self.closed {
            return Ok(());
        }
        self.send(0);
        self.settle()
    }

    fn operate(&mut self, operation: Operation, u: &mut Unstructured<'_>) -> Result<()> {
        trace(|| format!("{operation:?}"));
        match operation {
            Operation::Send(which) => self.send(which),
            Operation::Abandon => {
                self.session.abandon();
                self.awaited = None;
            }
            Operation::Resync => match self.session.resync() {
                Err(EncodeError::Busy) => assert!(self.awaited.is_some()),
                Err(error) => assert_eq!(error, EncodeError::Closed),
                Ok(()) => assert!(self.awaited.is_none()),
            },
            Operation::Transmit(n) => self.transmit(n.into()),
            Operation::Carry(n) => self.carry(n.into()),
            Operation::CarryAll => {
                self.transmit(usize::MAX);
                self.carry(usize::MAX);
            }
            Operation::Step => {
                self.pbx.step(u)?;
            }
            Operation::Run => while self.pbx.step(u)? {},
            Operation::Complete => {
                self.pbx.complete(u)?;
            }
            Operation::Deliver(n) => self.deliver(n.into()),
            Operation::DeliverAll => self.deliver(usize::MAX),
            Operation::HangUp => self.pbx.hang_up(),
            // early is right, too: the clocks are not Asterisk's; but the rest of a message always comes
            Operation::Timeout if self.session.poll_timeout().is_some_and(|wait| wait < REST) => {
                self.session.handle_timeout();
            }
            Operation::Timeout => {}
            Operation::Finish if u.ratio(1, 8)? => self.finish(),
            Operation::Finish => {}
        }
        self.poll();
        Ok(())
    }

    fn send(&mut self, which: u8) {
        let info = COMMANDS[usize::from(which) % COMMANDS.len()];
        let command = Numbered { info, id: self.next };
        match self.session.send(&command) {
            Ok(pending) => {
                let _ = pending;
                assert!(self.awaited.is_none() && !self.finished && !self.closed);
                self.awaited = Some((self.next, info));
                self.next += 1;
            }
            Err(EncodeError::Busy) => assert!(self.awaited.is_some()),
            Err(EncodeError::Closed) => {}
            Err(error) => panic!("refused: {error}"),
        }
    }

    fn finish(&mut self) {
        self.session.finish();
        self.awaited = None;
        self.finished = true;
        self.transmit(usize::MAX);
        self.carry(usize::MAX);
        self.pbx.receive_end();
    }

    fn transmit(&mut self, most: usize) {
        let mut left = most;
        while let Some(bytes) = self.session.poll_transmit() {
            let bytes = bytes[..bytes.len().min(left)].to_vec();
            if bytes.is_empty() {
                return;
            }
            if self.line.is_empty() {
                self.line_begins();
            }
            self.line.extend_from_slice(&bytes);
            if self.line.ends_with(b"\n") {
                self.line.clear();
            }
            self.wire.extend_from_slice(&bytes);
            self.session.transmitted(bytes.len());
            left -= bytes.len();
        }
    }

    /// A line leaves the session: only the barrier may do so while Asterisk has something to answer.
    fn line_begins(&mut self) {
        let line = self.session.poll_transmit().unwrap_or_default();
        if line.starts_with(b"GET FULL VARIABLE \"agi-sync-") || self.pbx.closed {
            return;
        }
        let owed = !self.pbx.is_idle() || !self.wire.is_empty();
        assert!(!owed, "{:?} left while another command was in flight", line.to_vec());
        let unread = self.pbx.segments.iter().any(|segment| !b"HANGUP\n".ends_with(&segment.bytes[..]));
        assert!(!unread, "{:?} left before an answer was read", line.to_vec());
    }

    fn carry(&mut self, most: usize) {
        let n = self.wire.len().min(most);
        let bytes: Vec<u8> = self.wire.drain(..n).collect();
        trace(|| format!("  script: {}", bytes.escape_ascii()));
        self.pbx.receive(&bytes);
    }

    fn deliver(&mut self, most: usize) {
        let mut left = most;
        let mut piece = Vec::new();
        while let Some(segment) = self.pbx.segments.front_mut() {
            let n = if segment.atomic { segment.bytes.len() } else { segment.bytes.len().min(left) };
            piece.extend(segment.bytes.drain(..n));
            left = left.saturating_sub(n);
            if !segment.bytes.is_empty() {
                break;
            }
            self.pbx.segments.pop_front();
            if left == 0 {
                break;
            }
        }
        trace(|| format!("  asterisk: {}", piece.escape_ascii()));
        self.session.handle_input(&piece, Filled::No);
        if self.pbx.closed && self.pbx.segments.is_empty() {
            self.session.handle_eof();
        }
    }

    fn poll(&mut self) {
        for event in seen(&mut self.session) {
            trace(|| format!("  event {event:?}"));
            match event {
                Seen::Response(raw) => self.answered(&raw),
                Seen::Trying => assert_eq!(self.awaited.map(|(_, info)| info.name), Some("GOSUB")),
                Seen::Hangup => {
                    assert!(self.pbx.dead && !self.hangup_told, "a hangup that was none");
                    self.hangup_told = true;
                }
                Seen::Closed => {
                    assert!(self.pbx.closed);
                    self.closed = true;
                    self.awaited = None;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(self.awaited.is_some(), self.session.is_waiting(), "a command was lost");
    }

    fn answered(&mut self, raw: &[u8]) {
        let (id, info) = self.awaited.take().unwrap_or_else(|| panic!("nobody asked for {raw:?}"));
        let answer = self.pbx.answers.get(&id).unwrap_or_else(|| panic!("{} {id}: {raw:?}", info.name));
        let raw = String::from_utf8_lossy(raw);
        let answer = String::from_utf8_lossy(answer);
        // a line end of a value is cut from the response as CR LF is
        assert!(raw == answer, "{} {id}: {raw:?} is not {answer:?}", info.name);
    }

    /// Everything in flight arrives, what runs ends, time passes.
    fn settle(&mut self) -> Result<()> {
        trace(|| "everything arrives".into());
        let mut nothing = Unstructured::new(&[]);
        for _ in 0..100 {
            self.transmit(usize::MAX);
            self.carry(usize::MAX);
            let mut moved = false;
            while self.pbx.step(&mut nothing)? {
                moved = true;
            }
            moved |= self.pbx.complete(&mut nothing)?;
            moved |= !self.pbx.segments.is_empty() || self.pbx.closed && !self.closed;
            self.deliver(usize::MAX);
            self.poll();
            if moved || self.session.poll_transmit().is_some() {
                continue;
            }
            if self.session.poll_timeout().is_none() {
                return self.is_synced();
            }
            self.session.handle_timeout();
        }
        panic!("it never comes to rest: {:?}", self.session);
    }

    fn is_synced(&self) -> Result<()> {
        assert!(self.awaited.is_none(), "never answered: {:?}", self.session);
        let stopped = !self.session.is_synced();
        assert!(!stopped || self.closed, "never paired again: {:?}", self.session);
        assert!(!self.pbx.closed || self.closed, "the end was not told");
        Ok(())
    }
}

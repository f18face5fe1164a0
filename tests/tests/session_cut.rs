//! What lies in the kernel still when a session looks at what it has: the reader's own buffer, or the network, may
//! cut where somebody who shapes a value wants it.
#![allow(clippy::unwrap_used, reason = "a test may")]

use agi_proto::commands::{DatabaseGet, GetVariable, Noop};
use agi_proto::{BString, Command, Error, Event, Filled, ProtocolError, Session};
use agi_tests::pair::{ENVIRONMENT, NONCE};

type Result<T> = std::result::Result<T, Error<std::io::Error>>;

/// A script over a kernel's buffer, and a PBX that has written some answers to it already and echoes barriers.
struct Script {
    session: Session,
    kernel: Vec<u8>,
    /// What the next commands are answered.
    answers: Vec<String>,
    /// The most bytes that come in one read, as TCP would cut them.
    piece: usize,
    /// It reads into space of its own, which this is the size of.
    /// How many bytes one read has space for.
    space: usize,
    barriers: usize,
}

impl Script {
    fn start(block: &str) -> Self {
        let session = Session::new(NONCE);
        let kernel = block.as_bytes().to_vec();
        Self { session, kernel, answers: Vec::new(), piece: usize::MAX, space: 2048, barriers: 0 }
    }

    fn begun() -> Self {
        let block: String = ENVIRONMENT.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let mut script = Self::start(&(block + "\n"));
        script.open().unwrap();
        script
    }

    fn open(&mut self) -> Result<()> {
        loop {
            if let Some(Event::Environment(_)) = self.session.poll_event()? {
                return Ok(());
            }
            self.turn();
        }
    }

    fn call<C: Command>(&mut self, command: C, answer: &str) -> Result<C::Reply> {
        self.answers.push(answer.into());
        let pending = self.session.send(&command).map_err(|error| self.session.send_error(error))?;
        loop {
            match self.session.poll_event()? {
                Some(Event::Response(response)) => return Ok(pending.decode(response)?),
                Some(Event::Closed) => return Err(self.session.close_error()),
                Some(_) => continue,
                None => self.turn(),
            }
        }
    }

    /// Writes, then reads once as much as fits.
    fn turn(&mut self) {
        while let Some(line) = self.session.poll_transmit() {
            match line.strip_prefix(b"GET FULL VARIABLE \"agi-sync-").and_then(|t| t.strip_suffix(b"\"\n")) {
                Some(token) => {
                    self.barriers += 1;
                    self.kernel.extend([b"200 result=1 (agi-sync-", token, b")\n"].concat());
                }
                None => self.kernel.extend(self.answers.remove(0).into_bytes()),
            }
            let written = line.len();
            self.session.transmitted(written);
        }
        let most = self.piece.min(self.kernel.len());
        assert_ne!(most, 0, "the script waits for nothing");
        let read = most.min(self.space);
        self.session.handle_input(&self.kernel[..read], Filled::when(read == self.space));
        self.kernel.drain(..read);
    }
}

const FORGED: &str = "200 result=1 (forged)";

/// A value that looks whole after so many bytes of its response, and then goes on.
fn value_cut_at(at: usize) -> (String, String) {
    let line = "A".repeat(at - "200 result=1 ()\n".len()) + ")\n" + FORGED;
    (format!("200 result=1 ({line})\n"), line)
}

#[test]
fn a_value_cut_where_it_seems_to_end_is_still_one_value() {
    // the buffer holds 512 bytes; TCP cuts at 536 or later
    for (at, piece) in [(512, usize::MAX), (1024, usize::MAX), (536, 536), (600, 600), (1448, 1448)] {
        let mut script = Script::begun();
        script.piece = piece;
        let (answer, value) = value_cut_at(at);
        let got = script.call(DatabaseGet::new("f", "k"), &answer).unwrap();
        assert_eq!(got, Some(BString::from(value)), "{at}");
        assert_eq!(script.barriers, 1);
        let next = script.call(GetVariable::new("IS_ADMIN"), "200 result=0\n").unwrap();
        assert_eq!(next, None, "{at}: the value answers another command");
    }
}

#[test]
fn a_value_cut_where_it_seems_to_end_is_dropped_whole() {
    let mut script = Script::begun();
    let (answer, _) = value_cut_at(512);
    let _pending = script.session.send(&DatabaseGet::new("f", "k")).unwrap();
    script.answers.push(answer);
    script.turn();
    script.session.abandon();
    assert_eq!(script.call(GetVariable::new("IS_ADMIN"), "200 result=0\n").unwrap(), None);
}

#[test]
fn a_hangup_before_the_value_does_not_hide_that_it_is_cut() {
    let mut script = Script::begun();
    script.kernel.extend(b"HANGUP\n");
    let (answer, value) = value_cut_at(512 - "HANGUP\n".len());
    let got = script.call(GetVariable::new("X"), &answer).unwrap();
    assert_eq!(got, Some(BString::from(value)));
    assert_eq!(script.call(GetVariable::new("IS_ADMIN"), "200 result=0\n").unwrap(), None);
}

#[test]
fn a_short_value_costs_one_round_trip() {
    let mut script = Script::begun();
    for length in [0, 1, 400, 495] {
        let value = "v".repeat(length);
        let answer = format!("200 result=1 ({value})\n");
        assert_eq!(script.call(GetVariable::new("X"), &answer).unwrap(), Some(value.into()));
        script.call(Noop::new(), "200 result=0\n").unwrap();
    }
    assert_eq!(script.barriers, 0);
}

/// An environment with a caller id of one's own, which goes on behind it as Asterisk writes it.
fn environment(caller_id: &str) -> String {
    let value = |name, value| match name {
        "agi_callerid" => caller_id.to_string(),
        _ => String::from(value),
    };
    ENVIRONMENT.iter().map(|&(name, text)| format!("{name}: {}\n", value(name, text))).collect::<String>()
        + "\n"
}

#[test]
fn what_stands_behind_a_forged_end_of_the_block_answers_nothing() {
    let rest: String =
        ENVIRONMENT[9..].iter().map(|(name, value)| format!("\n{name}: {value}")).collect::<String>()
            + "\n\n";
    let length = environment("").find("agi_calleridname").unwrap() - 1 + rest.len();
    for (end, space) in [(2047, 2048), (2048, 2048), (2049, 2048), (1023, 1024), (1024, 1024)] {
        let caller_id = "1".repeat(end - length) + &rest + FORGED;
        let mut script = Script::start(&environment(&caller_id));
        script.space = space;
        script.open().unwrap();
        let error = script.call(GetVariable::new("IS_ADMIN"), "200 result=0\n").unwrap_err();
        let Error::Protocol(ProtocolError::Unsolicited(line)) = error else { panic!("{end}: {error}") };
        assert!(line.starts_with(FORGED.as_bytes()) || FORGED.as_bytes().starts_with(&line), "{end}: {line}");
    }
}

#[test]
fn a_long_honest_environment_is_an_environment() {
    let length = environment("").len();
    for end in [2047, 2048, 2049, 4096] {
        let mut script = Script::start(&environment(&"1".repeat(end - length)));
        script.open().unwrap();
        script.call(Noop::new(), "200 result=0\n").unwrap();
        assert!(script.session.is_synced());
    }
}

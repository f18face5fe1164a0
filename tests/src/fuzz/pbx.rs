//! A model of Asterisk that is small and exact where it matters: how it reads, what a new command stops,
//! and what it writes when.
//!
//! ```text
//!   wire --> kernel --fgets--> stdio buffer --> the command that runs --> segments --> script
//!              ^ poll(2) looks here only
//! ```
//!
//! Asterisk waits with poll(2) and reads with fgets(3). What one read brought along behind a line lies in
//! the stdio buffer, unseen until the kernel has something more. A command that stops when another comes
//! looks at the kernel's buffer, too.

use std::collections::{BTreeMap, VecDeque};

use agi_proto::arguments;
use arbitrary::{Result, Unstructured};

/// What stdio reads at once.
const STDIO: usize = 4096;
const DEAD: &str = "511 Command Not Permitted on a dead channel or intercept routine";

/// One write of Asterisk's.
pub(super) struct Segment {
    pub(super) bytes: Vec<u8>,
    /// It arrives in one piece: a value whose first line looks like a whole response.
    pub(super) atomic: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WhenStopped {
    Silent,
    Answers(&'static str),
    RunsOn,
}

struct Running {
    id: u32,
    name: String,
    when_stopped: WhenStopped,
}

/// How this Asterisk was told to behave (`AGISIGHUP`, `AGIEXITONHANGUP`, EAGI), and what it has done.
pub(super) struct Pbx {
    announces: bool,
    exits_on_hangup: bool,
    enhanced: bool,
    kernel: VecDeque<u8>,
    script_closed: bool,
    stdio: VecDeque<u8>,
    /// fgets has begun a line whose end has not come.
    in_fgets: bool,
    running: Option<Running>,
    pub(super) dead: bool,
    pub(super) closed: bool,
    pub(super) segments: VecDeque<Segment>,
    /// What each command was answered, by its number.
    pub(super) answers: BTreeMap<u32, Vec<u8>>,
}

impl Pbx {
    pub(super) fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self {
            announces: u.arbitrary()?,
            exits_on_hangup: u.ratio(1, 4)?,
            enhanced: u.ratio(1, 4)?,
            kernel: VecDeque::new(),
            script_closed: false,
            stdio: VecDeque::new(),
            in_fgets: false,
            running: None,
            dead: false,
            closed: false,
            segments: VecDeque::new(),
            answers: BTreeMap::new(),
        })
    }

    pub(super) fn is_enhanced(&self) -> bool {
        self.enhanced
    }

    /// Bytes of the script's arrive.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        if !self.closed {
            self.kernel.extend(bytes);
        }
    }

    pub(super) fn receive_end(&mut self) {
        self.script_closed = true;
    }

    /// Whether nothing of the script's is unread, and nothing runs.
    pub(super) fn is_idle(&self) -> bool {
        self.kernel.is_empty() && self.stdio.is_empty() && self.running.is_none()
    }

    pub(super) fn hang_up(&mut self) {
        if self.dead || self.closed {
            return;
        }
        self.dead = true;
        if let Some(Running { id, name, .. }) = self.running.take() {
            match name.as_str() {
                "GOSUB" => self.answer(id, b"200 result=0 Gosub complete (abnormal exit)".to_vec()),
                _ => self.answer(id, format!("200 result=-1 endpos={id}").into_bytes()),
            }
        }
        self.announce();
        if self.exits_on_hangup {
            self.close();
        }
    }

    fn announce(&mut self) {
        if self.announces {
            self.write(b"HANGUP\n".to_vec());
        }
    }

    fn close(&mut self) {
        self.announce();
        self.closed = true;
        self.kernel.clear();
        self.stdio.clear();
    }

    /// The command that runs comes to its end. Gives whether there was one.
    pub(super) fn complete(&mut self, u: &mut Unstructured<'_>) -> Result<bool> {
        let Some(running) = self.running.take() else { return Ok(false) };
        self.end(running, u)?;
        Ok(true)
    }

    /// One turn of Asterisk's loop. Gives whether anything happened.
    pub(super) fn step(&mut self, u: &mut Unstructured<'_>) -> Result<bool> {
        let readable = !self.kernel.is_empty() || self.script_closed;
        if self.closed || !readable && !self.in_fgets {
            return Ok(false);
        }
        if let Some(running) = &self.running {
            match running.when_stopped {
                WhenStopped::RunsOn => return Ok(false),
                WhenStopped::Silent => self.running = None,
                WhenStopped::Answers(answer) => {
                    let id = running.id;
                    self.running = None;
                    self.answer(id, answer.as_bytes().to_vec());
                }
            }
            return Ok(true);
        }
        let Some(line) = self.fgets() else {
            if self.script_closed && self.kernel.is_empty() && self.stdio.is_empty() {
                self.close();
                return Ok(true);
            }
            return Ok(false);
        };
        self.invoke(&line, u)?;
        Ok(true)
    }

    fn fgets(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.stdio.iter().position(|&byte| byte == b'\n') {
                self.in_fgets = false;
                let line: Vec<u8> = self.stdio.drain(..=at).collect();
                return Some(line[..at].to_vec());
            }
            if self.kernel.is_empty() {
                self.in_fgets = !self.stdio.is_empty();
                return None;
            }
            let n = self.kernel.len().min(STDIO);
            self.stdio.extend(self.kernel.drain(..n));
        }
    }

    fn invoke(&mut self, line: &[u8], u: &mut Unstructured<'_>) -> Result<()> {
        let words: Vec<String> = arguments::split(line).iter().map(ToString::to_string).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["GET", "FULL", "VARIABLE", token] = words[..] {
            if token.starts_with("agi-sync-") {
                self.write(format!("200 result=1 ({token})\n").into_bytes());
                return Ok(());
            }
        }
        if words[..] == ["GET", "VARIABLE", "CHANNEL(checkhangup)"] {
            self.write(format!("200 result=1 ({})\n", u8::from(self.dead)).into_bytes());
            return Ok(());
        }
        if words[..] == ["CHANNEL", "STATUS"] {
            let status = if self.dead { DEAD } else { "200 result=6" };
            self.write([status.as_bytes(), b"\n"].concat());
            return Ok(());
        }
        let (id, name) = words.split_last().expect("a command has words");
        let name = name.join(" ");
        let id: u32 = id.parse().unwrap_or_else(|_| panic!("a command came mangled: {words:?}"));
        let (on_dead_channel, when_stopped) = match name.as_str() {
            "NOOP" | "GET VARIABLE" | "GET FULL VARIABLE" | "EXEC" => (true, WhenStopped::RunsOn),
            "STREAM FILE" | "GET DATA" => (false, WhenStopped::Silent),
            "WAIT FOR DIGIT" => (false, WhenStopped::Answers("200 result=1")),
            "GET OPTION" => (false, WhenStopped::Answers("200 result=0")),
            "SAY ALPHA" if self.enhanced => (false, WhenStopped::Silent),
            "SAY ALPHA" | "CONTROL STREAM FILE" | "GOSUB" | "RECEIVE TEXT" | "SPEECH RECOGNIZE" => {
                (false, WhenStopped::RunsOn)
            }
            _ => panic!("a command came mangled: {words:?}"),
        };
        let running = Running { id, name, when_stopped };
        if self.dead && !on_dead_channel {
            self.answer(id, DEAD.as_bytes().to_vec());
            return Ok(());
        }
        match u.int_in_range(0..=15)? {
            0 => self.answer(id, b"510 Invalid or unknown command".to_vec()),
            1 => self.usage(id, u)?,
            2..=7 if !self.dead => {
                if running.name == "GOSUB" {
                    self.write(b"100 result=0 Trying...\n".to_vec());
                }
                self.running = Some(running);
            }
            _ => self.end(running, u)?,
        }
        Ok(())
    }

    fn end(&mut self, running: Running, u: &mut Unstructured<'_>) -> Result<()> {
        let Running { id, name, .. } = running;
        match (name.as_str(), u.int_in_range(0..=7)?) {
            ("GET VARIABLE" | "GET FULL VARIABLE" | "RECEIVE TEXT", kind) => {
                let value = value(id, kind, u)?;
                self.answer(id, [b"200 result=1 (", &value[..], b")"].concat());
            }
            ("SPEECH RECOGNIZE", kind) if kind > 2 => {
                let mut text = value(id, kind, u)?;
                text.truncate(1000); // a list of 4,095 bytes is cut
                let begin = b"200 result=1 (speech) endpos=0 results=1 score0=1 text0=\"";
                self.answer(id, [&begin[..], &text, b"\" grammar0=g"].concat());
            }
            ("EXEC", 0..=2) => {
                self.answer(id, b"200 result=1".to_vec());
                self.write_usage(u)?;
            }
            ("GOSUB", 0) => self.answer(id, format!("503 result=-2 no memory {id}").into_bytes()),
            (_, 1..=2) => self.answer(id, format!("200 result=-1 endpos={id}").into_bytes()),
            _ => self.answer(id, format!("200 result=0 endpos={id}").into_bytes()),
        }
        Ok(())
    }

    fn usage(&mut self, id: u32, u: &mut Unstructured<'_>) -> Result<()> {
        let block = self.write_usage(u)?;
        self.answers.insert(id, block);
        Ok(())
    }

    /// As Asterisk does, in three writes.
    fn write_usage(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let lines: &[&str] = match u.int_in_range(0..=2)? {
            0 => &["520 Invalid command syntax.  Proper usage not available.\n"],
            1 => &[
                "520-Invalid command syntax.  Proper usage follows:\n",
                "gl",
                "ued520 End of proper usage.\n",
            ],
            _ => &[
                "520-Invalid command syntax.  Proper usage follows:\n",
                "Usage: so\n\n  or (so)\n",
                "520 End of proper usage.\n",
            ],
        };
        lines.iter().for_each(|line| self.write(line.as_bytes().to_vec()));
        let block = lines.concat();
        Ok(block.trim_end_matches('\n').as_bytes().to_vec())
    }

    fn answer(&mut self, id: u32, answer: Vec<u8>) {
        let mut lines = answer.split(|&byte| byte == b'\n');
        let first = lines.next().unwrap_or_default();
        let first = first.strip_suffix(b"\r").unwrap_or(first);
        let atomic = lines.next().is_some() && first.ends_with(b")");
        self.segments.push_back(Segment { bytes: [&answer[..], b"\n"].concat(), atomic });
        let before = self.answers.insert(id, answer);
        assert!(before.is_none(), "command {id} was answered twice");
    }

    fn write(&mut self, bytes: Vec<u8>) {
        self.segments.push_back(Segment { bytes, atomic: false });
    }
}

/// What a stranger may make a variable hold.
fn value(id: u32, kind: u8, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const LINES: [&str; 12] = [
        "200 result=1 (forged)",
        "200 result=0",
        "200 result=-1",
        "HANGUP",
        "HANGUP)",
        ")",
        "520-forged",
        "520 End of proper usage.",
        "100 result=0 Trying...",
        "200 result=1 (agi-sync-0000000000005eec-1)",
        "511 forged",
        "\r",
    ];
    let mut value = format!("value {id}").into_bytes();
    if kind < 4 {
        return Ok(value);
    }
    if kind == 4 && u.ratio(1, 4)? {
        value.push(b')'); // its first line then looks like the whole response
    }
    for _ in 0..u.int_in_range(1..=4)? {
        let line = if u.ratio(1, 8)? { u.arbitrary()? } else { u.choose(&LINES)?.as_bytes() };
        value.extend_from_slice(&[b"\n", line].concat());
    }
    Ok(value)
}

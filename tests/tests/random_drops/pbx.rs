//! A model of how Asterisk reads and answers commands.
//!
//! It waits for its socket with poll(2), then reads one line with `fgets`: what came in the same read stays in
//! stdio's buffer, unseen until the socket has more. A command that stops when another comes looks at the
//! socket alone, too.

use std::time::Duration;

use agi_tests::pair::ENVIRONMENT;
use fastrand::Rng;

/// The PBX's side of a conversation, without any I/O. Times count from its begin.
pub struct Pbx {
    /// What came and was not read.
    socket: Vec<u8>,
    /// What was read and not run.
    stdio: Vec<u8>,
    /// Whether `fgets` waits for the rest of a line.
    in_line: bool,
    eof: bool,
    dead: bool,
    /// It does something else until then.
    busy: Duration,
    running: Option<Running>,
    out: Vec<u8>,
    pub random: Rng,
    /// The longest that a command runs.
    longest: Duration,
    stalled: bool,
    pub unseen: u64,
}

struct Running {
    until: Duration,
    reply: String,
    on_input: OnInput,
}

#[derive(Clone, Copy)]
enum OnInput {
    RunsOn,
    /// It ends, and is not answered.
    Silent,
    /// It ends, and this is its answer.
    Answers,
}

/// What a value looks like: a line of it like another's answer, one like its own end, one like a hangup.
pub fn odd_value(name: &str) -> String {
    format!("value of {name}\n200 result=1 (value of V1)\nHANGUP\n200 result=0)\nend")
}

impl Pbx {
    pub fn new(seed: u64, longest: Duration) -> Self {
        let mut out = String::new();
        for (name, value) in ENVIRONMENT {
            out.push_str(&format!("{name}: {value}\n"));
        }
        Self {
            socket: Vec::new(),
            stdio: Vec::new(),
            in_line: false,
            eof: false,
            dead: false,
            busy: Duration::ZERO,
            running: None,
            out: (out + "\n").into_bytes(),
            random: Rng::with_seed(seed),
            longest,
            stalled: false,
            unseen: 0,
        }
    }

    /// Bytes came; none is the end.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.socket.extend_from_slice(bytes);
        self.eof |= bytes.is_empty();
    }

    /// The channel is hung up.
    pub fn hang_up(&mut self) {
        if !self.dead {
            self.dead = true;
            self.say("HANGUP");
        }
    }

    /// Bytes to send, in one piece of a random length.
    pub fn send(&mut self) -> Option<Vec<u8>> {
        let length = self.out.len();
        if length == 0 {
            return None;
        }
        let piece = match self.random.u8(..4) {
            0 => length,
            1 => 1,
            _ => self.random.usize(1..=length),
        };
        Some(self.out.drain(..piece).collect())
    }

    /// Whether it has closed.
    pub fn is_over(&self) -> bool {
        self.eof && self.running.is_none() && self.stdio.is_empty() && self.socket.is_empty()
    }

    /// Does what is to be done; gives the time when there is more to do.
    pub fn run(&mut self, now: Duration) -> Option<Duration> {
        loop {
            if let Some(running) = &self.running {
                let over = now >= running.until;
                match running.on_input {
                    OnInput::Silent if !over && !self.socket.is_empty() => {}
                    OnInput::Answers if !over && !self.socket.is_empty() => self.say("200 result=1"),
                    _ if over => {
                        let reply = running.reply.clone();
                        self.say(&reply);
                    }
                    _ => return Some(running.until),
                }
                self.running = None;
                continue;
            }
            if now < self.busy {
                return Some(self.busy);
            }
            if self.socket.is_empty() && !self.eof {
                if self.stdio.contains(&b'\n') && !std::mem::replace(&mut self.stalled, true) {
                    self.unseen += 1;
                }
                return None;
            }
            let line = self.gets()?;
            self.stalled = false;
            self.execute(&line, now);
            if self.random.u8(..3) == 0 {
                // meanwhile more than one line may come
                self.busy = now + self.while_();
            }
        }
    }

    fn while_(&mut self) -> Duration {
        self.longest.mul_f64(self.random.f64())
    }

    fn gets(&mut self) -> Option<String> {
        if self.in_line || !self.stdio.contains(&b'\n') {
            self.stdio.append(&mut self.socket);
        }
        let end = self.stdio.iter().position(|&byte| byte == b'\n');
        self.in_line = end.is_none() && !self.eof;
        let line = match end {
            Some(end) => self.stdio.drain(..=end).collect(),
            None if self.eof => std::mem::take(&mut self.stdio),
            None => return None,
        };
        Some(String::from_utf8(line).unwrap().trim_end().into())
    }

    fn say(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.push(b'\n');
    }

    fn execute(&mut self, line: &str, now: Duration) {
        let (name, rest) = line.split_once(" \"").unwrap_or((line, ""));
        let argument = rest.split('"').next().unwrap_or_default();
        let live = ["STREAM FILE", "GET DATA", "WAIT FOR DIGIT", "SAY NUMBER", "GOSUB", "CHANNEL STATUS"];
        if self.dead && live.iter().any(|live| name.starts_with(live)) {
            self.say("511 Command Not Permitted on a dead channel or intercept routine");
            return;
        }
        let samples = self.random.u32(..100_000);
        let (reply, on_input) = match name {
            "" => return,
            "NOOP" => return self.say("200 result=0"),
            "CHANNEL STATUS" => return self.say("200 result=6"),
            "GET VARIABLE CHANNEL(checkhangup)" => {
                return self.say(&format!("200 result=1 ({})", u8::from(self.dead)));
            }
            "GET FULL VARIABLE" => return self.say(&format!("200 result=1 ({argument})")),
            "GET VARIABLE" if argument.starts_with("ODD") => {
                return self.say(&format!("200 result=1 ({})", odd_value(argument)));
            }
            "GET VARIABLE" => return self.say(&format!("200 result=1 (value of {argument})")),
            "STREAM FILE" if argument == "missing" => return self.say("200 result=-1 endpos=0"),
            "STREAM FILE" => (format!("200 result=0 endpos={samples}"), OnInput::Silent),
            "GET DATA" => (format!("200 result={samples}"), OnInput::Silent),
            "EXEC" if argument == "One" => {
                let usage = "520-Invalid command syntax.  Proper usage follows:\nexecutes\n\n\
                             520 End of proper usage.";
                (format!("200 result=1\n{usage}"), OnInput::RunsOn)
            }
            "EXEC" => ("200 result=0".into(), OnInput::RunsOn),
            "GOSUB" => {
                self.say("100 result=0 Trying...");
                ("200 result=0 Gosub complete".into(), OnInput::RunsOn)
            }
            name if name.starts_with("WAIT FOR DIGIT") => ("200 result=53".into(), OnInput::Answers),
            name if name.starts_with("SAY NUMBER") => ("200 result=0".into(), OnInput::RunsOn),
            _ => panic!("a line that was never sent: {line:?}"),
        };
        let until = now + self.while_();
        self.running = Some(Running { until, reply, on_input });
    }
}

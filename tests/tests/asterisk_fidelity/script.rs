//! A service that does nothing but send lines: the same one is called by both.
//!
//! ```text
//! script  = *( "@" setting LF ) *( line [ " <- " act ] LF )
//! setting = "far " ( "tone" / "wait" / "silence" ) / "h" / NAME "=" VALUE
//! act     = "press " keys / "text " text / "hang up" / "interrupted" / "replies " number
//! ```
//!
//! An act happens while the line's command runs. `idle` stands for no command at all, `\n` for a line end in a
//! line, and `{n}` for n times an x.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Longer than any answer takes.
const STUCK: Duration = Duration::from_secs(40);
/// What the service sends while another command runs, and the answer that is surely its own.
const NEXT: &str = "GET FULL VARIABLE \"next\"";
const NEXT_ANSWER: &str = "200 result=1 (next)\n";

pub struct Script {
    pub name: &'static str,
    pub settings: Vec<(String, String)>,
    pub far: String,
    /// It runs in the extension `h`: the channel is dead.
    pub in_h: bool,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub line: String,
    pub act: Act,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    Nothing,
    Press(String),
    Text(String),
    HangUp,
    /// The service sends another command.
    Interrupted,
    /// So many answers come.
    Replies(usize),
}

impl Script {
    pub fn parse(name: &'static str, text: &str) -> Self {
        let mut script =
            Self { name, settings: Vec::new(), far: "tone".into(), in_h: false, steps: Vec::new() };
        for line in text.lines().filter(|line| !line.is_empty()) {
            match line.strip_prefix('@') {
                Some("h") => script.in_h = true,
                Some(setting) => match (setting.strip_prefix("far "), setting.split_once('=')) {
                    (Some(far), _) => script.far = far.into(),
                    (None, Some((name, value))) => script.settings.push((name.into(), value.into())),
                    (None, None) => panic!("{name}: {line}"),
                },
                None => script.steps.push(Step::parse(line)),
            }
        }
        script
    }

    /// Whether Asterisk says nothing about a hangup and goes on.
    fn is_silent(&self) -> bool {
        let is = |name: &str, values: &[&str]| {
            self.settings.iter().any(|(setting, value)| setting == name && values.contains(&value.as_str()))
        };
        is("AGISIGHUP", &["no", "0"]) && !is("AGIEXITONHANGUP", &["yes"])
    }
}

impl Step {
    /// Whether something happens while its command runs.
    pub fn acts(&self) -> bool {
        !matches!(self.act, Act::Nothing | Act::Replies(_))
    }

    fn parse(line: &str) -> Self {
        let (line, act) = line.split_once(" <- ").unwrap_or((line, ""));
        let act = match (act, act.split_once(' ')) {
            ("", _) => Act::Nothing,
            ("hang up", _) => Act::HangUp,
            ("interrupted", _) => Act::Interrupted,
            (_, Some(("press", keys))) => Act::Press(keys.into()),
            (_, Some(("text", text))) => Act::Text(text.into()),
            (_, Some(("replies", number))) => Act::Replies(number.parse().unwrap()),
            _ => panic!("{line} <- {act}"),
        };
        let mut line = line.replace("\\n", "\n");
        if let Some((begin, rest)) = line.split_once('{') {
            if let Some((number, end)) =
                rest.split_once('}').filter(|(number, _)| number.parse::<usize>().is_ok())
            {
                line = format!("{begin}{}{end}", "x".repeat(number.parse().unwrap()));
            }
        }
        Self { line: if line == "idle" { String::new() } else { line }, act }
    }
}

/// What a conversation was: its environment, each step's answer, and the end.
pub struct Conversation {
    pub environment: String,
    pub answers: Vec<String>,
    pub end: String,
}

/// Takes one call and has it. The caller's side tells when it has hung up, and when a command runs that is to be
/// interrupted.
pub fn serve(listener: &TcpListener, script: &Script, acted: &Receiver<()>) -> Conversation {
    if script.in_h {
        // the call before its end
        let mut wire = Wire::accept(listener);
        wire.environment();
        wire.end();
    }
    let mut wire = Wire::accept(listener);
    let environment = wire.environment();
    let mut answers = Vec::new();
    for step in &script.steps {
        if !step.line.is_empty() {
            wire.write(&step.line);
        }
        let wait = || acted.recv_timeout(STUCK).unwrap_or_else(|error| panic!("{step:?}: {error}"));
        let mut answer = String::new();
        match &step.act {
            Act::Interrupted => {
                wait();
                wire.write(NEXT);
                while !answer.ends_with(NEXT_ANSWER) && wire.message(&mut answer) {}
            }
            Act::HangUp => {
                if !step.line.is_empty() {
                    wire.message(&mut answer);
                }
                wait();
                if script.is_silent() {
                    wire.wait_until_dead();
                }
                // what is said of it belongs to this step
                while !script.is_silent() && !answer.contains("HANGUP\n") && wire.line(&mut answer) {}
            }
            Act::Replies(number) => {
                let _ = (0..*number).all(|_| wire.message(&mut answer));
            }
            Act::Nothing | Act::Press(_) | Act::Text(_) => {
                wire.message(&mut answer);
            }
        }
        answers.push(answer);
    }
    Conversation { environment, answers, end: wire.end() }
}

struct Wire {
    reader: BufReader<TcpStream>,
}

impl Wire {
    fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(STUCK)).unwrap();
        Self { reader: BufReader::new(stream) }
    }

    fn write(&mut self, line: &str) {
        // who has closed does not answer, and that is seen
        let _ = self.reader.get_mut().write_all(format!("{line}\n").as_bytes());
    }

    fn environment(&mut self) -> String {
        let mut environment = String::new();
        while !environment.ends_with("\n\n") && self.line(&mut environment) {}
        environment
    }

    /// Reads a whole answer, and a HANGUP before it. `false`: there is none any more.
    fn message(&mut self, answer: &mut String) -> bool {
        let mut block = false;
        let mut value = false;
        loop {
            let from = answer.len();
            if !self.line(answer) {
                return false;
            }
            let line = &answer[from..];
            block |= line.starts_with("520-");
            value |= line.starts_with("200 result=1 (") && !line.contains(") endpos");
            let more = line == "HANGUP\n" && !value
                || line.starts_with("100 ")
                || block && !line.starts_with("520 End")
                || value && !line.ends_with(")\n");
            if !more {
                return true;
            }
        }
    }

    /// Where nobody tells that the call is hung up, it is asked for.
    fn wait_until_dead(&mut self) {
        let mut answer = String::new();
        while !answer.contains("511 ") {
            answer.clear();
            self.write("CHANNEL STATUS");
            assert!(self.message(&mut answer), "{answer}");
        }
    }

    /// Reads a line. `false`: it was the end.
    fn line(&mut self, answer: &mut String) -> bool {
        let mut line = Vec::new();
        match self.reader.read_until(b'\n', &mut line) {
            Ok(0) => answer.push_str("(closed)\n"),
            Ok(_) => {
                answer.extend(line.iter().map(|&byte| char::from(byte)));
                return true;
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => answer.push_str("(closed)\n"),
            Err(error) => answer.push_str(&format!("({:?})\n", error.kind())),
        }
        false
    }

    fn end(&mut self) -> String {
        // it may have closed before
        let _ = self.reader.get_mut().shutdown(Shutdown::Write);
        let mut rest = String::new();
        while self.line(&mut rest) {}
        rest
    }
}

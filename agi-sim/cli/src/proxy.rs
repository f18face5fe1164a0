//! `agi-sim proxy`: what an Asterisk and a service say to each other.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use agi_sim::Event;
use agi_sim::agi_proto::{BStr, BString, arguments};
use agi_sim::trace::Line;
use clap::Args;

use crate::at;

/// The pause after a connection that could not be accepted, usually for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Args)]
pub(crate) struct Options {
    /// Where to listen, for the Asterisk.
    listen: String,
    /// Where the service listens.
    upstream: String,
    /// A folder to save each conversation in, as a trace.
    #[arg(long)]
    save: Option<PathBuf>,
    /// End after so many calls.
    #[arg(long)]
    calls: Option<usize>,
}

pub(crate) fn run(options: &Options) -> io::Result<bool> {
    if let Some(folder) = &options.save {
        fs::create_dir_all(folder).map_err(at(folder.display()))?;
    }
    let listener = TcpListener::bind(&options.listen).map_err(at(&options.listen))?;
    say(format_args!("agi-sim proxy: {} -> {}, until Ctrl-C", listener.local_addr()?, options.upstream));
    say("call, time; A>S: Asterisk sends, S>A: the service sends; (a remark)");
    let (mut calls, mut failed) = (Vec::new(), false);
    for number in 1..=options.calls.unwrap_or(usize::MAX) {
        let asterisk = accept(&listener);
        let service = match TcpStream::connect(&options.upstream) {
            Ok(service) => service,
            Err(error) => {
                say(format_args!("{number:>5}  ***  the service cannot be reached: {error}"));
                continue;
            }
        };
        let file = match &options.save {
            Some(folder) => match create(folder, number) {
                Ok(file) => Some(file),
                Err(error) => {
                    failed = true;
                    say(format_args!(
                        "{number:>5}  ***  the call is not saved: {}: {error}",
                        folder.display()
                    ));
                    None
                }
            },
            None => None,
        };
        let call = Call { number, began: Instant::now(), file, asked: None, is_saved: true };
        let call = thread::spawn(move || join(asterisk, service, call));
        if options.calls.is_some() {
            calls.push(call);
        }
    }
    for call in calls {
        failed |= !matches!(call.join(), Ok(Ok(())));
    }
    Ok(!failed)
}

/// Shows a line. A closed output, as after `| head`, ends no call.
fn say(line: impl fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Waits for a connection. One that cannot be accepted is reported, and no call that runs is cut for it.
fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept() {
            Ok((stream, _)) => return stream,
            Err(error) => {
                eprintln!("agi-sim proxy: no connection can be accepted: {error}");
                thread::sleep(PAUSE);
            }
        }
    }
}

/// The next file of that number or a later one, so that no earlier trace is lost.
fn create(folder: &Path, number: usize) -> io::Result<File> {
    let mut number = number;
    loop {
        match File::create_new(folder.join(format!("call-{number}.trace"))) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            done => return done,
        }
    }
}

struct Call {
    number: usize,
    began: Instant,
    file: Option<File>,
    /// When the command was sent that has no answer yet.
    asked: Option<Instant>,
    /// No write of the trace has failed.
    is_saved: bool,
}

impl Call {
    fn show(&mut self, line: &Line) {
        let note = self.note(line);
        match line {
            Line::Sent(bytes) => self.print(bytes, Event::Command, note),
            Line::Received(bytes) => self.print(bytes, Event::Written, note),
            Line::Finish | Line::Eof => self.print_line(format_args!("***  {}", note.unwrap_or_default())),
        }
        if let Some(file) = &mut self.file {
            // a full disk must not end the call
            if let Err(error) = writeln!(file, "{line}") {
                self.file = None;
                self.print_line(format_args!("***  the rest of the call is not saved: {error}"));
                self.is_saved = false;
            }
        }
    }

    /// A segment line by line, with the note behind the last one.
    fn print(&self, bytes: &[u8], event: fn(BString) -> Event, note: Option<String>) {
        let mut parts = bytes.split_inclusive(|&byte| byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            let line = event(part.into());
            match note.as_ref().filter(|_| parts.peek().is_none()) {
                Some(note) => self.print_line(format_args!("{line}    ({note})")),
                None => self.print_line(line),
            }
        }
    }

    fn print_line(&self, line: impl fmt::Display) {
        say(format_args!("{:>5} {:>9.3}s  {line}", self.number, self.began.elapsed().as_secs_f64()));
    }

    /// What is worth a word.
    fn note(&mut self, line: &Line) -> Option<String> {
        match line {
            Line::Sent(bytes) => {
                let unanswered = self.asked.replace(Instant::now());
                let words = arguments::split(bytes.strip_suffix(b"\n").unwrap_or(bytes));
                if !bytes.ends_with(b"\n") {
                    return Some("no end of the line: Asterisk spins until it comes".into());
                }
                if bytes[..bytes.len() - 1].contains(&b'\n') {
                    return Some("two commands at once: Asterisk does not see the second".into());
                }
                let word = BStr::new(words.first()?);
                unanswered.map(|_| format!("{word:?} runs into a command without an answer"))
            }
            Line::Received(bytes) if bytes.starts_with(b"agi_") => Some("the environment".into()),
            Line::Received(bytes) if bytes == b"HANGUP\n" => {
                Some("hung up, or the end of the session".into())
            }
            Line::Received(bytes) if bytes.starts_with(b"100") => Some("the answer is still to come".into()),
            Line::Received(bytes) => {
                let took = self.asked.take()?.elapsed();
                let what = match bytes.get(..3)? {
                    b"510" => ", no such command",
                    b"511" => ", the channel is dead",
                    b"520" => ", wrong arguments",
                    _ => "",
                };
                Some(format!("{:.1} ms{what}", took.as_secs_f64() * 1000.0))
            }
            Line::Finish => Some("the service ends its side".into()),
            Line::Eof => Some("Asterisk ends its side".into()),
        }
    }
}

/// Passes bytes on in both directions, as they come.
fn join(asterisk: TcpStream, service: TcpStream, call: Call) -> io::Result<()> {
    asterisk.set_nodelay(true)?;
    service.set_nodelay(true)?;
    let call = Arc::new(Mutex::new(call));
    let (from, to, other) = (asterisk.try_clone()?, service.try_clone()?, call.clone());
    let down = thread::spawn(move || pass(from, to, &other, Line::Received, &Line::Eof));
    pass(service, asterisk, &call, Line::Sent, &Line::Finish);
    let _ = down.join();
    match call.lock().unwrap_or_else(PoisonError::into_inner).is_saved {
        true => Ok(()),
        false => Err(io::Error::other("the trace is not whole")),
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, call: &Mutex<Call>, line: fn(Vec<u8>) -> Line, end: &Line) {
    let show = |line: &Line| call.lock().unwrap_or_else(PoisonError::into_inner).show(line);
    let mut buf = [0; 16_384];
    while let Ok(read @ 1..) = from.read(&mut buf) {
        // shown first, so that an answer never stands before its command
        show(&line(buf[..read].to_vec()));
        if to.write_all(&buf[..read]).is_err() {
            break;
        }
    }
    show(end);
    let _ = to.shutdown(Shutdown::Write);
}

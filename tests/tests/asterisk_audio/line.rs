//! Plain sockets: a FastAGI service that says lines, and the connection that Asterisk opens for the audio.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use agi_proto::audiosocket::Uuid;
use agi_proto::{AudioEnd, AudioEvent, AudioOptions, AudioStream, Digit, SampleRate};
use agi_tests::asterisk::{Asterisk, Call, LiveCall, Version};
use socket2::SockRef;

/// How long a thing may take that should happen at once.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) const UUID: Uuid = Uuid::from_bytes(*b"0123456789abcdef");

/// A listener that does not wait forever.
pub(crate) fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    SockRef::from(&listener).set_read_timeout(Some(SOON)).unwrap();
    listener
}

/// Places a call that runs a script.
pub(crate) fn call(version: Version, settings: impl FnOnce(Call) -> Call) -> (LiveCall, Script) {
    let listener = listen();
    let call = Call::to(format!("agi://{}/audio", listener.local_addr().unwrap()));
    let live = Asterisk::shared(version).call(&settings(call));
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let mut script = Script { stream: BufReader::new(stream), is_hung_up: false };
    while script.line() != "" {} // the environment
    (live, script)
}

/// The script's side of a call, which says each line as it is.
pub(crate) struct Script {
    stream: BufReader<TcpStream>,
    pub(crate) is_hung_up: bool,
}

impl Script {
    /// Sends a command and returns its reply.
    pub(crate) fn command(&mut self, line: &str) -> String {
        self.stream.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
        loop {
            match self.line() {
                hangup if hangup == "HANGUP" => self.is_hung_up = true,
                reply => return reply,
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.stream.read_line(&mut line).unwrap() > 0, "Asterisk closed");
        line.trim_end().into()
    }

    /// Whether the channel is up, by a command that a dead one refuses.
    pub(crate) fn is_up(&mut self) -> bool {
        self.command("GET OPTION \"silence/1\" \"\" 1").starts_with("200 ")
    }

    /// Runs AudioSocket, and returns the connection and what will be the reply.
    pub(crate) fn audio(mut self) -> (TcpStream, JoinHandle<(String, Self)>) {
        let listener = listen();
        let address = listener.local_addr().unwrap();
        let exec = thread::spawn(move || (self.command(&format!("EXEC AudioSocket {UUID},{address}")), self));
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        (stream, exec)
    }
}

/// Something that was heard, or happened.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Identified(Uuid),
    Samples(SampleRate, Vec<i16>),
    Digit(Digit),
    Drained,
    Ended(AudioEnd),
}

/// A stream over a socket, driven as an adapter on threads would.
pub(crate) struct Line {
    pub(crate) stream: AudioStream,
    socket: TcpStream,
    origin: Instant,
}

impl Line {
    pub(crate) fn new(socket: TcpStream) -> Self {
        let stream = AudioStream::new(Duration::ZERO, AudioOptions::default());
        Self { stream, socket, origin: Instant::now() }
    }

    pub(crate) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    pub(crate) fn say(&mut self, samples: &[i16]) {
        let (now, rate) = (self.now(), self.stream.rate());
        assert_eq!(self.stream.send(now, rate, samples), Ok(samples.len()));
    }

    pub(crate) fn end(&mut self) {
        let now = self.now();
        self.stream.end(now);
    }

    /// Runs until something happens; `None` if nothing does until then.
    pub(crate) fn next(&mut self, until: Duration) -> Option<Seen> {
        let mut bytes = [0; 4096];
        loop {
            match self.stream.poll_event() {
                Some(AudioEvent::Identified(uuid)) => return Some(Seen::Identified(uuid)),
                Some(AudioEvent::Audio(frame)) => {
                    let rate = SampleRate::from_hertz(frame.sample_rate()).unwrap();
                    return Some(Seen::Samples(rate, frame.samples().to_vec()));
                }
                Some(AudioEvent::Digit(digit)) => return Some(Seen::Digit(digit)),
                Some(AudioEvent::Drained) => return Some(Seen::Drained),
                Some(AudioEvent::Ended(end)) => return Some(Seen::Ended(end)),
                Some(other) => panic!("an event that the tests do not know: {other:?}"),
                None => {}
            }
            let now = self.now();
            while let Some(message) = self.stream.poll_transmit(now) {
                let length = message.len();
                if self.socket.write_all(message).is_err() {
                    break; // what Asterisk said before comes first
                }
                self.stream.transmitted(length);
            }
            let now = self.now();
            if now >= until {
                return None;
            }
            let wait = self.stream.poll_timeout(now).unwrap_or(until).min(until - now);
            self.socket.set_read_timeout(Some(wait.max(Duration::from_micros(100)))).unwrap();
            match self.socket.read(&mut bytes) {
                Ok(0) => self.stream.handle_eof(),
                Ok(read) => {
                    let now = self.now();
                    self.stream.handle_input(now, &bytes[..read]);
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => self.stream.handle_eof(),
                Err(error) => panic!("the audio cannot be read: {error}"),
            }
            let now = self.now();
            self.stream.handle_timeout(now);
        }
    }

    /// What comes next within a minute.
    pub(crate) fn wait(&mut self) -> Seen {
        let until = self.now() + SOON;
        self.next(until).expect("something happens within a minute")
    }

    /// Waits for something, and drops what is heard meanwhile.
    pub(crate) fn wait_for(&mut self, wanted: &Seen) {
        loop {
            match self.wait() {
                Seen::Samples(..) => {}
                seen => {
                    assert_eq!(seen, *wanted);
                    return;
                }
            }
        }
    }

    /// Listens until there are so many samples.
    pub(crate) fn listen(&mut self, count: usize) -> Vec<i16> {
        let mut heard = vec![];
        while heard.len() < count {
            match self.wait() {
                Seen::Samples(rate, samples) => {
                    assert_eq!(rate, SampleRate::Hz8000);
                    heard.extend(samples);
                }
                Seen::Drained => {}
                other => panic!("{other:?} after {} samples", heard.len()),
            }
        }
        heard
    }
}

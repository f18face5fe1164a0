//! A client of the manager interface: actions go out, a thread collects what comes back.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long Asterisk may take to answer an action.
const ANSWER: Duration = Duration::from_secs(60);

/// An event of the manager interface, or its response to an action.
#[derive(Debug, Clone, Default)]
pub struct Event {
    headers: Vec<(String, String)>,
}

impl Event {
    /// The value of the first header of that name, empty when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The values of all headers of that name.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Whether this is the event of that name, such as `Hangup`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.get("Event") == name
    }

    /// Whether a channel with this unique id is the one the event is about.
    #[must_use]
    pub fn concerns(&self, unique_id: &str) -> bool {
        self.get("Uniqueid") == unique_id
    }
}

#[derive(Default)]
struct Inbox {
    events: Vec<Event>,
    responses: HashMap<String, Event>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    news: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` finds something in the inbox.
    fn until<T>(&self, timeout: Duration, mut look: impl FnMut(&mut Inbox) -> Option<T>) -> io::Result<T> {
        let deadline = Instant::now() + timeout;
        let mut inbox = self.lock();
        loop {
            if let Some(found) = look(&mut inbox) {
                return Ok(found);
            }
            if inbox.closed {
                return Err(io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    "Asterisk closed the manager session",
                ));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            inbox = self.news.wait_timeout(inbox, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn read(&self, stream: TcpStream) {
        let mut event = Event::default();
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned();
            if line.is_empty() {
                self.file(std::mem::take(&mut event));
            } else if let Some((key, value)) = line.split_once(':') {
                event.headers.push((key.into(), value.strip_prefix(' ').unwrap_or(value).into()));
            }
        }
        self.lock().closed = true;
        self.news.notify_all();
    }

    fn file(&self, event: Event) {
        let mut inbox = self.lock();
        if event.get("Response").is_empty() {
            inbox.events.push(event);
        } else {
            inbox.responses.insert(event.get("ActionID").into(), event);
        }
        drop(inbox);
        self.news.notify_all();
    }
}

/// A manager session. Clones share it.
#[derive(Clone)]
pub(super) struct Ami {
    shared: Arc<Shared>,
    stream: Arc<Mutex<TcpStream>>,
    last_id: Arc<AtomicU64>,
}

impl Ami {
    /// Connects and logs in.
    pub(super) fn connect(address: SocketAddr, secret: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let shared = Arc::<Shared>::default();
        let (reader, input) = (Arc::clone(&shared), stream.try_clone()?);
        std::thread::Builder::new().name("ami".into()).spawn(move || reader.read(input))?;
        let ami = Self { shared, stream: Arc::new(Mutex::new(stream)), last_id: Arc::default() };
        ami.action("Login", &[("Username", "test"), ("Secret", secret)])?;
        Ok(ami)
    }

    /// Sends an action and waits for its response; one that is no success is an error.
    pub(super) fn action(&self, name: &str, headers: &[(&str, &str)]) -> io::Result<Event> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed).to_string();
        let mut text = format!("Action: {name}\r\nActionID: {id}\r\n");
        for (key, value) in headers {
            if value.contains(['\r', '\n']) || key.len() + value.len() > 1000 {
                let message = format!("{key} of {name} does not fit into a line: {value:?}");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            text.push_str(&format!("{key}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes())?;
        let response = self.shared.until(ANSWER, |inbox| inbox.responses.remove(&id))?;
        match response.get("Response") {
            "Error" => Err(io::Error::other(format!("{name}: {}", response.get("Message")))),
            _ => Ok(response),
        }
    }

    /// How many events came so far.
    pub(super) fn count(&self) -> usize {
        self.shared.lock().events.len()
    }

    /// The events since there were `from` of them.
    pub(super) fn since(&self, from: usize) -> Vec<Event> {
        self.shared.lock().events[from..].to_vec()
    }

    /// The first event, of those since there were `from`, that `wanted` accepts. It is shown each
    /// event once, in order.
    pub(super) fn wait(
        &self,
        from: usize,
        timeout: Duration,
        mut wanted: impl FnMut(&Event) -> bool,
    ) -> io::Result<Event> {
        let mut next = from;
        self.shared.until(timeout, |inbox| {
            while let Some(event) = inbox.events.get(next) {
                next += 1;
                if wanted(event) {
                    return Some(event.clone());
                }
            }
            None
        })
    }
}

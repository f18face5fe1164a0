//! Asterisk's side of Async AGI in memory: the manager interface, the queue of each channel and the pipe that cuts
//! replies. Services over [`Connection`]s share it; there is no socket, no thread, and time is a number.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use agi_ami::{CallId, Connection, ConnectionError, Credentials, Event, Options};
use agi_proto::Session;

/// The environment of a call without arguments.
pub const ENVIRONMENT: &str = "agi_request: async\nagi_channel: Local/wait@far-00000000;1\nagi_language: en\n\
    agi_type: Local\nagi_uniqueid: 1.1\nagi_version: 22.10.1\nagi_callerid: unknown\nagi_calleridname: unknown\n\
    agi_callingpres: 67\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: unknown\n\
    agi_rdnis: unknown\nagi_context: h\nagi_extension: plain\nagi_priority: 2\nagi_enhanced: 0.0\nagi_accountcode: \n\
    agi_threadid: 140554194187968\n";

/// Gives a script's session bytes of its stream, which were all that there was to read.
pub fn feed(session: &mut Session, bytes: &[u8]) {
    session.handle_input(bytes, agi_proto::Filled::No);
}

/// One service's connection and what it reported.
pub struct Service {
    /// The connection.
    pub connection: Connection,
    /// Its events, those that were not taken by [`Ami::events`] yet.
    pub events: Vec<Event>,
    /// Its error.
    pub error: Option<ConnectionError>,
    /// Whether anything reaches it and comes from it; a service that was killed is not up.
    pub is_up: bool,
    /// Its actions, as they were sent.
    pub actions: Vec<Action>,
}

/// An action as Asterisk reads it.
#[derive(Clone, Debug)]
pub struct Action(Vec<(String, Vec<u8>)>);

/// A channel.
#[derive(Default)]
pub struct Channel {
    /// What waits to be run: line and CommandID.
    pub queue: VecDeque<(Vec<u8>, Vec<u8>)>,
    /// The pipe of each session of `agi:async`, the innermost last.
    pub pipes: Vec<VecDeque<u8>>,
    /// What `Status` says that it runs.
    pub application: String,
}

/// Asterisk.
#[derive(Default)]
pub struct Ami {
    /// The services.
    pub services: Vec<Service>,
    /// The channels by Uniqueid.
    pub channels: BTreeMap<String, Channel>,
    /// The replies to commands; `200 result=0` to others.
    pub replies: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Error messages to actions by name; Success to others.
    pub refusals: BTreeMap<String, String>,
    /// Whether queues run at once, or by [`run`](Self::run) alone.
    pub is_held: bool,
    /// The time.
    pub now: Duration,
}

impl Action {
    /// Reads one action.
    pub fn read(text: &[u8]) -> Self {
        let text = text.strip_suffix(b"\r\n").expect("an action ends with an empty line");
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        Self(lines.map(Self::header).collect())
    }

    fn header(line: &[u8]) -> (String, Vec<u8>) {
        let line = line.strip_suffix(b"\r").expect("CR LF");
        assert!(
            line.len() <= 1_022 && !line.contains(&0) && !line.contains(&b'\r'),
            "{}",
            line.escape_ascii()
        );
        let colon = line.windows(2).position(|pair| pair == b": ").expect("a colon");
        (String::from_utf8(line[..colon].to_vec()).expect("a name"), line[colon + 2..].to_vec())
    }

    /// Returns the value of a header, or nothing.
    pub fn bytes(&self, name: &str) -> &[u8] {
        self.0.iter().find(|(key, _)| key == name).map_or(b"", |(_, value)| value)
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(self.bytes(name)).into_owned()
    }
}

impl Ami {
    /// Returns an Asterisk without calls, and one service that has logged in.
    pub fn with(options: Options) -> Self {
        let mut ami = Self::default();
        ami.join(options);
        ami
    }

    /// Adds a service, which logs in; returns its place.
    pub fn join(&mut self, options: Options) -> usize {
        let credentials = Credentials::new("agi", "secret").expect("valid");
        let nonce = self.services.len() as u64 + 1;
        let connection = Connection::new(credentials, options, nonce, self.now).expect("valid");
        self.services.push(Service { connection, events: vec![], error: None, is_up: true, actions: vec![] });
        self.services.last_mut().expect("one").read(b"Asterisk Call Manager/11.0.0\r\n", self.now);
        self.settle();
        let at = self.services.len() - 1;
        assert_eq!(self.services[at].events.remove(0), Event::Ready);
        at
    }

    /// A channel enters `agi:async` with this environment, to which the empty line is added.
    pub fn start(&mut self, uniqueid: &str, environment: &str) {
        let channel = self.channels.entry(uniqueid.into()).or_default();
        channel.application = "AGI".into();
        channel.pipes.push(format!("{environment}\n").into_bytes().into());
        let chunk = channel.chunk();
        self.tell("AsyncAGIStart", uniqueid, &[("Env", &chunk)]);
        self.settle();
    }

    /// The same with the plain environment; the first service is given it.
    pub fn call(&mut self, uniqueid: &str) -> CallId {
        self.start(uniqueid, ENVIRONMENT);
        match self.events(0).as_slice() {
            [Event::Started { call, .. }] => *call,
            other => panic!("not started: {other:?}"),
        }
    }

    /// Sends a line of a call of the first service.
    pub fn send(&mut self, call: CallId, line: &str) {
        self.services[0].connection.send(call, line.as_bytes(), self.now).expect("it can be sent");
        self.settle();
    }

    /// Runs the next command that is queued on a channel, as Asterisk does: it begins, ends, and its result follows.
    pub fn run(&mut self, uniqueid: &str) {
        self.begin(uniqueid);
        let (line, _) = self.front(uniqueid);
        let reply = self.replies.get(&line).cloned().unwrap_or_else(|| b"200 result=0\n".to_vec());
        self.complete(uniqueid, &reply, "200");
        if line == b"ASYNCAGI BREAK" {
            self.end(uniqueid);
        }
    }

    /// The next command begins.
    pub fn begin(&mut self, uniqueid: &str) {
        let (line, _) = self.front(uniqueid);
        self.tell("AGIExecStart", uniqueid, &[("CommandId", b"1492865295"), ("Command", &line)]);
    }

    /// The command that has begun ends with this reply.
    pub fn complete(&mut self, uniqueid: &str, reply: &[u8], code: &str) {
        let (line, id) = self.front(uniqueid);
        self.tell("AGIExecEnd", uniqueid, &[("Command", &line), ("ResultCode", code.as_bytes())]);
        let channel = self.channels.get_mut(uniqueid).expect("a channel");
        channel.queue.pop_front();
        channel.pipes.last_mut().expect("in agi:async").extend(reply);
        let chunk = channel.chunk();
        self.tell("AsyncAGIExec", uniqueid, &[("Result", &chunk), ("CommandId", &id)]);
        self.poll();
    }

    /// The innermost session ends.
    pub fn end(&mut self, uniqueid: &str) {
        self.channels.get_mut(uniqueid).expect("a channel").pipes.pop();
        self.tell("AsyncAGIEnd", uniqueid, &[]);
        self.settle();
    }

    /// The channel is no more.
    pub fn destroy(&mut self, uniqueid: &str) {
        self.channels.remove(uniqueid);
        self.tell("Hangup", uniqueid, &[("Cause", b"16")]);
        self.settle();
    }

    /// Sends an event to every service.
    pub fn tell(&mut self, event: &str, uniqueid: &str, headers: &[(&str, &[u8])]) {
        let mut text = format!(
            "Event: {event}\r\nPrivilege: agi,all\r\nChannel: Local/wait@far-00000000;1\r\nChannelState: 6\r\n\
             CallerIDName: a\\r\\n\\r\\nEvent: AsyncAGIEnd\r\nContext: h\r\nUniqueid: {uniqueid}\r\n"
        )
        .into_bytes();
        for (name, value) in headers {
            text.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        text.extend(b"\r\n");
        self.services.iter_mut().for_each(|service| service.read(&text, self.now));
    }

    /// Everything goes where it belongs until nothing moves.
    pub fn settle(&mut self) {
        loop {
            let actions = self.poll();
            let due: Vec<String> = self
                .channels
                .iter()
                .filter(|(_, channel)| channel.can_run())
                .map(|it| it.0.clone())
                .collect();
            let runs = !self.is_held && !due.is_empty();
            if !self.is_held {
                due.iter().for_each(|uniqueid| self.run(uniqueid));
            }
            if !runs && !actions {
                break;
            }
        }
    }

    /// Time passes: what is due in between is done.
    pub fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let services = self.services.iter().filter(|service| service.is_up);
            let due = services.filter_map(|service| service.connection.poll_timeout()).min();
            self.now = due.unwrap_or(end).clamp(self.now, end);
            let now = self.now;
            self.services.iter_mut().filter(|it| it.is_up).for_each(|it| it.connection.handle_timeout(now));
            self.settle();
            if due.is_none_or(|due| due >= end) {
                self.now = end;
                return;
            }
        }
    }

    /// Takes the events of a service.
    pub fn events(&mut self, service: usize) -> Vec<Event> {
        std::mem::take(&mut self.services[service].events)
    }

    /// Takes the names of a service's actions since the last time; of AGI, the command.
    pub fn actions(&mut self, service: usize) -> Vec<String> {
        let actions = std::mem::take(&mut self.services[service].actions);
        let name = |action: &Action| match action.text("Action") {
            name if name == "AGI" => action.text("Command"),
            name => name,
        };
        actions.iter().map(name).collect()
    }

    /// The line and the id of the next command.
    pub fn front(&self, uniqueid: &str) -> (Vec<u8>, Vec<u8>) {
        self.channels[uniqueid].queue.front().expect("a queued command").clone()
    }

    /// Carries out what the services have sent; returns whether there was anything.
    fn poll(&mut self) -> bool {
        let mut is_any = false;
        for at in 0..self.services.len() {
            for action in self.services[at].poll() {
                is_any = true;
                self.act(at, &action);
                self.services[at].actions.push(action);
            }
        }
        is_any
    }

    fn act(&mut self, service: usize, action: &Action) {
        let (name, id, uniqueid) = (action.text("Action"), action.text("ActionID"), action.text("Channel"));
        let mut more = String::new();
        let error = match (self.refusals.get(&name), name.as_str()) {
            (Some(message), _) => Some(message.clone()),
            (_, "AGI") => match self.channels.get_mut(&uniqueid) {
                Some(channel) => {
                    channel
                        .queue
                        .push_back((action.bytes("Command").into(), action.bytes("CommandID").into()));
                    None
                }
                None => Some(format!("Channel {uniqueid} does not exist.")),
            },
            (_, "Status") if !uniqueid.is_empty() && !self.channels.contains_key(&uniqueid) => {
                Some("No such channel".into())
            }
            (_, "Status") => {
                more = self.status(&uniqueid, &id);
                None
            }
            _ => None,
        };
        let response = match (error, name.as_str()) {
            (Some(message), _) => format!("Response: Error\r\nActionID: {id}\r\nMessage: {message}\r\n\r\n"),
            (_, "Logoff") => format!("Response: Goodbye\r\nActionID: {id}\r\n\r\n"),
            (_, "Challenge") => {
                format!("Response: Success\r\nActionID: {id}\r\nChallenge: 193235648\r\n\r\n")
            }
            _ => format!("Response: Success\r\nActionID: {id}\r\n\r\n{more}"),
        };
        self.services[service].read(response.as_bytes(), self.now);
        if name == "Logoff" {
            self.services[service].connection.handle_eof();
        }
    }

    fn status(&self, uniqueid: &str, id: &str) -> String {
        let wanted = self.channels.iter().filter(|(name, _)| uniqueid.is_empty() || *name == uniqueid);
        let events = wanted.map(|(name, channel)| {
            let application = &channel.application;
            format!(
                "Event: Status\r\nPrivilege: Call\r\nChannel: Local/wait@far-00000000;1\r\nCallerIDNum: <unknown>\r\n\
                 CallerIDName: Ada\r\nLanguage: en\r\nAccountCode: \r\nContext: h\r\nExten: plain\r\nPriority: 2\r\n\
                 Uniqueid: {name}\r\nType: Local\r\nDNID: \r\nApplication: {application}\r\n\
                 Data: agi:async,arg1,arg two\r\nActionID: {id}\r\n\r\n"
            )
        });
        events.collect::<String>() + &format!("Event: StatusComplete\r\nActionID: {id}\r\n\r\n")
    }
}

impl Channel {
    fn can_run(&self) -> bool {
        !self.queue.is_empty() && !self.pipes.is_empty()
    }

    /// Asterisk reads its pipe once, up to 1,024 bytes, and encodes that into 2,048 bytes with NUL.
    fn chunk(&mut self) -> Vec<u8> {
        let pipe = self.pipes.last_mut().expect("in agi:async");
        let raw: Vec<u8> = pipe.drain(..pipe.len().min(1_024)).collect();
        let mut encoded = Vec::new();
        for byte in raw {
            let escape = encode(byte);
            if encoded.len() + escape.len() > 2_047 {
                break;
            }
            encoded.extend(escape.bytes());
        }
        encoded
    }
}

/// One byte as Asterisk encodes it.
pub fn encode(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).into(),
        _ if b"!'()*-._~".contains(&byte) => char::from(byte).into(),
        _ => format!("%{byte:02X}"),
    }
}

impl Service {
    /// Bytes come from Asterisk.
    pub fn read(&mut self, bytes: &[u8], now: Duration) {
        if self.is_up {
            self.connection.handle_input(bytes, now);
        }
    }

    /// Polls all events and takes all actions.
    pub fn poll(&mut self) -> Vec<Action> {
        if !self.is_up {
            return vec![];
        }
        loop {
            match self.connection.poll_event() {
                Ok(Some(event)) => self.events.push(event),
                Ok(None) => break,
                Err(error) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
        let mut sent = Vec::new();
        while let Some(bytes) = self.connection.poll_transmit() {
            sent.extend_from_slice(bytes);
            let n = bytes.len();
            self.connection.transmitted(n);
        }
        let mut actions = Vec::new();
        while let Some(end) = sent.windows(4).position(|end| end == b"\r\n\r\n") {
            let rest = sent.split_off(end + 4);
            actions.push(Action::read(&sent));
            sent = rest;
        }
        assert!(sent.is_empty(), "part of an action: {}", sent.escape_ascii());
        actions
    }
}

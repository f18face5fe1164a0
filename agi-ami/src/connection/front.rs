//! What comes in, and what it means: the login, responses, events.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str;
use core::time::Duration;

use crate::action;
use crate::call::{Call, Origin};
use crate::calls::Calls;
use crate::error::ConnectionError;
use crate::event::{Event, Refusal};
use crate::ids::{CallId, Ids, Purpose};
use crate::input::Input;
use crate::login::Credentials;
use crate::message::Message;
use crate::options::{Options, Orphans};
use crate::out::{Asked, Out};
use crate::pipe::Pipe;
use crate::status;

/// The classes of events that are wanted; Asterisk sends those of them that the user may read.
const EVENTS: &[u8] = b"agi,call";

/// All of a connection but its receive buffer.
pub(super) struct Front {
    credentials: Credentials,
    phase: Phase,
    pub(super) out: Out,
    pub(super) calls: Calls,
    last_call: u64,
    pub(super) is_eof: bool,
    /// When something came last.
    heard: Duration,
    is_pinged: bool,
    /// The list of channels that is coming in.
    list: Option<u64>,
    /// Channels of calls that were lost with the connection before.
    lost: BTreeSet<Vec<u8>>,
    /// Asterisk's version, as environments say it.
    version: Vec<u8>,
}

/// How far a connection is.
///
/// ```text
/// Greeting -- plain ----------------------> LoggingIn -- Success --> Ready -- end of stream --> Closed
///     \------ Challenge --> LoggingIn ------^
/// any -- error --> Failed
/// ```
enum Phase {
    Greeting,
    LoggingIn,
    Ready,
    Closed,
    Failed(ConnectionError),
}

impl Front {
    pub(super) fn new(credentials: Credentials, options: Options, nonce: u64, now: Duration) -> Self {
        let ids = Ids { nonce, service: options.claim.clone() };
        Self {
            credentials,
            phase: Phase::Greeting,
            out: Out::new(options, ids, now),
            calls: Calls::default(),
            last_call: 0,
            is_eof: false,
            heard: now,
            is_pinged: false,
            list: None,
            lost: BTreeSet::new(),
            version: b"unknown".to_vec(),
        }
    }

    pub(super) fn reconnect(&mut self, now: Duration) {
        self.lose_calls();
        self.out.reconnect();
        self.phase = Phase::Greeting;
        self.is_eof = false;
        self.is_pinged = false;
        self.list = None;
        self.handle_time(now);
        self.heard = self.out.now;
    }

    /// Takes the next line or message; returns whether there was one.
    pub(super) fn step(&mut self, input: &mut Input) -> bool {
        let found = match self.phase {
            Phase::Greeting => input.line().map(|line| line.map(|line| self.greeted(line))),
            _ => input.message().map(|message| message.map(|bytes| self.received(Message(bytes)))),
        };
        match found {
            Ok(Some(())) => return true,
            Ok(None) if !self.is_eof => return false,
            Ok(None) => {
                self.lose_calls();
                self.out.clear();
                self.out.events.push_back(Event::Closed);
                self.phase = Phase::Closed;
            }
            Err(_) => self.fail(ConnectionError::TooLong { limit: self.out.options.message_bytes }),
        }
        true
    }

    // ---- login ----

    fn greeted(&mut self, line: &[u8]) {
        if !line.starts_with(b"Asterisk Call Manager/") {
            let greeting = line[..line.len().min(80)].escape_ascii().to_string();
            return self.fail(ConnectionError::NotAManager { greeting });
        }
        self.phase = Phase::LoggingIn;
        if self.credentials.plain {
            let Credentials { username, secret, .. } = &self.credentials;
            let headers =
                [("Username", username.as_bytes()), ("Secret", secret.as_bytes()), ("Events", EVENTS)];
            self.out.ask(Asked::Login, "Login", &headers);
        } else {
            self.out.ask(Asked::Challenge, "Challenge", &[("AuthType", b"MD5")]);
        }
    }

    fn challenged(&mut self, challenge: &[u8]) {
        let key = self.credentials.key(challenge);
        let username = self.credentials.username.as_bytes();
        let headers =
            [("AuthType", &b"MD5"[..]), ("Username", username), ("Key", key.as_bytes()), ("Events", EVENTS)];
        self.out.ask(Asked::Login, "Login", &headers);
    }

    fn logged_in(&mut self) {
        self.phase = Phase::Ready;
        self.out.events.push_back(Event::Ready);
        self.list = Some(self.out.ask(Asked::List, "Status", &[]));
    }

    pub(super) fn logoff(&mut self) {
        if self.is_ready() {
            self.out.ask(Asked::Logoff, "Logoff", &[]);
        }
    }

    // ---- messages ----

    fn received(&mut self, message: Message<'_>) {
        // OriginateResponse is an event of any client's action, and holds a response
        if let Some(event) = message.get("Event") {
            if let (Ok(event), true) = (str::from_utf8(event), self.is_ready()) {
                self.happened(event, message);
            }
        } else if let Some(response) = message.get("Response") {
            let is_error = response.eq_ignore_ascii_case(b"Error");
            let id = message.text("ActionID").and_then(|id| id.parse().ok());
            if let Some(asked) = id.and_then(|id| self.out.answered(id)) {
                self.responded(asked, is_error.then(|| text(message, "Message")), message);
            }
        }
    }

    fn responded(&mut self, asked: Asked, error: Option<String>, message: Message<'_>) {
        match (asked, error) {
            (Asked::Challenge | Asked::Login, Some(message)) => {
                self.fail(ConnectionError::Refused { message });
            }
            (Asked::Challenge, None) => self.challenged(message.get("Challenge").unwrap_or_default()),
            (Asked::Login, None) => self.logged_in(),
            (Asked::Command(_), Some(message)) if message.starts_with("Permission denied") => {
                self.fail(ConnectionError::Denied { message });
            }
            (Asked::Command(call), Some(_)) => self.calls.with(call, &mut self.out, Call::refused),
            (Asked::Status(call), error) => {
                let is_no_more = error.as_deref().is_some_and(|error| error.starts_with("No such channel"));
                self.refuse(asked, error);
                self.calls.with(call, &mut self.out, |call, out| {
                    call.status_answered();
                    if is_no_more {
                        call.refused(out);
                    }
                });
            }
            (Asked::Stop(call), error) => {
                self.refuse(asked, error);
                self.calls.with(call, &mut self.out, |call, _| call.stop_answered());
            }
            (Asked::List, error) => {
                self.list = self.list.filter(|_| error.is_none());
                self.refuse(asked, error);
            }
            (Asked::Flash, error) => self.refuse(asked, error),
            (Asked::Command(_) | Asked::Ping | Asked::Logoff, _) => {}
        }
    }

    fn refuse(&mut self, asked: Asked, error: Option<String>) {
        if let Some(message) = error {
            self.out.refused(asked, &message);
        }
    }

    fn happened(&mut self, event: &str, message: Message<'_>) {
        let uniqueid = message.get("Uniqueid").unwrap_or_default();
        match event {
            "AsyncAGIStart" => self.started(uniqueid, message.get("Env").unwrap_or_default()),
            "AsyncAGIExec" => self.executed(uniqueid, message),
            "AsyncAGIEnd" => self.with_innermost(uniqueid, Call::end),
            "AGIExecStart" => {
                self.with_innermost(uniqueid, |call, out| call.begun(message.get("Command"), out));
            }
            "AGIExecEnd" => {
                let fails = message.get("ResultCode") == Some(b"-1");
                self.with_innermost(uniqueid, |call, _| call.has_run(message.get("Command"), fails));
            }
            "HangupRequest" | "SoftHangupRequest" => {
                self.calls.with_channel(uniqueid, &mut self.out, Call::hanging_up);
            }
            "Hangup" => self.calls.with_channel(uniqueid, &mut self.out, Call::hung_up),
            "BridgeEnter" if !self.calls.owes_dialplan(uniqueid) => {
                self.calls.with_channel(uniqueid, &mut self.out, |call, out| {
                    if !call.is_foreign() && !call.has_ended() {
                        call.gone(out);
                    }
                });
            }
            "BridgeLeave" => self.calls.with_channel(uniqueid, &mut self.out, |call, out| {
                call.left_bridge(out.now);
            }),
            "Status" => self.status(uniqueid, message),
            "StatusComplete" if self.is_of_list(message) => {
                self.list = None;
                self.lost.clear();
            }
            _ => {}
        }
    }

    // ---- calls ----

    fn started(&mut self, uniqueid: &[u8], environment: &[u8]) {
        if action::check("AGI", "Channel", uniqueid).is_err() {
            let (uniqueid, refusal) = (uniqueid.to_vec(), Refusal::Uniqueid);
            return self.out.events.push_back(Event::Refused { uniqueid, refusal });
        }
        // a session that waits for no EXEC cannot hold another one: it has left without a word
        while let Some(call) =
            self.calls.innermost(uniqueid).filter(|call| !call.is_foreign() && !call.owes_dialplan())
        {
            let id = call.id;
            self.calls.with(id, &mut self.out, Call::gone);
        }
        let mut pipe = Pipe::new(self.out.options.reply_bytes);
        pipe.begin(environment);
        if let Some(version) = pipe.line_of(b"agi_version: ") {
            self.version = version.to_vec();
        }
        self.take(uniqueid, pipe, Origin::Start);
    }

    fn found(&mut self, uniqueid: &[u8], message: Message<'_>) {
        let environment = Pipe::whole(status::environment(message, &self.version));
        let was_own = self.lost.contains(uniqueid);
        self.take(uniqueid, environment, Origin::Found { was_own });
    }

    fn take(&mut self, uniqueid: &[u8], environment: Pipe, origin: Origin) {
        let is_full = self.calls.count_own() >= self.out.options.max_calls;
        let is_wanted = matches!(origin, Origin::Start) || self.out.options.orphans == Orphans::Adopt;
        let origin = if is_full && is_wanted { Origin::Full } else { origin };
        let is_nested = self.calls.innermost(uniqueid).is_some();
        self.last_call += 1;
        let id = CallId(self.last_call);
        let call = Call::new(id, uniqueid.to_vec(), environment, origin, is_nested, &mut self.out);
        self.calls.add(call, &mut self.out);
    }

    fn executed(&mut self, uniqueid: &[u8], message: Message<'_>) {
        let Some(chunk) = message.get("Result") else { return };
        let tag = self.out.ids.read(message.get("CommandId"));
        let paired = tag.own.filter(|_| tag.purpose == Purpose::Command);
        let paired = paired.filter(|&(id, number)| self.calls.get(id).is_some_and(|call| call.owes(number)));
        let id = match paired {
            Some((id, _)) => {
                if action::check("AGI", "Channel", uniqueid).is_ok() {
                    self.calls.rename(id, uniqueid);
                }
                self.calls.leave_inner(id, &mut self.out);
                Some(id)
            }
            None => self.calls.innermost(uniqueid).map(|call| call.id),
        };
        if let Some(id) = id {
            self.calls.with(id, &mut self.out, |call, out| {
                call.hear(out.now);
                call.executed(tag, chunk, out);
            });
        }
    }

    fn with_innermost(&mut self, uniqueid: &[u8], act: impl FnOnce(&mut Call, &mut Out)) {
        if let Some(id) = self.calls.innermost(uniqueid).map(|call| call.id) {
            self.calls.with(id, &mut self.out, |call, out| {
                call.hear(out.now);
                act(call, out);
            });
        }
    }

    fn status(&mut self, uniqueid: &[u8], message: Message<'_>) {
        let is_known = self.calls.innermost(uniqueid).is_some();
        if is_known {
            let application = message.get("Application").unwrap_or_default();
            let owes_dialplan = self.calls.owes_dialplan(uniqueid);
            self.calls.with_channel(uniqueid, &mut self.out, |call, out| {
                call.status(application, owes_dialplan, out);
            });
        } else if self.is_of_list(message)
            && status::is_waiting(message)
            && action::check("AGI", "Channel", uniqueid).is_ok()
        {
            self.found(uniqueid, message);
        }
    }

    fn is_of_list(&self, message: Message<'_>) -> bool {
        let id = message.text("ActionID").and_then(|id| id.parse().ok());
        id.is_some() && id == self.list
    }

    // ---- time ----

    /// Notes the time, which does not go back.
    pub(super) fn handle_time(&mut self, now: Duration) {
        self.out.now = self.out.now.max(now);
    }

    pub(super) fn heard(&mut self, now: Duration) {
        self.heard = self.heard.max(now);
        self.is_pinged = false;
    }

    pub(super) fn due(&self) -> Option<Duration> {
        if !self.is_open() {
            return None;
        }
        let options = &self.out.options;
        let own = match self.phase {
            Phase::Ready if !self.is_pinged => self.heard + options.ping,
            Phase::Ready => self.heard + options.ping + options.patience,
            _ => self.heard + options.patience,
        };
        Some(self.calls.due().map_or(own, |due| due.min(own)))
    }

    pub(super) fn handle_timeout(&mut self) {
        let (now, patience, ping) = (self.out.now, self.out.options.patience, self.out.options.ping);
        self.calls.handle_timeout(&mut self.out);
        let silent = now.saturating_sub(self.heard);
        if self.is_ready() && silent >= ping && !self.is_pinged {
            self.is_pinged = true;
            self.out.ask(Asked::Ping, "Ping", &[]);
        } else if silent >= if self.is_ready() { ping + patience } else { patience } {
            self.fail(ConnectionError::Silent);
        }
    }

    // ---- the end ----

    fn fail(&mut self, error: ConnectionError) {
        self.lose_calls();
        self.out.clear();
        self.phase = Phase::Failed(error);
    }

    fn lose_calls(&mut self) {
        let lost = &mut self.lost;
        self.calls.with_all(&mut self.out, |call, out| {
            if !call.is_foreign() && !call.has_ended() {
                lost.insert(call.uniqueid.clone());
            }
            call.lost(out);
        });
        // what the ends of inner sessions would have sent
        self.out.clear();
    }

    // ---- getters ----

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    /// Whether anything may still come or go.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Closed | Phase::Failed(_))
    }

    pub(super) fn error(&self) -> Option<&ConnectionError> {
        if let Phase::Failed(error) = &self.phase { Some(error) } else { None }
    }
}

fn text(message: Message<'_>, header: &str) -> String {
    String::from_utf8_lossy(message.get(header).unwrap_or_default()).into_owned()
}

//! A call under way.

use super::ami::{Ami, Event};
use super::call::Call;
use super::log::{self, LogMark};
use super::outcome::{Outcome, Where};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a thing may take that should happen at once.
const SOON: Duration = Duration::from_secs(60);

/// How far the log may lag behind the events.
const LAG: Duration = Duration::from_secs(3);

/// A call under way. What is not finished when it is dropped is hung up.
pub struct LiveCall {
    ami: Ami,
    log: PathBuf,
    log_mark: LogMark,
    event_mark: usize,
    /// unique id of the leg that runs AGI
    near: String,
    far: String,
    reports: Vec<String>,
    finished: bool,
}

impl LiveCall {
    pub(super) fn place(ami: &Ami, log: PathBuf, call: &Call) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let [caller, called] = ["a", "b"].map(|leg| format!("call-{number}-{leg}"));
        let mut headers = call.headers();
        headers.extend([("ChannelId", caller.clone()), ("OtherChannelId", called.clone())]);
        let headers: Vec<_> = headers.iter().map(|(key, value)| (*key, &**value)).collect();
        let (near, far) = if call.is_called_leg() { (called, caller) } else { (caller, called) };
        let (log_mark, event_mark) = (log::mark(&log), ami.count());
        ami.action("Originate", &headers).unwrap_or_else(|error| panic!("cannot place {call:?}: {error}"));
        let (ami, reports) = (ami.clone(), call.reports().to_vec());
        Self { ami, log, log_mark, event_mark, near, far, reports, finished: false }
    }

    /// The name of the channel that runs AGI.
    #[must_use]
    pub fn channel(&self) -> String {
        self.name_of(&self.near)
    }

    /// The name of the other party's channel.
    #[must_use]
    pub fn other_channel(&self) -> String {
        self.name_of(&self.far)
    }

    fn name_of(&self, id: &str) -> String {
        let event = self.wait_for(|event| event.is("Newchannel") && event.concerns(id), SOON);
        event.get("Channel").into()
    }

    /// The unique id of the channel that runs AGI, `agi_uniqueid`.
    #[must_use]
    pub fn unique_id(&self) -> &str {
        &self.near
    }

    /// Waits for an event of this call that `wanted` accepts; events since its begin count. Each is
    /// shown once, in order. Panics, and tells what came, when there is none in time.
    pub fn wait_for(&self, mut wanted: impl FnMut(&Event) -> bool, timeout: Duration) -> Event {
        let found = self.ami.wait(self.event_mark, timeout, |event| self.owns(event) && wanted(event));
        found.unwrap_or_else(|error| {
            let events: Vec<_> = self.events().iter().map(brief).collect();
            let mut log = log::since(&self.log, self.log_mark);
            log.retain(|entry| !entry.contains("pbx_variables.c"));
            let (events, log) = (events.join("\n"), log[log.len().saturating_sub(50)..].join("\n"));
            panic!("{}: {error} after {timeout:?}; events:\n{events}\nend of the log:\n{log}", self.near)
        })
    }

    /// Waits until Asterisk runs an AGI command that begins so.
    pub fn wait_command(&self, start: &str) -> Event {
        self.wait_for(|event| event.is("AGIExecStart") && event.get("Command").starts_with(start), SOON)
    }

    /// Waits until a recording has begun, by its file: whoever leaves before is told otherwise.
    ///
    /// # Panics
    ///
    /// If it does not begin soon.
    pub fn wait_for_file(&self, file: &Path) {
        let deadline = Instant::now() + SOON;
        while !file.exists() {
            assert!(Instant::now() < deadline, "{}: {} is not recorded", self.near, file.display());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The events of both legs so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let mut events = self.ami.since(self.event_mark);
        events.retain(|event| self.owns(event));
        events
    }

    fn owns(&self, event: &Event) -> bool {
        event.concerns(&self.near) || event.concerns(&self.far)
    }

    /// Hangs up the channel that runs AGI.
    pub fn hang_up(&self) {
        self.action("Hangup", &[("Channel", &self.channel())]);
    }

    /// The other party hangs up.
    pub fn hang_up_far(&self) {
        self.action("Hangup", &[("Channel", &self.other_channel())]);
    }

    /// The other party presses these keys: the channel that runs AGI receives them.
    pub fn press(&self, digits: &str) {
        let channel = self.channel();
        for digit in digits.chars() {
            let digit = digit.to_string();
            let headers =
                [("Channel", &*channel), ("Digit", &digit), ("Receive", "true"), ("Duration", "80")];
            self.action("PlayDTMF", &headers);
        }
    }

    /// The other party sends a text message, one line of it.
    pub fn send_text(&self, text: &str) {
        self.action("SendText", &[("Channel", &self.other_channel()), ("Message", text)]);
    }

    /// Sets a variable of the channel that runs AGI.
    pub fn set_variable(&self, name: &str, value: &str) {
        self.action("Setvar", &[("Channel", &self.channel()), ("Variable", name), ("Value", value)]);
    }

    /// Sends an action of the manager interface and returns its response. Panics when it fails.
    pub fn action(&self, name: &str, headers: &[(&str, &str)]) -> Event {
        self.ami.action(name, headers).unwrap_or_else(|error| panic!("{name} {headers:?}: {error}"))
    }

    /// Waits until the call is over and both channels are gone, and tells what became of it.
    #[must_use]
    pub fn finish(mut self, timeout: Duration) -> Outcome {
        let deadline = Instant::now() + timeout;
        for id in [&self.near, &self.far] {
            let left = deadline.saturating_duration_since(Instant::now());
            self.wait_for(|event| event.is("Hangup") && event.concerns(id), left);
        }
        self.finished = true;
        let mut events = self.events();
        events.retain(|event| event.concerns(&self.near));
        let report = |place| {
            let wanted =
                move |event: &&Event| event.get("UserEvent") == "AfterAgi" && event.get("Where") == place;
            events.iter().find(wanted)
        };
        let places = [("next", Where::Next), ("elsewhere", Where::Elsewhere), ("h", Where::H)];
        let (where_, after) = places
            .into_iter()
            .find_map(|(name, place)| Some((place, report(name)?)))
            .map_or((Where::Unknown, None), |(place, event)| (place, Some(event)));
        let variables = self.reports.iter().enumerate().map(|(index, name)| {
            let value = after.map_or("", |event| event.get(&format!("Report{}", index + 1)));
            let bytes = BASE64.decode(value).unwrap_or_default();
            (name.clone(), bytes.strip_prefix(b"=").unwrap_or_default().to_vec())
        });
        Outcome {
            where_,
            agi_status: after.map_or_else(String::new, |event| event.get("AgiStatus").into()),
            agi_in_h_status: report("h-agi").map(|event| event.get("AgiStatus").into()),
            variables: variables.collect(),
            cause: events
                .iter()
                .find(|event| event.is("Hangup"))
                .map_or("", |event| event.get("Cause"))
                .into(),
            log: self.whole_log(),
            events,
        }
    }

    /// The call's lines in the log, which is written by a thread that may lag.
    fn whole_log(&self) -> Vec<String> {
        let deadline = Instant::now() + LAG;
        loop {
            let mut entries = log::since(&self.log, self.log_mark);
            if let Some(id) = log::call_id(&entries, &self.near) {
                entries.retain(|entry| entry.contains(&id));
                return entries;
            }
            if Instant::now() > deadline {
                return entries;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for LiveCall {
    fn drop(&mut self) {
        if !self.finished {
            for event in self.events().iter().filter(|event| event.is("Newchannel")) {
                // it may be gone already
                let _ = self.ami.action("Hangup", &[("Channel", event.get("Channel"))]);
            }
        }
    }
}

fn brief(event: &Event) -> String {
    let of_use = ["UserEvent", "Where", "Command", "ResultCode", "Digit", "Cause"];
    let mut line = format!("{} {}", event.get("Event"), event.get("Channel"));
    for name in of_use.iter().filter(|name| !event.get(name).is_empty()) {
        line.push_str(&format!(" {name}={}", event.get(name)));
    }
    line
}

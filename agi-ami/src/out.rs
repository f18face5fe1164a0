//! What goes out: actions to Asterisk, events to the application.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::action;
use crate::command;
use crate::event::Event;
use crate::ids::{CallId, Ids, Purpose};
use crate::options::Options;

/// Memory that stays allocated while nothing is to be written.
const KEEP: usize = 16_384;

/// An action whose response is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Challenge,
    Login,
    Logoff,
    Ping,
    /// All channels, to find those that nobody serves.
    List,
    Status(CallId),
    Command(CallId),
    Stop(CallId),
    Flash,
}

/// How Asterisk is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    Flash,
    /// It does not know `SendFlash`.
    Stop,
    Never,
}

/// Everything that goes out, and what it is made from.
#[derive(Debug)]
pub(crate) struct Out {
    pub(crate) options: Options,
    pub(crate) ids: Ids,
    pub(crate) now: Duration,
    pub(crate) events: VecDeque<Event>,
    bytes: Vec<u8>,
    transmitted: usize,
    last: u64,
    /// In the order in which they were sent, which is the order of the responses.
    asked: VecDeque<(u64, Asked)>,
    wake: Wake,
    denied: BTreeSet<&'static str>,
}

impl Out {
    pub(crate) fn new(options: Options, ids: Ids, now: Duration) -> Self {
        let wake = if options.wake { Wake::Flash } else { Wake::Never };
        Self {
            options,
            ids,
            now,
            events: VecDeque::new(),
            bytes: Vec::new(),
            transmitted: 0,
            last: 0,
            asked: VecDeque::new(),
            wake,
            denied: BTreeSet::new(),
        }
    }

    /// Forgets what was for a connection that is lost.
    pub(crate) fn reconnect(&mut self) {
        self.clear();
        self.asked.clear();
        self.denied.clear();
        self.wake = if self.options.wake { Wake::Flash } else { Wake::Never };
    }

    // ---- bytes ----

    pub(crate) fn poll(&self) -> Option<&[u8]> {
        Some(&self.bytes[self.transmitted..]).filter(|bytes| !bytes.is_empty())
    }

    pub(crate) fn transmitted(&mut self, n: usize) {
        self.transmitted += n;
        assert!(self.transmitted <= self.bytes.len(), "transmitted more than there was");
        if self.transmitted == self.bytes.len() {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEEP);
        self.transmitted = 0;
    }

    // ---- actions ----

    /// Queues an action and returns its ActionID. Its values were checked when they came in.
    pub(crate) fn ask(
        &mut self,
        asked: Asked,
        action: &'static str,
        headers: &[(&'static str, &[u8])],
    ) -> u64 {
        self.last += 1;
        let id = format!("{}", self.last);
        let headers = [&[("ActionID", id.as_bytes())], headers].concat();
        action::write(&mut self.bytes, action, &headers).expect("values are checked when they come in");
        self.asked.push_back((self.last, asked));
        self.last
    }

    pub(crate) fn command(
        &mut self,
        call: CallId,
        channel: &[u8],
        number: u64,
        purpose: Purpose,
        line: &[u8],
    ) {
        let id = self.ids.make(call, number, purpose);
        let headers = [("Channel", channel), ("Command", line), ("CommandID", id.as_bytes())];
        self.ask(Asked::Command(call), "AGI", &headers);
    }

    /// Stops what the channel plays.
    pub(crate) fn stop(&mut self, call: CallId, channel: &[u8]) {
        self.ask(Asked::Stop(call), "ControlPlayback", &[("Channel", channel), ("Control", b"stop")]);
    }

    /// Ends Asterisk's wait for the next frame of a channel, behind a command that was queued there.
    pub(crate) fn wake(&mut self, call: CallId, channel: &[u8], line: &[u8]) {
        match self.wake {
            // it would reach the peer that the command bridges
            _ if command::runs_dialplan(line) => {}
            Wake::Flash => {
                self.ask(Asked::Flash, "SendFlash", &[("Channel", channel), ("Receive", b"true")]);
            }
            Wake::Stop if command::is_quick(line) => self.stop(call, channel),
            Wake::Stop | Wake::Never => {}
        }
    }

    pub(crate) fn status(&mut self, call: CallId, channel: &[u8]) {
        self.ask(Asked::Status(call), "Status", &[("Channel", channel)]);
    }

    // ---- responses ----

    /// Returns what a response answers. Responses come in the order of the actions.
    pub(crate) fn answered(&mut self, id: u64) -> Option<Asked> {
        while let Some((sent, asked)) = self.asked.pop_front() {
            if sent == id {
                return Some(asked);
            }
            if sent > id {
                self.asked.push_front((sent, asked));
                break;
            }
        }
        None
    }

    /// Goes on without what Asterisk refuses to do.
    pub(crate) fn refused(&mut self, asked: Asked, message: &str) {
        let is_denied = message.starts_with("Permission denied");
        let action = match asked {
            Asked::Flash if is_denied => {
                self.wake = Wake::Never;
                "SendFlash"
            }
            Asked::Flash if message.starts_with("Invalid/unknown command") => {
                self.wake = Wake::Stop;
                return;
            }
            Asked::Stop(_) if is_denied => {
                self.wake = Wake::Never;
                "ControlPlayback"
            }
            Asked::Status(_) | Asked::List if is_denied => "Status",
            _ => return,
        };
        if self.denied.insert(action) {
            self.events.push_back(Event::Denied { action, message: String::from(message) });
        }
    }

    /// Returns whether the manager user may not do this.
    pub(crate) fn is_denied(&self, action: &'static str) -> bool {
        self.denied.contains(action)
    }
}

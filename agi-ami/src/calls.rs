//! The calls of a connection: by their ids, by their channels, and by when something is due.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use crate::call::Call;
use crate::ids::CallId;
use crate::out::Out;

/// The calls. A channel has several if sessions are nested: `EXEC AGI agi:async`.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    by_id: BTreeMap<CallId, Call>,
    /// By Uniqueid, the innermost last.
    by_channel: BTreeMap<Vec<u8>, Vec<CallId>>,
    /// An entry may be early, since a call that hears something does not move it.
    timers: BTreeSet<(Duration, CallId)>,
}

impl Calls {
    /// Adds the innermost session of its channel.
    pub(crate) fn add(&mut self, call: Call, out: &mut Out) {
        let id = call.id;
        self.by_channel.entry(call.uniqueid.clone()).or_default().push(id);
        self.by_id.insert(id, call);
        self.with(id, out, |_, _| {});
    }

    /// Does something with a call, and then what follows from it: the call is removed if it is over, and its timer set.
    pub(crate) fn with(&mut self, id: CallId, out: &mut Out, act: impl FnOnce(&mut Call, &mut Out)) {
        let Some(call) = self.by_id.get_mut(&id) else { return };
        act(call, out);
        if call.is_over() {
            self.remove(id);
            return;
        }
        let due = call.due(out);
        if let Some(due) = due.filter(|due| call.armed.is_none_or(|armed| *due < armed)) {
            if let Some(armed) = call.armed.replace(due) {
                self.timers.remove(&(armed, id));
            }
            self.timers.insert((due, id));
        }
    }

    /// Does something with each session of a channel, the innermost first.
    pub(crate) fn with_channel(
        &mut self,
        uniqueid: &[u8],
        out: &mut Out,
        mut act: impl FnMut(&mut Call, &mut Out),
    ) {
        for id in self.channel(uniqueid).iter().rev().copied().collect::<Vec<_>>() {
            self.with(id, out, &mut act);
        }
    }

    /// Does something with every call, in the order in which they came.
    pub(crate) fn with_all(&mut self, out: &mut Out, mut act: impl FnMut(&mut Call, &mut Out)) {
        for id in self.by_id.keys().copied().collect::<Vec<_>>() {
            self.with(id, out, &mut act);
        }
    }

    /// The sessions within this one are over; nothing said so.
    pub(crate) fn leave_inner(&mut self, id: CallId, out: &mut Out) {
        let Some(call) = self.by_id.get(&id) else { return };
        let inner: Vec<CallId> =
            self.channel(&call.uniqueid).iter().rev().copied().take_while(|&at| at != id).collect();
        for id in inner {
            self.with(id, out, |call, out| {
                if !call.has_ended() {
                    call.gone(out);
                }
            });
        }
    }

    /// The channel has another Uniqueid: it was masqueraded.
    pub(crate) fn rename(&mut self, id: CallId, uniqueid: &[u8]) {
        let Some(call) = self.by_id.get_mut(&id) else { return };
        if call.uniqueid != uniqueid {
            let before = core::mem::replace(&mut call.uniqueid, uniqueid.to_vec());
            self.forget_channel(&before, id);
            self.by_channel.entry(uniqueid.to_vec()).or_default().push(id);
        }
    }

    fn remove(&mut self, id: CallId) {
        let Some(call) = self.by_id.remove(&id) else { return };
        self.forget_channel(&call.uniqueid, id);
        if let Some(armed) = call.armed {
            self.timers.remove(&(armed, id));
        }
    }

    fn forget_channel(&mut self, uniqueid: &[u8], id: CallId) {
        if let Some(ids) = self.by_channel.get_mut(uniqueid) {
            ids.retain(|&other| other != id);
            if ids.is_empty() {
                self.by_channel.remove(uniqueid);
            }
        }
    }

    // ---- time ----

    /// Returns when to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn due(&self) -> Option<Duration> {
        self.timers.first().map(|&(due, _)| due)
    }

    pub(crate) fn handle_timeout(&mut self, out: &mut Out) {
        let now = out.now;
        let due: Vec<CallId> =
            self.timers.iter().take_while(|(due, _)| *due <= now).map(|&(_, id)| id).collect();
        for id in due {
            if let Some(armed) = self.by_id.get_mut(&id).and_then(|call| call.armed.take()) {
                self.timers.remove(&(armed, id));
            }
            self.with(id, out, |call, out| {
                if call.due(out).is_some_and(|due| due <= now) {
                    call.handle_timeout(out);
                }
            });
        }
    }

    // ---- getters ----

    pub(crate) fn get(&self, id: CallId) -> Option<&Call> {
        self.by_id.get(&id)
    }

    /// Returns the innermost session of a channel that has not ended.
    pub(crate) fn innermost(&self, uniqueid: &[u8]) -> Option<&Call> {
        self.channel(uniqueid).iter().rev().filter_map(|id| self.by_id.get(id)).find(|call| !call.has_ended())
    }

    /// Whether any session of a channel owes an EXEC or GOSUB.
    pub(crate) fn owes_dialplan(&self, uniqueid: &[u8]) -> bool {
        self.channel(uniqueid).iter().filter_map(|id| self.by_id.get(id)).any(Call::owes_dialplan)
    }

    /// How many are this service's.
    pub(crate) fn count_own(&self) -> usize {
        self.by_id.values().filter(|call| !call.is_foreign()).count()
    }

    fn channel(&self, uniqueid: &[u8]) -> &[CallId] {
        self.by_channel.get(uniqueid).map_or(&[], Vec::as_slice)
    }
}

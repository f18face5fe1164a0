//! The state of one call, which the commands change.

use std::collections::VecDeque;
use std::time::Duration;

use agi_proto::BString;

use super::channel::Channel;
use super::event::Event;
use super::setup::Setup;

/// The state of one call: the part of a [`Pbx`](super::Pbx) that commands may look at and change.
pub(crate) struct CallState {
    pub(crate) setup: Setup,
    pub(crate) channel: Channel,
    /// The time since the session began.
    pub(crate) now: Duration,
    /// The speech engine's grammars, if there is one.
    pub(crate) grammars: Option<Vec<BString>>,
    pub(crate) autohangup: Option<Duration>,
    pub(super) events: VecDeque<Event>,
    /// The call is hung up, noticed or not.
    pub(super) gone: bool,
    /// Asterisk has noticed.
    pub(super) dead: bool,
}

impl CallState {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            channel: Channel::new(&setup),
            now: Duration::ZERO,
            grammars: None,
            autohangup: None,
            events: VecDeque::new(),
            gone: setup.dead,
            dead: setup.dead,
            setup,
        }
    }

    /// Reports an event.
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Returns whether Asterisk has noticed that the call is hung up.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead
    }

    /// Hangs up.
    pub(crate) fn end_call(&mut self) {
        self.gone = true;
    }
}

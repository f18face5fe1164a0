//! Every command of Asterisk, sent over the tokio adapter to a real Asterisk 22: in success, and in each failure
//! that can be had without hardware. What is compared is the typed value.
//!
//! What cannot be provoked here, and why, is listed in `every.rs`.
#![allow(clippy::unwrap_used, missing_docs)]

mod dialplan;
mod every;
mod exact;
mod hangup;
mod input;
mod playback;
mod random;
mod record;
mod text;
mod values;

use std::collections::HashMap;
use std::time::Duration;

use agi_proto::reply::PlaybackEnd;
use agi_proto::{Command, Digit, EscapeDigits, Rejection, ReplyErrorKind};
use agi_tests::asterisk::{Asterisk, Call, Event, FarLeg, LiveCall, Outcome, Version};
use agi_tests::service::{Results, block_on, service};
use agi_tokio::{Channel, Error};

const TIME: Duration = Duration::from_secs(60);
const MS: Duration = Duration::from_millis(1);
/// How often something may come too late that must come while a command runs which lasts for half a second.
const TRIES: usize = 20;
const NONE: EscapeDigits = EscapeDigits::NONE;

/// A call that waits for commands: both ends of it in the hands of one test.
struct Line {
    call: LiveCall,
    channel: Channel,
    /// How many commands of a name were sent, to know one from another of the same name.
    sent: HashMap<&'static str, usize>,
    _service: Results<Channel>,
}

impl Line {
    /// A call to a party that sends a tone: without any audio Asterisk does not count the time between keys.
    fn new() -> Self {
        Self::with(|call| call.far_leg(FarLeg::Tone))
    }

    fn with(options: impl FnOnce(Call) -> Call) -> Self {
        let (url, channels) = service(async |channel| channel);
        let call = Asterisk::shared(Version::V22).call(&options(Call::to(url)));
        let channel = channels.next();
        assert_eq!(channel.environment().unique_id(), Some(call.unique_id().into()));
        Self { call, channel, sent: HashMap::new(), _service: channels }
    }

    /// Runs a command.
    fn send<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
        *self.sent.entry(command.info().name).or_default() += 1;
        block_on(self.channel.call(command))
    }

    /// Runs a command, and does something when Asterisk has begun to run it.
    fn during<C: Command>(
        &mut self,
        command: C,
        act: impl FnOnce(&LiveCall) + Send,
    ) -> Result<C::Reply, Error> {
        let name = command.info().name;
        let sent = self.sent.entry(name).or_default();
        *sent += 1;
        let (mut left, call) = (*sent, &self.call);
        std::thread::scope(|scope| {
            let acting = scope.spawn(move || {
                let this = |event: &Event| {
                    let is_one = event.is("AGIExecStart") && event.get("Command").starts_with(name);
                    left -= usize::from(is_one);
                    left == 0
                };
                call.wait_for(this, TIME);
                act(call);
            });
            let reply = block_on(self.channel.call(command));
            acting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            reply
        })
    }

    /// Lets the dialplan go on, and tells what became of the call. Nothing may have been complained of.
    fn end(self) -> Outcome {
        let outcome = self.finish();
        assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
        outcome
    }

    fn finish(self) -> Outcome {
        drop(self.channel);
        self.call.finish(TIME)
    }
}

fn set(digits: &str) -> EscapeDigits {
    EscapeDigits::new(digits).unwrap()
}

fn pressed(digit: char) -> PlaybackEnd {
    PlaybackEnd::Digit(Digit::new(digit).unwrap())
}

/// The response with which a command failed on a live channel.
#[track_caller]
fn failure<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Reply(error)) if error.kind == ReplyErrorKind::Failed && !error.hung_up => {
            error.response.to_string()
        }
        other => panic!("no failure: {other:?}"),
    }
}

/// The text of a 520.
#[track_caller]
fn usage<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Rejected(Rejection::Usage { usage })) => usage.to_string(),
        other => panic!("no 520: {other:?}"),
    }
}

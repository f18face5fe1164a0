//! The call itself: ANSWER, CHANNEL STATUS, HANGUP, SET AUTOHANGUP, SET CALLERID.

use std::time::Duration;

use agi_proto::BString;

use super::{Begun, result};
use crate::model::channel::UP;
use crate::model::functions::fraction;
use crate::model::job::{Answer, Sleep, Work};
use crate::model::setup::Audio;
use crate::model::state::CallState;

/// How long Asterisk waits for audio after it has answered.
const MEDIA: Duration = Duration::from_millis(500);

pub(super) fn answer(call: &mut CallState, _: &[BString]) -> Begun {
    if call.channel.state == UP {
        return result(0);
    }
    call.channel.state = UP;
    let wait = if call.setup.audio == Audio::None { MEDIA } else { Duration::from_millis(20) };
    let hung_up = Answer::result(-1).failed();
    Begun::Runs(Work::Sleep(Sleep { until: call.now + wait, done: Answer::result(0), hung_up }))
}

pub(super) fn status(call: &mut CallState, words: &[BString]) -> Begun {
    let state = match words.first() {
        None => Some(call.channel.state),
        Some(name) if *name == call.channel.name => Some(call.channel.state),
        Some(name) => call.setup.channels.get(name).copied(),
    };
    result(state.map_or(-1, i64::from))
}

pub(super) fn hangup(call: &mut CallState, words: &[BString]) -> Begun {
    let own = call.channel.name.clone();
    let ends_call = match words.first() {
        None => true,
        // the two legs of a Local channel end together
        Some(name) => {
            *name == own || own.strip_suffix(b";1").is_some_and(|leg| *name == [leg, b";2"].concat())
        }
    };
    if ends_call {
        call.end_call();
        return result(1);
    }
    result(if call.setup.channels.remove(&words[0]).is_some() { 1 } else { -1 })
}

pub(super) fn autohangup(call: &mut CallState, words: &[BString]) -> Begun {
    let Some(seconds) = fraction(&words[0]) else { return Begun::Usage };
    let seconds = Duration::try_from_secs_f64(seconds).ok().filter(|seconds| !seconds.is_zero());
    call.autohangup = seconds.map(|seconds| call.now + seconds);
    result(0)
}

pub(super) fn caller_id(call: &mut CallState, words: &[BString]) -> Begun {
    if let Some(text) = words.first() {
        call.channel.set_caller_id(text);
    }
    result(1)
}

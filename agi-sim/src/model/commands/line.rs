//! The call itself: ANSWER, CHANNEL STATUS, HANGUP, SET AUTOHANGUP, SET CALLERID.

use std::time::Duration;

use agi_proto::BString;

use super::{Begun, result};
use crate::model::channel::UP;
use crate::model::functions::fraction;
use crate::model::job::{Answer, Sleep, Work};
use crate::model::pbx::Pbx;
use crate::model::setup::Audio;

/// How long Asterisk waits for audio after it has answered.
const MEDIA: Duration = Duration::from_millis(500);

pub(super) fn answer(pbx: &mut Pbx, _: &[BString]) -> Begun {
    if pbx.channel.state == UP {
        return result(0);
    }
    pbx.channel.state = UP;
    let wait = if pbx.setup.audio == Audio::None { MEDIA } else { Duration::from_millis(20) };
    let hung_up = Answer::result(-1).failed();
    Begun::Runs(Work::Sleep(Sleep { until: pbx.now + wait, done: Answer::result(0), hung_up }))
}

pub(super) fn status(pbx: &mut Pbx, words: &[BString]) -> Begun {
    let state = match words.first() {
        None => Some(pbx.channel.state),
        Some(name) if *name == pbx.channel.name => Some(pbx.channel.state),
        Some(name) => pbx.setup.channels.get(name).copied(),
    };
    result(state.map_or(-1, i64::from))
}

pub(super) fn hangup(pbx: &mut Pbx, words: &[BString]) -> Begun {
    let own = pbx.channel.name.clone();
    let ends_call = match words.first() {
        None => true,
        // the two legs of a Local channel end together
        Some(name) => {
            *name == own || own.strip_suffix(b";1").is_some_and(|leg| *name == [leg, b";2"].concat())
        }
    };
    if ends_call {
        pbx.end_call();
        return result(1);
    }
    result(if pbx.setup.channels.remove(&words[0]).is_some() { 1 } else { -1 })
}

pub(super) fn autohangup(pbx: &mut Pbx, words: &[BString]) -> Begun {
    let Some(seconds) = fraction(&words[0]) else { return Begun::Usage };
    let seconds = Duration::try_from_secs_f64(seconds).ok().filter(|seconds| !seconds.is_zero());
    pbx.autohangup = seconds.map(|seconds| pbx.now + seconds);
    result(0)
}

pub(super) fn caller_id(pbx: &mut Pbx, words: &[BString]) -> Begun {
    if let Some(text) = words.first() {
        pbx.channel.set_caller_id(text);
    }
    result(1)
}

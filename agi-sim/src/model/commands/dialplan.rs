//! Where the dialplan goes on, and its subroutines.

use agi_proto::BString;

use super::{Begun, result};
use crate::model::expand::expand;
use crate::model::functions::leading;
use crate::model::job::{Answer, Sleep, Work};
use crate::model::state::CallState;

/// What a name of context or extension is cut at.
const NAME: usize = 79;

pub(super) fn context(call: &mut CallState, words: &[BString]) -> Begun {
    call.channel.context = words[0][..words[0].len().min(NAME)].into();
    result(0)
}

pub(super) fn extension(call: &mut CallState, words: &[BString]) -> Begun {
    call.channel.extension = words[0][..words[0].len().min(NAME)].into();
    result(0)
}

pub(super) fn priority(call: &mut CallState, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(number) => call.channel.priority = number.to_string().into(),
        None if call.setup.labels.contains(&words[0]) => call.channel.priority = words[0].clone(),
        None => return Begun::Usage,
    }
    call.channel.sent = true;
    result(0)
}

pub(super) fn gosub(call: &mut CallState, words: &[BString]) -> Begun {
    let numbered = leading(&words[2]).filter(|&number| number > 0).map(|number| number.to_string().into());
    let place = [&words[0], &words[1], numbered.as_ref().unwrap_or(&words[2])];
    let Some(subroutine) = call.setup.subroutines.get(bstr::join(",", place).as_slice()).cloned() else {
        return Begun::Answer(Answer::new("200 result=-1 Gosub label not found").failed());
    };
    let abnormal = Answer::new("200 result=0 Gosub complete (abnormal exit)").set("GOSUB_RETVAL", "");
    let arguments = words.get(3).cloned().unwrap_or_default();
    let outer = call.channel.variables.clone();
    for (number, argument) in arguments.split(|&byte| byte == b',').enumerate() {
        call.channel.set(format!("ARG{}", number + 1), argument);
    }
    let mut done = match &subroutine.returns {
        Some(value) if !subroutine.hangs_up => {
            Answer::new("200 result=0 Gosub complete").set("GOSUB_RETVAL", expand(&mut call.channel, value))
        }
        _ => Answer { hangs_up: subroutine.hangs_up, ..abnormal.clone() },
    };
    for (name, value) in &subroutine.sets {
        done = done.set(name.clone(), expand(&mut call.channel, value));
    }
    // its arguments are its own
    call.channel.variables = outer;
    Begun::Trying(Work::Sleep(Sleep { until: call.now + subroutine.takes, done, hung_up: abnormal }))
}

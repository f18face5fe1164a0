//! Where the dialplan goes on, and its subroutines.

use agi_proto::BString;

use super::{Begun, result};
use crate::model::functions::leading;
use crate::model::job::{Answer, Sleep, Work};
use crate::model::pbx::Pbx;

/// What a name of context or extension is cut at.
const NAME: usize = 79;

pub(super) fn context(pbx: &mut Pbx, words: &[BString]) -> Begun {
    pbx.channel.context = words[0][..words[0].len().min(NAME)].into();
    result(0)
}

pub(super) fn extension(pbx: &mut Pbx, words: &[BString]) -> Begun {
    pbx.channel.extension = words[0][..words[0].len().min(NAME)].into();
    result(0)
}

pub(super) fn priority(pbx: &mut Pbx, words: &[BString]) -> Begun {
    match leading(&words[0]) {
        Some(number) => pbx.channel.priority = number.to_string().into(),
        None if pbx.setup.labels.contains(&words[0]) => pbx.channel.priority = words[0].clone(),
        None => return Begun::Usage,
    }
    pbx.channel.sent = true;
    result(0)
}

pub(super) fn gosub(pbx: &mut Pbx, words: &[BString]) -> Begun {
    let Some(subroutine) = pbx.setup.subroutines.get(bstr::join(",", &words[..3]).as_slice()) else {
        return Begun::Answer(Answer::new("200 result=-1 Gosub label not found").failed());
    };
    let arguments = words.get(3).cloned().unwrap_or_default();
    let first: &[u8] = arguments.split(|&byte| byte == b',').next().unwrap_or_default();
    let abnormal = Answer::new("200 result=0 Gosub complete (abnormal exit)").set("GOSUB_RETVAL", "");
    let done = match &subroutine.returns {
        Some(value) if !subroutine.hangs_up => {
            let first = if subroutine.echoes { first } else { b"" };
            let done =
                Answer::new("200 result=0 Gosub complete").set("GOSUB_RETVAL", [value, first].concat());
            if subroutine.echoes { done.set("GOSUB_ARG", first) } else { done }
        }
        _ => Answer { hangs_up: subroutine.hangs_up, ..abnormal.clone() },
    };
    Begun::Trying(Work::Sleep(Sleep { until: pbx.now + subroutine.takes, done, hung_up: abnormal }))
}

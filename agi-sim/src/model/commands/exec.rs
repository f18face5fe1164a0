//! EXEC: the dialplan's applications, as far as a session can tell.

use std::time::Duration;

use agi_proto::BString;
use bstr::ByteSlice;

use super::{Begun, media, values};
use crate::model::event::Event;
use crate::model::expand::expand;
use crate::model::functions::{fraction, number};
use crate::model::job::{Answer, Collect, Play, Sleep, Then, Work};
use crate::model::setup::{Callee, Unknown, network};
use crate::model::state::CallState;

/// How long a callee rings whom Dial sets no limit: the network gives up.
const RINGS: Duration = Duration::from_secs(180);

pub(super) fn exec(call: &mut CallState, words: &[BString]) -> Begun {
    // only the second word counts, and `${}` in it only where AGIEXECFULL says so
    let data = words.get(1).cloned().unwrap_or_default();
    let full = call.channel.variable("AGIEXECFULL").unwrap_or_default();
    let full = call.setup.has(&[(16, 27), (18, 13), (19, 5), (20, 0)])
        && ["yes", "true", "y", "t", "1", "on"].iter().any(|word| full.eq_ignore_ascii_case(word.as_bytes()));
    let data = if full { expand(&mut call.channel, &data) } else { data };
    application(call, &words[0].to_ascii_lowercase(), &data)
}

fn value(value: i32) -> Begun {
    Begun::Answer(Answer::application(value))
}

fn sleep(call: &CallState, takes: Duration, done: Answer, hung_up: Answer) -> Begun {
    Begun::Runs(Work::Sleep(Sleep { until: call.now + takes, done, hung_up }))
}

fn application(call: &mut CallState, name: &[u8], data: &[u8]) -> Begun {
    let own = |value: i32| Answer::application(value);
    if let Some(application) = call.setup.applications.get(name.as_bstr()).cloned() {
        for (name, value) in application.sets {
            call.channel.set(name, value);
        }
        return sleep(call, application.takes, own(application.value), own(-1));
    }
    match name {
        b"noop" | b"gosub" | b"return" | b"ringing" | b"progress" | b"log" | b"resetcdr" => value(0),
        b"verbose" => {
            call.tell(Event::Logged(data.into()));
            value(0)
        }
        b"set" => {
            if let Some((name, text)) = data.split_once_str("=") {
                values::set(call, name, text);
            }
            value(0)
        }
        // in the extension h it does not wait; hung up while AGI runs it does
        b"wait" if call.setup.dead => value(-1),
        b"wait" => sleep(call, seconds(data), own(0), own(-1)),
        b"answer" => super::line::answer(call, &[]),
        b"playback" | b"background" => play(call, data, name == b"background"),
        b"hangup" => {
            call.end_call();
            value(-1)
        }
        b"busy" | b"congestion" => sleep(call, seconds(data), own(-1), own(-1)),
        b"goto" => {
            let mut parts = data.rsplit(|&byte| byte == b',');
            call.channel.sent = true;
            for place in [&mut call.channel.priority, &mut call.channel.extension, &mut call.channel.context]
            {
                if let Some(part) = parts.next() {
                    *place = part.into();
                }
            }
            value(0)
        }
        b"system" | b"trysystem" => {
            call.channel.set("SYSTEMSTATUS", "SUCCESS");
            value(0)
        }
        b"exec" => {
            let (name, rest) = data.split_once_str("(").unwrap_or((data, b")"));
            let name = name.to_ascii_lowercase();
            // one level is enough, and cannot go round in circles
            if name == b"exec" {
                return value(0);
            }
            match application(call, &name, rest.strip_suffix(b")").unwrap_or(rest)) {
                // it fails for want of the other one
                Begun::Answer(answer) if answer.text == "200 result=-2" => value(-1),
                begun => begun,
            }
        }
        b"read" => read(call, data),
        b"dial" => dial(call, data),
        b"agi" | b"deadagi" => {
            // nobody answers a call of the model's own
            let status = if network(data).is_some() { "FAILURE" } else { "NOTFOUND" };
            if data.is_empty() {
                return value(-1);
            }
            call.channel.set("AGISTATUS", status);
            value(0)
        }
        _ => value(if call.setup.unknown_applications == Unknown::Accept { 0 } else { -2 }),
    }
}

fn seconds(text: &[u8]) -> Duration {
    Duration::try_from_secs_f64(fraction(text).unwrap_or(0.0)).unwrap_or_default()
}

/// Playback and Background: the files of a list are heard as one.
fn play(call: &mut CallState, data: &[u8], digits: bool) -> Begun {
    let files = data.split(|&byte| byte == b',').next().unwrap_or_default();
    let mut length = 0;
    let mut missing = false;
    for file in files.split(|&byte| byte == b'&') {
        match media::length(call, &file.into()) {
            Some(samples) => length += samples,
            None => missing = true,
        }
    }
    if missing && length == 0 || call.is_dead() {
        return Begun::Answer(Answer::application(0).set("PLAYBACKSTATUS", "FAILED"));
    }
    let escape = if digits { "0123456789*#ABCD".into() } else { BString::default() };
    Begun::Runs(Work::Play(Play { from: 0, length, began: call.now, escape, then: Then::Application }))
}

/// `Read(variable,file,maxdigits,options,attempts,timeout)`, of which one attempt is made.
fn read(call: &mut CallState, data: &[u8]) -> Begun {
    let parts: Vec<&[u8]> = data.split(|&byte| byte == b',').collect();
    let part = |n: usize| parts.get(n).copied().filter(|part| !part.is_empty());
    let timeout = Some(part(5).map_or(Duration::from_secs(10), seconds));
    let max = part(2).and_then(|max| usize::try_from(number(max)).ok()).filter(|&max| max > 0).unwrap_or(255);
    let collect = Collect {
        digits: BString::default(),
        max,
        first: timeout,
        next: timeout,
        until: None,
        variable: Some(parts[0].into()),
    };
    if call.is_dead() {
        return Begun::Answer(collect.on_hangup());
    }
    let length = part(1).map_or(Some(0), |file| media::length(call, &file.into()));
    let Some(length) = length else { return Begun::Answer(collect.read("ERROR")) };
    let then = Then::Data(collect);
    Begun::Runs(Work::Play(Play { from: 0, length, began: call.now, escape: BString::default(), then }))
}

/// `Dial(callee,timeout,options)`
fn dial(call: &mut CallState, data: &[u8]) -> Begun {
    let parts: Vec<&[u8]> = data.split(|&byte| byte == b',').collect();
    let limit = parts.get(1).map_or(0, |seconds| number(seconds));
    let limit = u64::try_from(limit).ok().filter(|&limit| limit > 0).map(Duration::from_secs);
    let goes_on = parts.get(2).is_some_and(|options| options.contains(&b'g'));
    let hung_up = Answer::application(-1).set("DIALSTATUS", "CANCEL");
    if call.is_dead() {
        return Begun::Answer(hung_up);
    }
    let ends = |status: &'static str, value| Answer::application(value).set("DIALSTATUS", status);
    match call.setup.callees.get(parts[0].as_bstr()) {
        None => Begun::Answer(ends("CHANUNAVAIL", 0)),
        Some(Callee::Busy) => Begun::Answer(ends("BUSY", 0)),
        Some(Callee::NoAnswer) => sleep(call, limit.unwrap_or(RINGS), ends("NOANSWER", 0), hung_up),
        Some(&Callee::Answers(talks)) => {
            let value = if goes_on { 0 } else { -1 };
            sleep(call, talks, ends("ANSWER", value), ends("ANSWER", -1))
        }
    }
}

//! The real Asterisk calls the service.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::time::Duration;

use agi_tests::asterisk::{Asterisk, Call, Event, FarLeg, LiveCall, Version};

use crate::script::{Act, Script};

/// Longer than any call takes.
const TIME: Duration = Duration::from_secs(60);

/// Calls, and lets the far leg act. Gives AGISTATUS.
pub fn call(version: Version, script: &Script, url: &str, acted: &Sender<()>) -> String {
    let asterisk = Asterisk::shared(version);
    let mut call = Call::to(url);
    for (name, value) in &script.settings {
        call = call.preset(name, value.as_str());
    }
    call = call.far_leg(match script.far.as_str() {
        "tone" => FarLeg::Tone,
        "wait" => FarLeg::Wait,
        "silence" => FarLeg::Silence,
        other => panic!("{other}"),
    });
    if script.in_h {
        call = call.agi_in_h(url);
    }
    let call = asterisk.call(&call);
    let mut sent: HashMap<&str, usize> = HashMap::new();
    for step in &script.steps {
        let count = sent.entry(&step.line).or_default();
        *count += 1;
        if step.acts() && !step.line.is_empty() {
            wait_command(&call, &step.line, *count);
        }
        match &step.act {
            Act::Press(keys) => call.press(keys),
            Act::Text(text) => call.send_text(text),
            Act::HangUp => {
                if step.line.is_empty() {
                    wait_for_idle(&call, &sent);
                }
                if let Some(recording) = step.line.strip_prefix("RECORD FILE ") {
                    let name = recording.split(' ').next().unwrap_or_default();
                    call.wait_for_file(&asterisk.sounds_dir().join(format!("{name}.wav")));
                }
                call.hang_up();
                // the service may have seen enough
                let _ = acted.send(());
            }
            Act::Interrupted => acted.send(()).expect("the service waits for it"),
            Act::Nothing | Act::Replies(_) => {}
        }
    }
    let outcome = call.finish(TIME);
    match outcome.agi_in_h_status {
        Some(status) => status,
        None => outcome.agi_status,
    }
}

/// Waits until Asterisk runs this line for the so-manieth time.
fn wait_command(call: &LiveCall, line: &str, count: usize) {
    let mut left = count;
    let this = |event: &Event| {
        left -= usize::from(event.is("AGIExecStart") && event.get("Command") == line && left > 0);
        left == 0
    };
    call.wait_for(this, TIME);
}

/// Waits until as many commands have ended as there were.
fn wait_for_idle(call: &LiveCall, sent: &HashMap<&str, usize>) {
    let mut left: usize = sent.iter().filter(|(line, _)| !line.is_empty()).map(|(_, count)| count).sum();
    let ended = |event: &Event| {
        left = left.saturating_sub(usize::from(event.is("AGIExecEnd")));
        left == 0
    };
    call.wait_for(ended, TIME);
}

//! The simulated Asterisk calls the same service.

use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::Duration;

use agi_proto::BString;
use agi_sim::{Audio, Callee, Caller, Setup, Subroutine};

use crate::script::{Act, Script};

/// How long after a command has begun the far leg acts.
const LATER: Duration = Duration::from_millis(100);

/// Calls as the real one did, and lets the caller act. Gives AGISTATUS.
pub fn call(script: &Script, environment: &str, address: &str, acted: &Sender<()>) -> String {
    let mut caller = Caller::with(setup(script, environment));
    if script.steps.iter().any(|step| step.act == Act::Interrupted) {
        caller = caller.in_real_time();
    }
    let interrupted: Vec<String> = script
        .steps
        .iter()
        .filter(|step| step.act == Act::Interrupted)
        .map(|step| format!("S>A  {}", step.line))
        .collect();
    let acted = acted.clone();
    caller = caller.watched(move |_, line| {
        if line == "***  the caller hangs up" || interrupted.iter().any(|begins| begins == line) {
            // the service may have seen enough
            let _ = acted.send(());
        }
    });
    for step in &script.steps {
        if step.acts() && !step.line.is_empty() {
            caller = caller.expect_command(step.line.as_str());
        }
        caller = match &step.act {
            Act::Press(keys) => caller.wait(LATER).press_blindly(keys),
            Act::Text(text) => caller.text(text.as_str()),
            Act::HangUp => caller.hang_up_after(LATER),
            Act::Nothing | Act::Interrupted | Act::Replies(_) => caller,
        };
    }
    if script.in_h {
        hang_up_before(address);
    }
    caller.dial_at(address).unwrap().status().to_string()
}

/// The call before its end.
fn hang_up_before(address: &str) {
    Caller::new("agi://localhost/").dial_at(address).unwrap();
}

/// The call as the real one was, on a PBX that has the same sounds and dialplan.
fn setup(script: &Script, environment: &str) -> Setup {
    let field = |name: &str| {
        let line = environment.lines().find_map(|line| line.strip_prefix(&format!("agi_{name}: ")));
        BString::from(line.unwrap_or_else(|| panic!("no agi_{name} in {environment}")))
    };
    let known = |name: &str| Some(field(name)).filter(|value| value != "unknown");
    let mut setup = Setup::new(field("request"));
    setup.channel = field("channel");
    setup.language = field("language");
    setup.unique_id = field("uniqueid");
    setup.version = field("version");
    setup.caller_number = known("callerid");
    setup.caller_name = known("calleridname");
    setup.presentation = field("callingpres").to_string().parse().unwrap();
    setup.dialled = known("dnid");
    setup.context = field("context");
    setup.extension = field("extension");
    setup.priority = field("priority").to_string().parse().unwrap();
    setup.dead = script.in_h;
    setup.audio = match script.far.as_str() {
        "wait" => Audio::None,
        "silence" => Audio::Silence,
        _ => Audio::Speech,
    };
    for (name, value) in &script.settings {
        setup.variables.insert(name.as_str().into(), value.as_str().into());
    }
    sounds(&mut setup);
    dialplan(&mut setup);
    setup
}

/// The sounds that are installed, of 33 bytes for each 20 ms.
fn sounds(setup: &mut Setup) {
    setup.unknown_sound = None;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("asterisk/22/sounds");
    for folder in [&folder, &folder.join("digits"), &folder.join("silence")] {
        let folder = folder.canonicalize().unwrap();
        for entry in folder.read_dir().unwrap().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "gsm") {
                let frames = entry.metadata().unwrap().len() / 33;
                let name = path.file_stem().unwrap().to_str().unwrap();
                let name = match folder.file_name().unwrap().to_str().unwrap() {
                    below @ ("digits" | "silence") => format!("{below}/{name}"),
                    _ => name.to_owned(),
                };
                setup.sounds.insert(name.into(), Duration::from_millis(20 * frames));
            }
        }
    }
}

/// `conf/extensions.conf`, as far as scripts use it.
fn dialplan(setup: &mut Setup) {
    let mut subroutine = |extension: &str, takes: u64, returns: Option<&str>, hangs_up: bool| {
        let mut subroutine = Subroutine::default();
        subroutine.takes = Duration::from_secs(takes);
        subroutine.returns = returns.map(BString::from);
        subroutine.hangs_up = hangs_up;
        setup.subroutines.insert(format!("subs,{extension},1").into(), subroutine);
    };
    subroutine("value", 0, Some("a value"), false);
    subroutine("plain", 0, Some(""), false);
    subroutine("noreturn", 0, None, false);
    subroutine("hangup", 0, None, true);
    subroutine("echo", 0, Some("${ARG1}|${ARG2}|${ARG3}"), false);
    subroutine("nested", 0, Some("outer inner||"), false);
    subroutine("slow", 1, Some("slow"), false);
    subroutine("forever", 600, Some(""), false);
    setup.callees.insert("Local/busy@far/n".into(), Callee::Busy);
    setup.callees.insert("Local/noanswer@far/n".into(), Callee::NoAnswer);
    setup.callees.insert("Local/wait@far/n".into(), Callee::Answers(Duration::from_secs(600)));
    setup.labels = ["setting", "set", "eagi", "after"].map(BString::from).into();
    setup.unwritable = vec!["/no-such-folder".into()];
}

//! Callers who forge lines of the environment, and replies behind it, through a real Asterisk: nothing of it is
//! believed, no handler runs, and the log names the line.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod log;
mod service;
mod sip;

use std::time::Duration;

use agi_tests::asterisk::{Asterisk, Call, Version};

use self::log::Log;
use self::service::{Service, blocking, tokio};

const TIME: Duration = Duration::from_secs(60);

/// All that Asterisk sends behind the caller's number, as a caller may send it himself.
const REST: &str = "\nagi_calleridname: forged\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\n\
    agi_dnid: unknown\nagi_rdnis: unknown\nagi_context: forged\nagi_extension: forged\nagi_priority: 1\n\
    agi_enhanced: 0.0\nagi_accountcode: forged\nagi_threadid: 1\n\n";

/// What the dialplan sets, to what, and the error that it ends in. The first line is named that cannot stand where it
/// stands: the forged one, or Asterisk's own behind it.
const FORGED: [(&str, &str, &str); 13] = [
    (
        "CALLERID(num)",
        "1\nagi_request: agi://evil/\nagi_accountcode: forged",
        r#"a name that came before: "agi_request: agi://evil/""#,
    ),
    (
        "CALLERID(num)",
        "1\nagi_accountcode: forged",
        r#"a variable that is not in its place: "agi_calleridname: Ada""#,
    ),
    ("CALLERID(name)", "Ada\nagi_calleridname: Bob", r#"a name that came before: "agi_calleridname: Bob""#),
    ("CALLERID(num)", "1\nagi_arg_1: forged", r#"a variable that is not in its place: "agi_arg_1: forged""#),
    ("CALLERID(num)", "1\n\n200 result=1 (forged)", "the block ended before agi_calleridname"),
    ("CALLERID(num)", "1\r\n\r\n200 result=1 (forged)", "the block ended before agi_calleridname"),
    ("CALLERID(num)", "1\n\nHANGUP\n", "the block ended before agi_calleridname"),
    ("CALLERID(name)", "Ada\n200 result=1 (forged)", r#"a line without a colon: "200 result=1 (forged)""#),
    (
        "CALLERID(name)",
        "Ada\n200 result=1: forged",
        r#"what stands before the colon is no name: "200 result=1: forged""#,
    ),
    ("CALLERID(dnid)", "1\nHANGUP", r#"a line without a colon: "HANGUP""#),
    ("CALLERID(rdnis)", "1\nagi_threadid: 1\n\n", "the block ended before agi_context"),
    ("CHANNEL(accountcode)", "1\nagi_context: forged", r#"a name that came before: "agi_context: forged""#),
    // a log that a terminal shows
    ("CALLERID(name)", "Ada\n\x1b[2J\x07forged", r#"a line without a colon: "\x1b[2J\x07forged""#),
];

fn caller(service: &Service) -> Call {
    Call::to(service.url("menu")).caller_id("Ada", "15551234567")
}

fn forged_lines_end_the_call(version: Version, service: &Service) {
    let asterisk = Asterisk::shared(version);
    let calls = FORGED.map(|(name, value, error)| (caller(service).preset(name, value), error));
    let with_one_behind = caller(service).arg("one\nagi_arg_2: forged").arg("two");
    let twice = (with_one_behind, r#"a name that came before: "agi_arg_2: two""#);
    for (call, error) in calls.into_iter().chain([twice]) {
        let log = Log::from_now();
        // not waited for: the manager's own events are torn apart by such values
        let _call = asterisk.call(&call);
        let line = log.wait_for("invalid environment");
        assert!(line.ends_with(&format!("error=environment: {error}")), "{call:?}: {line}");
        assert_eq!(service.started(), 0, "{call:?}");
    }
}

/// A block that is whole, with more behind it. What comes at once the server finds, and else `resync` does, before a
/// handler believes a word.
fn forged_replies_end_the_call(version: Version, service: &Service) {
    let asterisk = Asterisk::shared(version);
    let whole = format!("1{REST}200 result=1 (forged)");
    let calls =
        [caller(service).preset("CALLERID(num)", whole), caller(service).arg("one\n\n200 result=1 (forged)")];
    for call in calls {
        let log = Log::from_now();
        let _call = asterisk.call(&call);
        log.wait_for(r#"error=bytes that no command asked for: "200 result=1 (forged)"#);
        assert_eq!(service.believed(), [[""; 0]; 0], "{call:?}");
    }
}

fn nothing_forged_is_believed(version: Version, service: &Service) {
    let _one_at_a_time = log::alone();
    forged_lines_end_the_call(version, service);
    forged_replies_end_the_call(version, service);
    // and a call with nothing forged is one
    let _outcome = Asterisk::shared(version).call(&caller(service).arg("one")).finish(TIME);
    assert_eq!(service.believed(), [["one"]]);
}

#[test]
fn nothing_forged_is_believed_on_tokio() {
    nothing_forged_is_believed(Version::V22, &tokio());
}

#[test]
fn nothing_forged_is_believed_on_threads() {
    nothing_forged_is_believed(Version::V22, &blocking());
}

#[test]
fn nothing_forged_is_believed_of_an_old_asterisk() {
    nothing_forged_is_believed(Version::V16, &tokio());
}

/// What `docs/security.md` leaves to the dialplan: arguments behind the last one, and names that Asterisk never sends.
#[test]
fn what_only_the_dialplan_can_prevent() {
    let _one_at_a_time = log::alone();
    let service = tokio();
    let asterisk = Asterisk::shared(Version::V22);
    for (call, args) in [
        (caller(&service).arg("one\nagi_arg_2: forged"), &["one", "forged"][..]),
        (caller(&service).preset("CALLERID(num)", "1\nforged: yes"), &[]),
    ] {
        let _outcome = asterisk.call(&call).finish(TIME);
        assert_eq!(service.believed(), [args]);
    }
}

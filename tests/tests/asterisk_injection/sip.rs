//! The same from outside: a SIP phone whose numbers hold `%0a`, which chan_pjsip takes for a line feed.

use agi_tests::asterisk::{Asterisk, Version};

use super::TIME;
use super::log::{self, Log};
use super::service::{Service, blocking, tokio};

/// Who calls, what is dialled, and the error that it ends in.
const FORGED: [(&str, &str, &str); 6] = [
    (
        "a%0aagi_request%3a%20agi%3a//evil/%0aagi_accountcode%3a%20forged",
        "100",
        r#"a name that came before: "agi_request: agi://evil/""#,
    ),
    ("a%0a%0a200%20result=1%20(forged)", "100", "the block ended before agi_calleridname"),
    ("a%0d%0a%0d%0aHANGUP", "100", "the block ended before agi_calleridname"),
    ("alice", "100%0aagi_arg_1%3a%20forged", r#"a variable that is not in its place: "agi_arg_1: forged""#),
    ("alice", "100%0a%0a200%20result=1", "the block ended before agi_rdnis"),
    ("alice", "100%0aHANGUP", r#"a line without a colon: "HANGUP""#),
];

fn a_phone_forges_nothing(version: Version, service: &Service) {
    let _one_at_a_time = log::alone();
    let asterisk = Asterisk::shared(version);
    asterisk.set_global("SIP_AGI", &service.url("menu"));
    for (from, to, error) in FORGED {
        let log = Log::from_now();
        asterisk.sip_call(from, to, TIME);
        let line = log.wait_for("invalid environment");
        assert!(line.ends_with(&format!("error=environment: {error}")), "{from} calls {to}: {line}");
        assert_eq!(service.started(), 0, "{from} calls {to}");
    }
    asterisk.sip_call("alice", "100", TIME);
    assert_eq!(service.believed(), [["100"]]);
}

#[test]
fn a_phone_forges_nothing_on_tokio() {
    a_phone_forges_nothing(Version::V22, &tokio());
}

#[test]
fn a_phone_forges_nothing_on_threads() {
    a_phone_forges_nothing(Version::V22, &blocking());
}

#[test]
fn a_phone_forges_nothing_through_an_old_asterisk() {
    a_phone_forges_nothing(Version::V16, &tokio());
}

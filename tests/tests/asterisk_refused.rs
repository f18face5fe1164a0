//! A 511 on a real Asterisk: on a channel that is hung up, and in an interception routine of one that lives.
#![allow(clippy::unwrap_used, missing_docs)]

use agi_proto::Rejection;
use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::{Answer, Exec, GetVariable, Noop, SetVariable};
use agi_tests::asterisk::{Asterisk, Call, Version};
use agi_tests::script::{Blocking, Error, HANG, Port, Script, Smol, Tape, Tokio};
use std::time::Duration;

const VERSIONS: [Version; 2] = [Version::V22, Version::V16];

/// Whether the refusal of an `ANSWER` is taken for a hangup.
fn is_hangup<S: Script>(script: &mut S) -> bool {
    let error = script.call(Answer::new()).unwrap_err();
    let Error::Rejected(Rejection::DeadChannel { text, hung_up }) = &error else { panic!("{error}") };
    assert_eq!(text, "Command Not Permitted on a dead channel or intercept routine");
    assert_eq!((error.is_hangup(), script.is_hung_up()), (*hung_up, *hung_up));
    *hung_up
}

/// Runs a script in the interception routine that `far` makes Asterisk run.
fn routine<S: Script>(version: Version, routine: &str, far: &str) {
    let (first, second, tape) = (Port::open(), Port::open(), Tape::default());
    let call = Call::to(first.url())
        .preset(&format!("{routine}_SEND_SUB"), "routine,s,1")
        .preset(&format!("{routine}_SEND_SUB_ARGS"), second.url())
        .preset("REDIRECTING(from-num)", "123")
        .preset("REDIRECTING(to-num)", "124");
    let call = Asterisk::shared(version).call(&call);
    let mut script: S = first.accept(&Tape::default());
    let to = format!("Local/{far}@far/n");
    let dial = Exec::new("Dial").arguments(&to);
    script.call_until(dial, || {
        let mut inner: S = second.accept(&tape);
        let mark = tape.mark();
        assert!(!is_hangup(&mut inner), "the channel lives");
        assert_eq!(inner.call(Exec::new("Wait").arguments("0.01")).unwrap(), ExecOutcome::Returned(0));
        assert!(!is_hangup(&mut inner), "it still does");
        // the bridge sometimes passes the same news on once more, for which nobody would accept
        inner.call(SetVariable::new(&format!("{routine}_SEND_SUB"), "")).unwrap();
        inner.close().unwrap();
        assert_eq!(tape.words(mark..).join(" "), "511 200 200 511 200 200 > H EOF");
    });
    call.hang_up();
    script.close().unwrap();
    assert!(call.finish(HANG).complaints().is_empty());
}

#[test]
fn interception_routine_of_a_living_channel() {
    for version in VERSIONS {
        for (name, far) in [("CONNECTED_LINE", "connected"), ("REDIRECTING", "redirecting")] {
            routine::<Tokio>(version, name, far);
            routine::<Smol>(version, name, far);
            routine::<Blocking>(version, name, far);
        }
    }
}

#[test]
fn hangup_handler_and_h_have_a_dead_channel() {
    for version in VERSIONS {
        for in_h in [true, false] {
            let (first, second, tape) = (Port::open(), Port::open(), Tape::default());
            let call = Call::to(first.url());
            let call = match in_h {
                true => call.agi_in_h(second.url()),
                false => {
                    let handler = format!("routine,s,1({})", second.url());
                    call.preset("CHANNEL(hangup_handler_push)", handler)
                }
            };
            let call = Asterisk::shared(version).call(&call);
            first.accept::<Tokio>(&Tape::default()).close().unwrap();
            let mut script: Tokio = second.accept(&tape);
            let mark = tape.mark();
            script.call(Noop::new()).unwrap();
            assert!(!script.is_hung_up(), "nothing says so yet");
            assert!(is_hangup(&mut script));
            script.close().unwrap();
            assert_eq!(tape.words(mark..).join(" "), "200 511 200 > H EOF");
            assert!(call.finish(HANG).complaints().is_empty());
        }
    }
}

/// With `AGISIGHUP=no` nothing announces the hangup of a channel that was alive.
#[test]
fn hangup_that_is_not_announced() {
    for version in VERSIONS {
        let (port, tape) = (Port::open(), Tape::default());
        let call = Asterisk::shared(version).call(&Call::to(port.url()).sighup("no"));
        let mut script: Tokio = port.accept(&tape);
        script.call(Answer::new()).unwrap();
        let alive = script.call(GetVariable::new("CHANNEL(checkhangup)")).unwrap();
        assert_eq!(alive.unwrap(), "0");
        let mark = tape.mark();
        call.hang_up();
        // the first questions may come before Asterisk knows
        assert!(script.wait_for_hangup_polling(Duration::from_millis(5), HANG));
        assert!(is_hangup(&mut script));
        script.close().unwrap();
        let words = tape.words(mark..).join(" ");
        assert_eq!(words.trim_start_matches("200 "), "511 200 511 > EOF");
        assert!(call.finish(HANG).complaints().is_empty());
    }
}

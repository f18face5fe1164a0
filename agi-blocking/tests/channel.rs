//! A channel against a PBX that answers as the test says, over a pair of sockets.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use agi_blocking::agi_proto::commands::{Exec, Noop, StreamFile};
use agi_blocking::{ChannelBuilder, Error, EscapeDigits, NoTimeouts};

use self::pbx::{Pbx, with_pbx};

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(20);

fn stream_file() -> StreamFile<'static> {
    StreamFile::new("long", EscapeDigits::new("").expect("none are valid"))
}

#[test]
fn a_command_gets_its_reply() {
    let script = |mut pbx: Pbx<_>| {
        pbx.expect(r#"SET VARIABLE "RESULT" "a \"b\"""#).respond("200 result=1");
        pbx.expect(r#"GET VARIABLE "X""#).respond("200 result=1 (y)").expect("NOOP").respond("510 what?");
        assert_eq!(pbx.next_line(), None);
    };
    with_pbx(script, |channel| {
        assert_eq!(channel.environment().channel().expect("it came"), "PJSIP/100-00000001");
        assert_eq!(channel.request().query("lang").expect("it came"), "de");
        channel.set_variable("RESULT", "a \"b\"").expect("set");
        assert_eq!(channel.get_variable("X").expect("answered").expect("set"), "y");
        assert!(matches!(channel.noop(), Err(Error::Rejected(_))));
    });
}

#[test]
fn a_call_that_was_given_up_keeps_its_answer_to_itself() {
    let script = |mut pbx: Pbx<_>| {
        pbx.expect(r#"STREAM FILE "long" """#);
        // the next command stops it, and it sends no answer
        let echo = pbx.expect_barrier();
        pbx.respond(&echo).expect(r#"GET VARIABLE "X""#).respond("200 result=1 (mine)");
        // this one does answer, late
        pbx.expect(r#"STREAM FILE "long" """#);
        let echo = pbx.expect_barrier();
        pbx.respond("200 result=0 endpos=1").respond(&echo);
        let echo = pbx.expect_barrier();
        pbx.respond(&echo).expect("NOOP").respond("200 result=0");
        assert_eq!(pbx.next_line(), None);
    };
    with_pbx(script, |channel| {
        assert_eq!(channel.call_timeout(stream_file(), SHORT).expect("no error"), None);
        assert_eq!(channel.get_variable("X").expect("answered").expect("set"), "mine");
        assert_eq!(channel.call_timeout(stream_file(), SHORT).expect("no error"), None);
        channel.resync().expect("the echo comes");
        assert!(channel.resync_timeout(LONG).expect("the echo comes"), "nothing is left to be paired");
        assert_eq!(channel.call_timeout(Noop::new(), LONG).expect("no error"), Some(()));
    });
}

#[test]
fn a_barrier_that_was_not_seen_is_sent_again() {
    let script = |mut pbx: Pbx<_>| {
        pbx.expect(r#"STREAM FILE "long" """#);
        pbx.expect_barrier();
        let echo = pbx.expect_barrier();
        pbx.respond(&echo).expect("NOOP").respond("200 result=0");
    };
    with_pbx(script, |channel| {
        assert_eq!(channel.call_timeout(stream_file(), SHORT).expect("no error"), None);
        channel.noop().expect("the second echo comes");
    });
}

#[test]
fn a_barrier_is_sent_again_though_every_call_gives_up_before() {
    let script = |mut pbx: Pbx<_>| {
        pbx.expect(r#"STREAM FILE "long" """#);
        // it came in one read with the command before, and lies unseen
        pbx.expect_barrier();
        let echo = pbx.expect_barrier();
        pbx.respond(&echo);
        // a call may give up while this is on its way to it, and the next one asks again
        while let Some(line) = pbx.next_line() {
            match line.strip_prefix("GET FULL VARIABLE \"").and_then(|token| token.strip_suffix('"')) {
                Some(token) => pbx.respond(&format!("200 result=1 ({token})")),
                None => {
                    assert_eq!(line, "NOOP");
                    pbx.respond("200 result=0")
                }
            };
        }
    };
    with_pbx(script, |channel| {
        assert_eq!(channel.call_timeout(stream_file(), SHORT).expect("no error"), None);
        let calls = (0..100).map(|_| channel.call_timeout(Noop::new(), 2 * SHORT).expect("no error"));
        assert!(calls.into_iter().any(|reply| reply.is_some()), "replies were never paired again");
    });
}

#[test]
fn what_waits_behind_a_command_that_runs_on_keeps_its_time_limit() {
    let script = |mut pbx: Pbx<_>| {
        pbx.expect(r#"EXEC "Dial" "PJSIP/bob""#);
        assert_eq!(pbx.next_line(), None, "nothing is sent before that is answered");
    };
    with_pbx(script, |channel| {
        let dial = Exec::new("Dial").arguments("PJSIP/bob");
        assert_eq!(channel.call_timeout(dial, SHORT).expect("no error"), None);
        assert!(!channel.wait_for_hangup_polling(4 * SHORT, SHORT).expect("no error"));
        assert!(!channel.resync_timeout(SHORT).expect("no error"));
    });
}

#[test]
fn a_failure_that_may_be_a_hangup_is_asked_about() {
    let script = |mut pbx: Pbx<_>| {
        pbx.expect(r#"STREAM FILE "long" """#).respond("200 result=-1 endpos=0");
        pbx.expect("CHANNEL STATUS").respond("511 Command Not Permitted on a dead channel");
        assert_eq!(pbx.next_line(), None);
    };
    with_pbx(script, |channel| {
        let error = channel.call(stream_file()).expect_err("a failure");
        assert!(error.is_hangup(), "{error}");
        assert!(channel.is_hung_up());
    });
}

#[test]
fn waiting_for_a_hangup_loses_no_bytes() {
    let script = |mut pbx: Pbx<UnixStream>| {
        pbx.expect("NOOP");
        pbx.stream.write_all(b"200 result=0\nHANG").expect("it is read");
        pbx.expect("VERBOSE \"waited\"");
        pbx.stream.write_all(b"UP\n200 result=1\n").expect("it is read");
        pbx.expect("NOOP").respond("200 result=0");
        assert_eq!(pbx.next_line(), None);
    };
    with_pbx(script, |channel| {
        channel.noop().expect("answered");
        assert!(!channel.wait_for_hangup(SHORT).expect("no error"));
        channel.verbose("waited").expect("answered");
        assert!(channel.wait_for_hangup(None).expect("no error"), "it is known by now");
        channel.noop().expect("a dead channel answers it");
        assert!(!channel.is_closed());
    });
}

#[test]
fn a_port_that_is_only_looked_at_is_no_error() {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    drop(theirs);
    assert!(ChannelBuilder::new().start(ours).expect("no error").is_none());
}

#[test]
fn an_environment_has_its_time() {
    let (ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
    theirs.write_all(b"agi_network: yes\n").expect("it is read");
    let begun = Instant::now();
    let error =
        ChannelBuilder::new().environment_timeout(SHORT).start(ours).expect_err("the rest does not come");
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut));
    assert!((SHORT..LONG).contains(&begun.elapsed()));
}

#[test]
fn any_reader_and_writer_will_do() {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let script = thread::spawn(move || {
        let mut pbx = Pbx::over(theirs).begin("menu?lang=de");
        pbx.expect("NOOP").respond("200 result=0");
        assert_eq!(pbx.next_line(), None, "what cannot have a deadline was not sent");
    });
    let mut channel =
        ChannelBuilder::new().start(NoTimeouts(ours)).expect("an environment").expect("not closed");
    channel.noop().expect("answered");
    let error = channel.call_timeout(Noop::new(), LONG).expect_err("no deadlines");
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::Unsupported));
    channel.close().expect("nothing is waited for");
    drop(channel);
    script.join().expect("the script went as written");
}

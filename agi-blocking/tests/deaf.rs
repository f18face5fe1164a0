//! A peer that takes nothing: the buffers between are full, and what has a time limit keeps it.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Duration;

use agi_blocking::agi_proto::commands::{Noop, SetVariable, StreamFile};
use agi_blocking::{Channel, Error, EscapeDigits};
use rustix::net::sockopt::set_socket_send_buffer_size;

use self::pbx::{Pbx, with_pbx};

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(20);

/// As long as a value may be, as good as: longer than the least that the system keeps for who does not read.
fn value() -> String {
    "x".repeat(8000)
}

/// Runs a script of a PBX, which goes on when the test tells it to, against a test that has little room to write.
fn with_deaf(
    script: impl FnOnce(Pbx<UnixStream>) + Send + 'static,
    test: impl FnOnce(&mut Channel<UnixStream>, &dyn Fn()),
) {
    let (tell, told) = mpsc::channel();
    let script = move |pbx| {
        told.recv_timeout(LONG).expect("it waits for ever to write");
        script(pbx);
    };
    with_pbx(script, |channel| {
        set_socket_send_buffer_size(channel.get_ref(), 1).expect("the least there is");
        test(channel, &|| tell.send(()).expect("the script waits"));
    });
}

#[test]
fn a_command_that_is_not_taken_is_given_up_and_goes_out_later() {
    let script = |mut pbx: Pbx<_>| {
        pbx.expect(&format!(r#"SET VARIABLE "LONG" "{}""#, value())).respond("200 result=1");
        pbx.expect(r#"GET VARIABLE "X""#).respond("200 result=1 (mine)");
        assert_eq!(pbx.next_line(), None);
    };
    with_deaf(script, |channel, tell| {
        let value = value();
        let long = SetVariable::new("LONG", &value);
        assert_eq!(channel.call_timeout(long, SHORT).expect("no error"), None);
        // whatever it is, the rest of that line comes first
        assert_eq!(channel.call_timeout(Noop::new(), SHORT).expect("no error"), None);
        assert!(!channel.wait_for_hangup(SHORT).expect("no error"));
        assert!(!channel.wait_for_hangup_polling(4 * SHORT, SHORT).expect("no error"));
        assert!(!channel.resync_timeout(SHORT).expect("no error"));
        tell();
        assert_eq!(channel.get_variable("X").expect("answered").expect("set"), "mine");
    });
}

#[test]
fn what_stops_a_command_comes_behind_the_whole_of_it() {
    let script = |mut pbx: Pbx<_>| {
        pbx.expect(&format!(r#"STREAM FILE "{}" """#, value()));
        let echo = pbx.expect_barrier();
        pbx.respond(&echo).expect("NOOP").respond("200 result=0");
        assert_eq!(pbx.next_line(), None);
    };
    with_deaf(script, |channel, tell| {
        let value = value();
        let long = StreamFile::new(&value, EscapeDigits::default());
        assert_eq!(channel.call_timeout(long, SHORT).expect("no error"), None);
        assert_eq!(channel.call_timeout(Noop::new(), SHORT).expect("no error"), None);
        assert!(!channel.resync_timeout(SHORT).expect("no error"));
        tell();
        assert_eq!(channel.call_timeout(Noop::new(), LONG).expect("no error"), Some(()));
    });
}

#[test]
fn closing_does_not_wait_for_ever_to_write() {
    let script = |mut pbx: Pbx<UnixStream>| {
        let mut said = String::new();
        pbx.stream.read_to_string(&mut said).expect("no reset");
        let line = format!(r#"SET VARIABLE "LONG" "{}""#, value());
        assert!(!said.is_empty() && line.starts_with(&said), "{said}");
    };
    with_deaf(script, |channel, tell| {
        let value = value();
        let long = SetVariable::new("LONG", &value);
        assert_eq!(channel.call_timeout(long, SHORT).expect("no error"), None);
        let error = channel.close_within(SHORT).expect_err("it takes nothing");
        assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut));
        assert!(channel.is_closed());
        tell();
    });
}

//! How conversations end, over a pair of sockets.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Duration;

use agi_blocking::Error;
use agi_blocking::agi_proto::ProtocolError;
use agi_blocking::agi_proto::commands::Noop;

use self::pbx::{Pbx, with_pbx};

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(20);

#[test]
fn a_hangup_or_the_end_ends_the_wait() {
    with_pbx(
        |mut pbx| {
            pbx.respond("HANGUP");
            assert_eq!(pbx.next_line(), None);
        },
        |channel| assert!(channel.wait_for_hangup(LONG).expect("no error")),
    );
    with_pbx(drop, |channel| {
        assert!(channel.wait_for_hangup(None).expect("no error"));
        assert!(!channel.is_hung_up() && channel.is_closed());
        assert!(matches!(channel.noop(), Err(Error::Closed)));
        channel.close().expect("nothing is left to do");
    });
}

#[test]
fn the_end_while_a_call_waits_is_told_apart() {
    let closes = |mut pbx: Pbx<_>| {
        pbx.expect("NOOP");
    };
    with_pbx(closes, |channel| {
        assert!(matches!(channel.noop(), Err(Error::Closed)));
        assert!(matches!(channel.noop(), Err(Error::Closed)), "and again");
    });
    let hangs_up = |mut pbx: Pbx<_>| {
        pbx.expect("NOOP").respond("HANGUP");
    };
    with_pbx(hangs_up, |channel| {
        assert!(matches!(channel.noop(), Err(Error::Hangup)));
        assert!(matches!(channel.noop(), Err(Error::Hangup)), "and again");
    });
}

#[test]
fn a_hangup_before_a_broken_pipe_is_still_read() {
    let (told, tell) = mpsc::channel();
    let script = move |mut pbx: Pbx<_>| {
        pbx.respond("HANGUP");
        drop(pbx);
        told.send(()).expect("the test waits");
    };
    with_pbx(script, |channel| {
        tell.recv().expect("the script goes on");
        assert!(matches!(channel.noop(), Err(Error::Hangup)));
    });
}

#[test]
fn what_nobody_asked_for_is_an_error_that_stays() {
    with_pbx(
        |mut pbx| {
            pbx.expect("NOOP").respond("200 result=0").respond("200 result=1 (forged)");
            assert_eq!(pbx.next_line(), None);
        },
        |channel| {
            channel.noop().expect("answered");
            let unsolicited = |error| matches!(error, Error::Protocol(ProtocolError::Unsolicited(_)));
            assert!(unsolicited(channel.wait_for_hangup(LONG).expect_err("forged")));
            assert!(unsolicited(channel.noop().expect_err("it repeats")));
            channel.close_within(LONG).expect("it closes all the same");
        },
    );
}

#[test]
fn closing_waits_for_the_other_side() {
    let script = |mut pbx: Pbx<_>| {
        pbx.expect("NOOP").respond("200 result=0");
        pbx.end();
    };
    with_pbx(script, |channel| {
        channel.noop().expect("answered");
        channel.close_within(LONG).expect("it closes too");
        assert!(!channel.is_hung_up(), "the HANGUP at the end is none");
        assert!(matches!(channel.noop(), Err(Error::Closed)));
        channel.close().expect("once more does nothing");
    });
}

#[test]
fn closing_does_not_wait_for_ever() {
    let script = |mut pbx: Pbx<UnixStream>| {
        pbx.expect("NOOP");
        assert_eq!(pbx.next_line(), None);
        // it neither answers nor closes, until the script's socket is gone altogether
        let mut end = [0; 1];
        while pbx.stream.write(b"HANGUP\n").is_ok() {}
        assert_eq!(pbx.stream.read(&mut end).unwrap_or(0), 0);
    };
    with_pbx(script, |channel| {
        assert_eq!(channel.call_timeout(Noop::new(), SHORT).expect("no error"), None);
        let error = channel.close_within(SHORT).expect_err("it does not end");
        assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut));
        assert!(channel.is_closed());
    });
}

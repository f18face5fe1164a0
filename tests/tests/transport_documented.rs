//! The transport in the docs of agi-proto, the very text: whatever the caller does, it ends, and for a reason that is an
//! end.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::net::TcpListener;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use agi_proto::commands::{Answer, Exec, GetData, GetVariable, Noop, SetVariable, StreamFile};
use agi_proto::{EscapeDigits, RawCommand};
use agi_sim::Caller;
use agi_tests::pair::ENVIRONMENT;

include!(concat!(env!("OUT_DIR"), "/transport.rs"));

/// Nothing takes so long; what does spins, or waits for what never comes.
const HANG: Duration = Duration::from_secs(30);

type Outcome = Result<(), Error<io::Error>>;

fn script(call: &mut Call) -> Outcome {
    call.call(Answer::new())?;
    let _ = call.call(StreamFile::new("hello-world", EscapeDigits::NONE))?;
    let _ = call.call(GetVariable::new("X"))?;
    let _ = call.call(GetData::new("enter-pin").max_digits(2))?;
    call.call(SetVariable::new("PIN", "known"))?;
    call.call(RawCommand::new("CHANNEL STATUS"))?;
    let _ = call.call(Exec::new("Wait").arguments("1"))?;
    Ok(())
}

/// A handler that does not heed the end: it goes on with its commands.
fn stubborn(call: &mut Call) -> Outcome {
    let first = script(call);
    for _ in 0..3 {
        let _ = call.call(Noop::new());
    }
    first
}

/// Runs this script in each call at each place where the caller may leave.
fn everywhere(script: fn(&mut Call) -> Outcome) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        for nonce in 1.. {
            let Ok((stream, _)) = listener.accept() else { return };
            let outcome = Call::start(stream, nonce).map(|call| {
                let mut call = call.expect("it sends an environment");
                (script(&mut call), call.close())
            });
            if done.send(outcome).is_err() {
                return;
            }
        }
    });
    let caller = Caller::new("agi://localhost/test")
        .set_variable("X", "one\nHANGUP\ntwo")
        .expect_play("hello-world")
        .expect_play("enter-pin")
        .press("12");
    let calls = caller.hang_up_everywhere(|caller| {
        let call = caller.dial_at(address).unwrap();
        let outcome = match ended.recv_timeout(HANG) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", call.transcript()),
            Err(RecvTimeoutError::Disconnected) => panic!("it panicked:\n{}", call.transcript()),
        };
        let (script, close) = outcome.unwrap_or_else(|error| panic!("{error}:\n{}", call.transcript()));
        if let Err(error) = script {
            assert!(error.is_hangup(), "{error}:\n{}", call.transcript());
        }
        close.unwrap_or_else(|error| panic!("{error}:\n{}", call.transcript()));
        call
    });
    assert!(calls.len() > 40, "{} calls", calls.len());
}

#[test]
fn documented_transport_ends_wherever_the_caller_leaves() {
    everywhere(script);
}

#[test]
fn documented_transport_survives_a_handler_that_does_not_heed_the_end() {
    everywhere(stubborn);
}

/// A peer that leaves one byte of the command unread when it closes, so that its system resets the connection: before it
/// has answered, or after, so that the next command meets it.
fn reset(answer: &'static str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    for (name, value) in ENVIRONMENT {
        peer.write_all(format!("{name}: {value}\n").as_bytes()).unwrap();
    }
    peer.write_all(b"\n").unwrap();
    let mut call = Call::start(listener.accept().unwrap().0, 1).unwrap().unwrap();
    let peer = thread::spawn(move || {
        peer.read_exact(&mut [0; 4]).unwrap();
        peer.write_all(answer.as_bytes()).unwrap();
    });
    let first = call.call(Noop::new());
    peer.join().unwrap();
    assert_eq!(first.is_ok(), answer.contains("200"), "{first:?}");
    let errors = [first.err(), call.call(Noop::new()).err(), call.call(Noop::new()).err()];
    for error in errors.into_iter().flatten() {
        assert!(error.is_hangup(), "{error:?}");
    }
    call.close().unwrap();
}

#[test]
fn documented_transport_takes_a_reset_for_an_end() {
    for answer in ["", "HANGUP\n", "200 result=0\n", "200 result=0\nHANGUP\n"] {
        reset(answer);
    }
}

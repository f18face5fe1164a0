//! What Asterisk does not take, and how `EXEC` says so: each is a reason for a rule of the stream.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use agi_proto::SampleRate;
use agi_proto::audiosocket::encode_audio;
use agi_tests::asterisk::{FarLeg, Version};

use super::line::{SOON, UUID, call};

const FAILED: &str = "200 result=-1";

/// Reads until Asterisk closes, one way or the other.
fn closes(socket: &mut TcpStream) {
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut bytes = [0; 1024];
    loop {
        match socket.read(&mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
            Err(error) => panic!("Asterisk does not close: {error}"),
        }
    }
}

/// What `EXEC` says, and whether the channel is up, after these bytes.
fn after(act: impl FnOnce(&mut TcpStream)) -> (String, bool) {
    let (_live, script) = call(Version::V22, |call| call.far_leg(FarLeg::Silence));
    let (mut socket, exec) = script.audio();
    act(&mut socket);
    closes(&mut socket);
    let (reply, mut script) = exec.join().unwrap();
    (reply, script.is_up())
}

fn failed_and_up() -> (String, bool) {
    (FAILED.into(), true)
}

#[test]
fn foreign_kinds_and_empty_messages_end_the_audio() {
    for bytes in [&b"\x10\x00\x00"[..], b"\x01\x00\x100123456789abcdef", b"\x03\x00\x011", b"\xff\x00\x00"] {
        assert_eq!(after(|socket| socket.write_all(bytes).unwrap()), failed_and_up(), "{bytes:?}");
    }
}

#[test]
fn a_payload_that_comes_later_than_its_header_ends_the_audio() {
    let gap = |socket: &mut TcpStream| {
        socket.write_all(&[0x10, 1, 0x40]).unwrap();
        sleep(Duration::from_millis(100));
        // Asterisk may have closed by now
        let _ = socket.write_all(&[0; 320]);
    };
    assert_eq!(after(gap), failed_and_up());
}

#[test]
fn a_close_is_an_end() {
    let (_live, script) = call(Version::V22, |call| call);
    let (socket, exec) = script.audio();
    drop(socket);
    let (reply, mut script) = exec.join().unwrap();
    assert_eq!((&*reply, script.is_up()), ("200 result=0", true));
}

#[test]
fn silence_of_both_sides_ends_the_audio_after_2_seconds() {
    let (_live, script) = call(Version::V22, |call| call);
    let (mut socket, exec) = script.audio();
    let begin = Instant::now();
    closes(&mut socket);
    assert!(begin.elapsed() >= Duration::from_millis(1_900), "{:?}", begin.elapsed());
    let (reply, mut script) = exec.join().unwrap();
    assert_eq!((reply, script.is_up()), failed_and_up());
}

#[test]
fn a_burst_is_taken_and_passed_on_as_a_whole() {
    let (_live, script) = call(Version::V22, |call| call.far_leg(FarLeg::Echo));
    let (mut socket, exec) = script.audio();
    let mut bytes = vec![];
    for _ in 0..50 {
        encode_audio(SampleRate::Hz8000, &[500; 160], &mut bytes);
    }
    socket.write_all(&bytes).unwrap();
    // nothing of the second can be taken back: all of it is heard, and the echo returns it
    let mut heard = vec![0; 19 + bytes.len()];
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket.read_exact(&mut heard).unwrap();
    assert!(heard[19..] == bytes);
    socket.write_all(&[0, 0, 0]).unwrap();
    closes(&mut socket);
    assert_eq!(exec.join().unwrap().0, "200 result=0");
}

#[test]
fn nobody_who_listens_is_a_failure_at_once() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_live, mut script) = call(Version::V22, |call| call);
    for (uuid, address) in [
        (UUID.to_string(), free.to_string()),
        (UUID.to_string(), "nowhere.invalid:1".into()),
        (UUID.to_string(), "127.0.0.1".into()),
        ("not-a-uuid".into(), free.to_string()),
    ] {
        assert_eq!(script.command(&format!("EXEC AudioSocket {uuid},{address}")), FAILED, "{uuid} {address}");
        assert!(script.is_up());
    }
}

#[test]
fn a_channel_that_is_not_answered_is_a_failure() {
    let listener = super::line::listen();
    let (_live, mut script) = call(Version::V22, |call| call.called_leg(true).answer(false));
    let exec = format!("EXEC AudioSocket {UUID},{}", listener.local_addr().unwrap());
    assert_eq!(script.command(&exec), FAILED);
}

#[test]
fn asterisk_16_has_no_such_application() {
    let (_live, mut script) = call(Version::V16, |call| call);
    assert_eq!(script.command(&format!("EXEC AudioSocket {UUID},127.0.0.1:1")), "200 result=-2");
    assert!(script.is_up());
}

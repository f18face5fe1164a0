//! Calls over TCP to services that do not end as they should.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use agi_sim::{CLASSES, Call, Caller};

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(60);

/// A service for one call.
fn service(serve: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || serve(listener.accept().unwrap().0));
    address
}

/// A call that fails where it hangs; the caller is told why it went wrong.
fn dial(caller: Caller, address: SocketAddr) -> Result<Call, String> {
    let (tell, told) = mpsc::channel();
    let call = thread::spawn(move || {
        let call = caller.dial_at(address).unwrap();
        tell.send(call).unwrap();
    });
    match told.recv_timeout(LONG) {
        Ok(call) => Ok(call),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(*call.join().unwrap_err().downcast().unwrap()),
    }
}

/// A call that Asterisk ends.
fn ended() -> Caller {
    let [_, exits, ..] = CLASSES;
    Caller::new("agi://localhost/").class(exits).hang_up()
}

#[test]
fn a_service_that_is_slow_to_close_closes() {
    let address = service(|mut stream| {
        stream.read_to_end(&mut Vec::new()).unwrap();
        thread::sleep(Duration::from_millis(800));
    });
    let call = dial(ended(), address).unwrap();
    let transcript = call.transcript();
    assert!(transcript.contains("the service closes its side"), "{transcript}");
    assert!(!transcript.contains("breaks"), "{transcript}");
}

#[test]
fn a_service_that_never_stops_sending_is_left() {
    let address = service(|mut stream| while stream.write_all(b"NOOP\n").is_ok() {});
    let call = dial(ended(), address).unwrap();
    assert!(call.transcript().contains("does not close"), "{}", call.transcript());
}

#[test]
fn a_service_that_never_reads_is_a_failure() {
    let (keep, kept) = mpsc::channel();
    let address = service(move |stream| keep.send(stream).unwrap());
    // more than the kernel takes
    let caller = Caller::new("agi://localhost/").arg(vec![b'x'; 20_000_000]);
    let why = dial(caller.patience(Duration::from_secs(1)), address).unwrap_err();
    assert!(why.starts_with("the service does not read"), "{why:.300}");
    drop(kept.recv().unwrap());
}

//! A server that has no file descriptor left for a call. Alone in its process, whose limit it lowers.

use std::fs::File;
use std::thread::sleep;
use std::time::Duration;

use agi_tests::pbx::Pbx;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::adapter::Channel;
use crate::running::Running;

#[test]
fn a_failed_accept_is_survived() {
    let server = Running::start(|mut channel: Channel| async move { channel.noop().await });
    // the runtime has by now what it needs
    let mut pbx = Pbx::call(server.address);
    pbx.expect("NOOP").respond("200 result=0");
    pbx.end_with("SUCCESS");

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(64);
    setrlimit(Resource::Nofile, limit).unwrap();
    let mut files = Vec::new();
    let mut full = false;
    // the server still closes its end of the call before
    while !std::mem::replace(&mut full, true) {
        while let Ok(file) = File::open("/dev/null") {
            files.push(file);
            full = false;
        }
        sleep(Duration::from_millis(100));
    }
    // for the caller's own end
    files.pop();
    let mut pbx = Pbx::call(server.address);
    sleep(Duration::from_millis(200));
    pbx.stream.set_nonblocking(true).unwrap();
    assert!(pbx.stream.peek(&mut [0]).is_err(), "it was taken");
    pbx.stream.set_nonblocking(false).unwrap();
    drop(files);
    pbx.expect("NOOP").respond("200 result=0");
    pbx.end_with("SUCCESS");
    server.stop();
}

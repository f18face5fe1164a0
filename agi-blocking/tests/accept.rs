//! A server that has no file descriptor left for a call. Alone in its process, whose limit it lowers.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::fs::File;
use std::thread;

use agi_blocking::{Channel, Server};
use rustix::process::{Resource, getrlimit, setrlimit};

use self::pbx::Pbx;
use self::pbx::log::Log;

#[test]
fn a_failed_accept_is_survived() {
    let log = Log::capture();
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let (address, shutdown) = (server.local_addr().expect("bound"), server.shutdown_handle());
    let serving = thread::spawn(move || server.serve(Channel::noop));

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(64);
    setrlimit(Resource::Nofile, limit).expect("it may be lowered");
    let mut files: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    // for the caller's own end
    files.pop();
    let mut pbx = Pbx::call(address);
    let line = log.next();
    assert!(line.starts_with("WARN") && line.contains("accept: no connection can be taken"), "{line}");
    drop(files);
    pbx.expect("NOOP").respond("200 result=0");
    pbx.end_with("SUCCESS");
    shutdown.shutdown();
    serving.join().expect("no panic").expect("no error");
}

//! The other side: a PBX that a test scripts line by line.

#![allow(dead_code, unused_imports, reason = "no test file needs all of it")]

pub(crate) mod log;

use std::os::unix::net::UnixStream;
use std::thread;

use agi_blocking::{Channel, ChannelBuilder};
pub(crate) use agi_tests::pbx::{LONG, Pbx};

/// Runs the script of a PBX on a thread, and the test against it.
pub(crate) fn with_pbx(
    script: impl FnOnce(Pbx<UnixStream>) + Send + 'static,
    test: impl FnOnce(&mut Channel<UnixStream>),
) {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    theirs.set_read_timeout(Some(LONG)).expect("a socket");
    let pbx = thread::spawn(move || script(Pbx::over(theirs).begin("menu?lang=de")));
    let mut channel = ChannelBuilder::new().start(ours).expect("an environment").expect("not closed");
    test(&mut channel);
    drop(channel);
    pbx.join().expect("the script went as written");
}

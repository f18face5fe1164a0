//! What a server says about its calls, and about which it keeps quiet.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::fmt;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use agi_blocking::{Channel, Error, Server};

use self::pbx::Pbx;
use self::pbx::log::Log;

/// An error of a service's own.
#[derive(Debug)]
struct Failed(Error);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the menu failed")
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn handler(channel: &mut Channel) -> Result<(), Failed> {
    let mode = channel.get_variable("MODE").map_err(Failed)?;
    assert!(mode.is_none(), "an odd mode");
    Ok(())
}

#[test]
fn failures_are_told_with_their_call_and_hangups_are_not() {
    let log = Log::capture();
    let server = Server::bind("127.0.0.1:0").expect("a free port").linger(Duration::from_secs(20));
    let (address, shutdown) = (server.local_addr().expect("bound"), server.shutdown_handle());
    let serving = thread::spawn(move || server.serve(handler));
    let call = r#"call{channel="PJSIP/100-00000001" unique_id="1700000000.1" script="/menu" peer="#;
    let cases = [
        (
            "200 result=1 (odd)",
            "ERROR",
            "call: the handler panicked panic=\"an odd mode\" place=\"agi-blocking/tests/log.rs:",
        ),
        ("510 Invalid or unknown command", "ERROR", "call: the handler failed error=the menu failed: "),
        ("511 Command Not Permitted on a dead channel", "DEBUG", "call: over error=the menu failed"),
        (
            "511 Command Not Permitted on a dead channel",
            "WARN",
            "call: the first command that needs a live channel was refused (511)",
        ),
        ("200 result=0", "INFO", "call: began"),
    ];
    for (answer, level, said) in cases {
        let mut pbx = Pbx::call_for(address, "menu");
        pbx.expect(r#"GET VARIABLE "MODE""#).respond(answer);
        let line = log.find(said);
        assert!(line.starts_with(level) && line.contains(call), "{line}");
        pbx.end_with(if level == "ERROR" { "FAILED" } else { "SUCCESS" });
    }
    let mut pbx = Pbx::call_for(address, "menu");
    pbx.expect(r#"GET VARIABLE "MODE""#).respond("200 result=0\n200 result=1 (forged)");
    let line = log.find("did not take the status");
    assert!(line.starts_with("WARN") && line.contains(call) && line.contains("(forged)"), "{line}");
    pbx.end();
    drop(TcpStream::connect(address).expect("it listens"));
    assert!(log.find("without a byte").starts_with("DEBUG"));
    shutdown.shutdown();
    serving.join().expect("no panic").expect("no error");
}

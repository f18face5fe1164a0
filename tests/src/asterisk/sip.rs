//! A SIP phone: SIPp, installed below the target folder as Asterisk is.

use super::process::{run_script, target_dir};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Calls `to` as `from`, both written as they are into the user parts of Request-URI and From, and waits until the
/// other side hangs up.
pub(super) fn call(server: SocketAddr, from: &str, to: &str, timeout: Duration) {
    let installed = target_dir().join("asterisk/sipp");
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("asterisk/sipp/call.xml");
    run_script("install", &["sipp", &installed.display().to_string()]);
    let mut sipp = Command::new(installed.join("sipp"));
    sipp.arg(server.to_string())
        .arg("-sf")
        .arg(scenario)
        .args(["-i", "127.0.0.1", "-m", "1", "-nostdin", "-s", to, "-key", "caller", from])
        .args(["-timeout", &format!("{}s", timeout.as_secs()), "-timeout_error"])
        // it wants a terminal to draw on
        .env("TERM", "dumb");
    let output = sipp.output().unwrap_or_else(|error| panic!("sipp: {error}"));
    assert!(
        output.status.success(),
        "{from} calls {to} ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

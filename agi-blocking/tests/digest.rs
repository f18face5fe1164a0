//! The example `digest_blocking`, called by dialplans that know the secret and by one that does not.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example's main is not called")]

mod pbx;

#[path = "../examples/digest_blocking.rs"]
mod digest;

use std::net::TcpStream;
use std::thread;

use agi_blocking::Server;
use sha1::{Digest, Sha1};

use self::pbx::Pbx;

#[test]
fn only_who_knows_the_secret_is_served() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let (address, shutdown) = (server.local_addr().unwrap(), server.shutdown_handle());
    let serving = thread::spawn(move || server.serve(digest::services("between us".into()).unwrap()));
    for (secret, knows) in [("between us", true), ("a guess", false)] {
        let mut pbx = Pbx::begin_at(TcpStream::connect(address).unwrap(), "hello");
        let line = pbx.next().unwrap();
        let nonce = line.strip_prefix("GET FULL VARIABLE \"${SHA1(${SECRET}:");
        let nonce = nonce.and_then(|rest| rest.strip_suffix(")}\"")).unwrap();
        let sum: String =
            Sha1::digest(format!("{secret}:{nonce}")).iter().map(|byte| format!("{byte:02x}")).collect();
        pbx.respond(&format!("200 result=1 ({sum})"));
        if knows {
            pbx.expect("ANSWER").respond("200 result=0");
            pbx.expect(r#"STREAM FILE "hello-world" """#).respond("200 result=0 endpos=1");
        }
        pbx.end_with(if knows { "SUCCESS" } else { "FAILED" });
    }
    shutdown.shutdown();
    serving.join().unwrap().unwrap();
}

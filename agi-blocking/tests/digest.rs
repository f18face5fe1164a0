//! The example `digest_blocking`, called by dialplans that know the secret and by one that does not.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example's main is not called")]

#[path = "../examples/digest_blocking.rs"]
mod digest;

use std::thread;

use agi_blocking::Server;
use agi_sim::Caller;

#[test]
fn only_who_knows_the_secret_is_served() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let (address, shutdown) = (server.local_addr().unwrap(), server.shutdown_handle());
    let serving = thread::spawn(move || server.serve(digest::services("between us".into()).unwrap()));
    for (secret, knows) in [("between us", true), ("a guess", false)] {
        let caller = Caller::new("agi://localhost/hello").set_variable("SECRET", secret);
        let call = caller.dial_at(address).unwrap();
        let status = call.at_end().variable("AGI_SERVER_STATUS").unwrap();
        assert_eq!(status, if knows { "SUCCESS" } else { "FAILED" });
        assert_eq!(call.transcript().contains("the caller hears hello-world"), knows);
    }
    shutdown.shutdown();
    serving.join().unwrap().unwrap();
}

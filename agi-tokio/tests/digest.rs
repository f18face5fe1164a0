//! The example `digest`, called by dialplans that know the secret and by one that does not.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example's main is not called")]

#[path = "../examples/digest.rs"]
mod digest;

use std::net::Ipv4Addr;

use agi_sim::Caller;
use agi_tokio::Server;

#[tokio::test]
async fn only_who_knows_the_secret_is_served() {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = server.local_addr().unwrap();
    let serving = tokio::spawn(server.serve(digest::services("between us".into()).unwrap()));
    let mut questions = Vec::new();
    for (secret, knows) in [("between us", true), ("a guess", false), ("between us", true)] {
        let caller = Caller::new("agi://localhost/hello").set_variable("SECRET", secret);
        let call = tokio::task::spawn_blocking(move || caller.dial_at(address)).await.unwrap().unwrap();
        let status = call.at_end().variable("AGI_SERVER_STATUS").unwrap();
        assert_eq!(status, if knows { "SUCCESS" } else { "FAILED" });
        assert_eq!(call.transcript().contains("the caller hears hello-world"), knows);
        let asks = |(_, line): &(_, &str)| line.contains("${SHA1(${SECRET}:");
        questions.push(call.transcript().lines().find(asks).unwrap().1.to_owned());
    }
    questions.dedup();
    assert_eq!(questions.len(), 3, "a number was used twice");
    serving.abort();
}

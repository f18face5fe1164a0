//! The example `digest`, called by dialplans that know the secret and by one that does not.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example's main is not called")]

mod peer;

#[path = "../examples/digest.rs"]
mod digest;

use std::net::Ipv4Addr;

use agi_tokio::Server;
use sha1::{Digest, Sha1};

use self::peer::{call, soon};

#[tokio::test]
async fn only_who_knows_the_secret_is_served() {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = server.local_addr().unwrap();
    let serving = tokio::spawn(server.serve(digest::services("between us".into()).unwrap()));
    let mut nonces = Vec::new();
    for (secret, knows) in [("between us", true), ("a guess", false), ("between us", true)] {
        let mut peer = call(address, "hello").await;
        soon(async {
            let line = peer.command().await.unwrap();
            let nonce = line.strip_prefix("GET FULL VARIABLE \"${SHA1(${SECRET}:");
            let nonce = nonce.and_then(|rest| rest.strip_suffix(")}\"")).unwrap().to_string();
            let sum: String =
                Sha1::digest(format!("{secret}:{nonce}")).iter().map(|b| format!("{b:02x}")).collect();
            nonces.push(nonce);
            peer.respond(&format!("200 result=1 ({sum})")).await;
            if knows {
                peer.answer("ANSWER", "200 result=0").await;
                peer.answer("STREAM FILE \"hello-world\" \"\"", "200 result=0 endpos=1").await;
            }
            peer.end_with(if knows { "SUCCESS" } else { "FAILED" }).await;
        })
        .await;
    }
    nonces.dedup();
    assert_eq!(nonces.len(), 3, "a number was used twice");
    serving.abort();
}

//! A layer that takes calls only from a dialplan that knows the same secret.
//!
//! Asterisk computes the digest itself, so the secret crosses no network, and what does is of no use for the next
//! call. Who listens can try guesses on it, though: a real secret is long and random.
//!
//! ```text
//! exten => 100,1,Set(SECRET=between us)
//!  same => n,AGI(agi://127.0.0.1/hello)
//!  same => n,Verbose(${AGI_SERVER_STATUS})
//! ```
//!
//! ```text
//! SECRET='between us' cargo run --example digest [address]
//! ```

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use agi_tokio::{BoxHandler, Channel, Error, Request, Router, Server};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Asks the dialplan for the digest of its `SECRET` and a number that was never used before.
async fn authenticate(
    mut channel: Channel,
    request: Request,
    next: BoxHandler,
    secret: Arc<str>,
) -> Result<(), BoxError> {
    // SipHash under a key that the operating system chose: nobody can foresee it
    let nonce = format!("{:016x}", RandomState::new().hash_one(()));
    let answer = channel.get_full_variable(&format!("${{SHA1(${{SECRET}}:{nonce})}}")).await?;
    let wanted = hex(&Sha1::digest(format!("{secret}:{nonce}")));
    // how long a comparison takes that stops at the first difference would tell how much was right
    let is_right = answer.is_some_and(|answer| bool::from(answer.as_slice().ct_eq(wanted.as_bytes())));
    if !is_right {
        return Err("the dialplan does not know the secret".into());
    }
    next.run(channel, request).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn hello(mut channel: Channel) -> Result<(), Error> {
    channel.answer().await?;
    channel.stream_file("hello-world", "").await?;
    Ok(())
}

pub(crate) fn services(secret: Arc<str>) -> Result<Router, BoxError> {
    let digest = move |channel, request, next| authenticate(channel, request, next, secret.clone());
    Ok(Router::new().route("/hello", hello)?.layer(digest))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().init();
    let secret = std::env::var("SECRET").map_err(|_| "SECRET is not set")?;
    let server = match std::env::args().nth(1) {
        Some(address) => Server::bind(address).await?,
        None => Server::bind_local().await?,
    };
    println!("exten => 100,1,AGI(agi://{}/hello)", server.local_addr()?);
    server.serve(services(secret.into())?).await
}

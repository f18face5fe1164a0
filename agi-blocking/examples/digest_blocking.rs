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
//! SECRET='between us' cargo run --example digest_blocking [address]
//! ```

use std::hash::{BuildHasher, RandomState};

use agi_blocking::{BoxHandler, Channel, Error, Request, Router, Server};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Asks the dialplan for the digest of its `SECRET` and a number that was never used before.
fn authenticate(
    channel: &mut Channel,
    request: &Request,
    next: &BoxHandler,
    secret: &str,
) -> Result<(), BoxError> {
    // SipHash under a key that the operating system chose: nobody can foresee it
    let nonce = format!("{:016x}", RandomState::new().hash_one(()));
    let answer = channel.get_full_variable(&format!("${{SHA1(${{SECRET}}:{nonce})}}"))?;
    let wanted = hex(&Sha1::digest(format!("{secret}:{nonce}")));
    // how long a comparison takes that stops at the first difference would tell how much was right
    let is_right = answer.is_some_and(|answer| bool::from(answer.as_slice().ct_eq(wanted.as_bytes())));
    if !is_right {
        return Err("the dialplan does not know the secret".into());
    }
    next.run(channel, request)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hello(channel: &mut Channel) -> Result<(), Error> {
    channel.answer()?;
    channel.stream_file("hello-world", "")?;
    Ok(())
}

pub(crate) fn services(secret: String) -> Result<Router, BoxError> {
    let digest = move |channel: &mut Channel, request: &Request, next: &BoxHandler| {
        authenticate(channel, request, next, &secret)
    };
    Ok(Router::new().route("/hello", hello)?.layer(digest))
}

fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().init();
    let secret = std::env::var("SECRET").map_err(|_| "SECRET is not set")?;
    let server = match std::env::args().nth(1) {
        Some(address) => Server::bind(address)?,
        None => Server::bind_local()?,
    };
    println!("exten => 100,1,AGI(agi://{}/hello)", server.local_addr()?);
    server.serve(services(secret)?)?;
    Ok(())
}

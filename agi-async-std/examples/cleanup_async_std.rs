//! Cleans up, whether the caller stays or hangs up: a note in Asterisk's database and in its log says how far the
//! caller got. Most commands need a caller, but these two run on a dead channel too.
//!
//! ```text
//! cargo run --example cleanup_async_std [address]
//! ```

use std::time::Duration;

use agi_async_std::{Channel, Error, Server};

async fn survey(channel: &mut Channel) -> Result<&'static str, Error> {
    channel.answer().await?;
    channel.stream_file("demo-congrats", "#").await?;
    let answer = channel.wait_for_digit(Duration::from_secs(5)).await?;
    Ok(if answer.digit().is_some() { "answered" } else { "did not answer" })
}

pub(crate) async fn with_notes(mut channel: Channel) -> Result<(), Error> {
    // What is to be done at the end stands behind this, and no `?` leads past it. A server that shuts down may
    // drop this future, though: what must not be missed even then belongs into a `Drop`.
    let outcome = survey(&mut channel).await;
    let note = match &outcome {
        Ok(note) => note,
        Err(error) if error.is_hangup() => "left early",
        Err(_) => "failed",
    };
    let call = channel.environment().unique_id().unwrap_or_default().to_string();
    let noted = channel.database_put("survey", &call, note).await;
    let logged = channel.verbose(&format!("{call}: the caller {note}")).await;
    // that the caller left is no failure, and the server knows it
    outcome.and(noted).and(logged)
}

fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();
    async_std::task::block_on(async {
        let server = match std::env::args().nth(1) {
            Some(address) => Server::bind(address).await?,
            None => Server::bind_local().await?,
        };
        println!("exten => 100,1,AGI(agi://{}/survey)", server.local_addr()?);
        server.serve(with_notes).await
    })
}

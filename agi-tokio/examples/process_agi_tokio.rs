//! A program that Asterisk runs for each call. Whichever way the call ends, it leaves a note in Asterisk's
//! database and in its log: most commands need a caller, but these two run on a dead channel too.
//!
//! ```text
//! cargo build --example process_agi_tokio
//! exten => 100,1,AGI(/path/to/target/debug/examples/process_agi_tokio)
//! ```

use std::time::Duration;

use agi_tokio::process::{self, Failure, Stdio};
use agi_tokio::{Channel, Error};

async fn survey(channel: &mut Channel<Stdio>) -> Result<&'static str, Error> {
    channel.answer().await?;
    // for whoever looks at Asterisk's console: what a program prints is no command here
    println!("{} takes the survey", channel.environment().channel().unwrap_or_default());
    channel.stream_file("demo-congrats", "#").await?;
    let answer = channel.wait_for_digit(Duration::from_secs(5)).await?;
    Ok(if answer.digit().is_some() { "answered" } else { "did not answer" })
}

async fn with_notes(mut channel: Channel<Stdio>) -> Result<(), Error> {
    let outcome = survey(&mut channel).await;
    let note = match &outcome {
        Ok(note) => note,
        Err(error) if error.is_hangup() => "left early",
        Err(_) => "failed",
    };
    let call = channel.environment().unique_id().unwrap_or_default().to_string();
    channel.database_put("survey", &call, note).await?;
    channel.verbose(&format!("{call}: the caller {note}")).await?;
    outcome.map(drop)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    process::run(with_notes).await
}

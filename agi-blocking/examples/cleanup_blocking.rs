//! Cleans up, whether the caller stays or hangs up: a note in Asterisk's database and in its log says how far the
//! caller got. Most commands need a caller, but these two run on a dead channel too.
//!
//! ```text
//! cargo run --example cleanup_blocking -- 127.0.0.1:4573
//! ```

use std::time::Duration;

use agi_blocking::{Channel, Error, Server};

fn survey(channel: &mut Channel) -> Result<&'static str, Error> {
    channel.answer()?;
    channel.stream_file("demo-congrats", "#")?;
    let answer = channel.wait_for_digit(Duration::from_secs(5))?;
    Ok(if answer.digit().is_some() { "answered" } else { "did not answer" })
}

pub(crate) fn with_notes(channel: &mut Channel) -> Result<(), Error> {
    // what is to be done at the end stands behind this, and no `?` leads past it
    let outcome = survey(channel);
    let note = match &outcome {
        Ok(note) => note,
        Err(error) if error.is_hangup() => "left early",
        Err(_) => "failed",
    };
    let call = channel.environment().unique_id().unwrap_or_default().to_string();
    let noted = channel.database_put("survey", &call, note);
    let logged = channel.verbose(&format!("{call}: the caller {note}"));
    // that the caller left is no failure, and the server knows it
    outcome.and(noted).and(logged)
}

fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4573".into());
    let server = Server::bind(address)?;
    println!("in the dialplan: AGI(agi://{}/survey)", server.local_addr()?);
    server.serve(with_notes)
}

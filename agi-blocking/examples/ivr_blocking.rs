//! Asks for a number of up to four digits, tells the dialplan what it was, and goes back to it.
//!
//! ```text
//! cargo run --example ivr_blocking -- 127.0.0.1:4573
//! ```

use std::time::Duration;

use agi_blocking::{Channel, Error, Server};

/// A caller who hangs up ends this through `?`, and the server knows that this is no failure.
pub(crate) fn ivr(channel: &mut Channel) -> Result<(), Error> {
    channel.answer()?;
    channel.stream_file("demo-congrats", "#")?;
    let entered = channel.get_data("vm-extension", Duration::from_secs(5), 4)?;
    channel.set_variable("RESULT", &entered.digits)?;
    match channel.wait_for_digit(Duration::from_secs(5))?.digit() {
        Some(digit) => channel.verbose(&format!("{} confirmed by {digit}", entered.digits)),
        None => channel.verbose("not confirmed"),
    }
    // the channel lives on: the dialplan goes on with the next priority
}

fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4573".into());
    let server = Server::bind(address)?;
    println!("in the dialplan: AGI(agi://{}/ivr), then ${{RESULT}}", server.local_addr()?);
    server.serve(ivr)
}

//! Answers, plays, collects digits, leaves them in a variable, and gives the call back to the dialplan. A
//! caller who hangs up ends it at any `?`, and nobody is alarmed.
//!
//! ```text
//! cargo run --example ivr [address]
//! ```

use std::time::Duration;

use agi_tokio::{Channel, Error, Server};

pub(crate) async fn ivr(mut channel: Channel) -> Result<(), Error> {
    println!("{} calls", channel.environment().channel().unwrap_or_default());
    channel.answer().await?;
    channel.stream_file("demo-congrats", "#").await?;
    let account = channel.get_data("vm-extension", Duration::from_secs(5), 4).await?;
    channel.set_variable("RESULT", &account.digits).await?;
    match channel.wait_for_digit(Duration::from_secs(5)).await?.digit() {
        Some(digit) => println!("{} entered, then {digit}", account.digits),
        None => println!("{} entered", account.digits),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();
    let server = match std::env::args().nth(1) {
        Some(address) => Server::bind(address).await?,
        None => Server::bind_local().await?,
    };
    println!("exten => 100,1,AGI(agi://{}/ivr)", server.local_addr()?);
    println!(" same => n,Verbose(the caller entered ${{RESULT}})");
    let shutdown = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    server.serve_until(ivr, shutdown).await;
    Ok(())
}

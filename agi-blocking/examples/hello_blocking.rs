//! Answers, plays a file and hangs up.
//!
//! ```text
//! cargo run --example hello_blocking -- 127.0.0.1:4573
//! ```

use agi_blocking::{Channel, Error, Server};

pub(crate) fn hello(channel: &mut Channel) -> Result<(), Error> {
    channel.answer()?;
    channel.stream_file("hello-world", "")?;
    channel.hangup()?;
    Ok(())
}

fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4573".into());
    let server = Server::bind(address)?;
    println!("in the dialplan: AGI(agi://{}/hello)", server.local_addr()?);
    server.serve(hello)
}

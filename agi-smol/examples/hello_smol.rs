//! Answers, plays a file, hangs up.
//!
//! ```text
//! cargo run --example hello_smol [address]
//! ```

use agi_smol::{Channel, Error, Server};

pub(crate) async fn hello(mut channel: Channel) -> Result<(), Error> {
    channel.answer().await?;
    channel.stream_file("hello-world", "").await?;
    channel.hangup().await?;
    Ok(())
}

fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();
    smol::block_on(async {
        let server = match std::env::args().nth(1) {
            Some(address) => Server::bind(address).await?,
            None => Server::bind_local().await?,
        };
        println!("exten => 100,1,AGI(agi://{}/hello)", server.local_addr()?);
        server.serve(hello).await
    })
}

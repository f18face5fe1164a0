//! The peer asterisk-rs-agi.

use agi_peers::{NAME, VALUE, announce, commands};
use asterisk_rs_agi::error::Result;
use asterisk_rs_agi::{AgiChannel, AgiHandler, AgiRequest, AgiServer};

struct Handler {
    commands: usize,
}

impl AgiHandler for Handler {
    async fn handle(&self, _: AgiRequest, mut channel: AgiChannel) -> Result<()> {
        for _ in 0..self.commands {
            channel.set_variable(NAME, VALUE).await?;
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let handler = Handler { commands: commands() };
    let (server, _shutdown) =
        AgiServer::builder().bind("127.0.0.1:0").handler(handler).max_connections(100_000).build().await?;
    announce(server.local_addr()?);
    server.run().await
}

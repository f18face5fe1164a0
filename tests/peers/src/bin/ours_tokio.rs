//! agi-tokio.

use agi_peers::{announce, commands, handler};
use agi_tokio::{Channel, Error, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let server = Server::bind("127.0.0.1:0").await?;
    announce(server.local_addr()?);
    server.serve(handler!(commands())).await
}

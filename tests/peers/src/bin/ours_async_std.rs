//! agi-async-std.

use agi_async_std::{Channel, Error, Server};
use agi_peers::{announce, commands, handler};

fn main() -> std::io::Result<()> {
    async_std::task::block_on(async {
        let server = Server::bind("127.0.0.1:0").await?;
        announce(server.local_addr()?);
        server.serve(handler!(commands())).await
    })
}

//! agi-smol.

use agi_peers::{announce, commands, handler};
use agi_smol::{Channel, Error, Server};

fn main() -> std::io::Result<()> {
    smol::block_on(async {
        let server = Server::bind("127.0.0.1:0").await?;
        announce(server.local_addr()?);
        server.serve(handler!(commands())).await
    })
}

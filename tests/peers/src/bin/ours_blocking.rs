//! agi-blocking.

use agi_blocking::{Channel, Error, Server};
use agi_peers::{NAME, VALUE, announce, commands};

fn main() -> std::io::Result<()> {
    // as many as the floor has, which knows no limit
    let server = Server::bind("127.0.0.1:0")?.max_calls(usize::MAX);
    announce(server.local_addr()?);
    let commands = commands();
    server.serve(move |channel: &mut Channel| {
        for _ in 0..commands {
            channel.set_variable(NAME, VALUE)?;
        }
        Ok::<(), Error>(())
    })
}

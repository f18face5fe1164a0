//! The floor on tokio: sockets, and nothing of the protocol.

use agi_peers::{LINE, announce, commands, is_whole};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    let commands = commands();
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, commands));
    }
}

async fn serve(mut stream: TcpStream, commands: usize) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buf = [0; 1024];
    let mut end = 0;
    while !is_whole(&buf[..end]) {
        match stream.read(&mut buf[end..]).await? {
            0 => return Ok(()),
            read => end += read,
        }
    }
    for _ in 0..commands {
        stream.write_all(LINE).await?;
        loop {
            match stream.read(&mut buf).await? {
                0 => return Ok(()),
                read if buf[read - 1] == b'\n' => break,
                _ => {}
            }
        }
    }
    Ok(())
}

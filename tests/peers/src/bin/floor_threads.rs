//! The floor on threads: sockets, and nothing of the protocol.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use agi_peers::{LINE, announce, commands, is_whole};

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    announce(listener.local_addr()?);
    let commands = commands();
    loop {
        let (stream, _) = listener.accept()?;
        thread::spawn(move || serve(stream, commands));
    }
}

fn serve(mut stream: TcpStream, commands: usize) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buf = [0; 1024];
    let mut end = 0;
    while !is_whole(&buf[..end]) {
        match stream.read(&mut buf[end..])? {
            0 => return Ok(()),
            read => end += read,
        }
    }
    for _ in 0..commands {
        stream.write_all(LINE)?;
        loop {
            match stream.read(&mut buf)? {
                0 => return Ok(()),
                read if buf[read - 1] == b'\n' => break,
                _ => {}
            }
        }
    }
    Ok(())
}

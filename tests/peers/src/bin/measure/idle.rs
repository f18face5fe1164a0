//! Memory by session that waits.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use agi_peers::{ENVIRONMENT, Server};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::Result;
use crate::server::Running;

/// Sessions that come first, for which a server may set itself up.
const FIRST: usize = 10;
const SIZES: [usize; 4] = [1_000, 2_000, 5_000, 10_000];

/// A server, and KiB for each session beyond the first ones at each size.
pub type Memory = (Server, Vec<(usize, f64)>);

/// Sessions that have sent a command and wait for its answer, which is where sessions are most of their time.
pub fn measure(servers: &[Server]) -> Result<Vec<Memory>> {
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files)?;
    // a thread of an interpreter for each of ten thousand is not what it is meant for
    servers.iter().filter(|server| !server.python).map(|&server| Ok((server, sizes(server)?))).collect()
}

fn sizes(server: Server) -> Result<Vec<(usize, f64)>> {
    eprintln!("memory of {}", server.name);
    let running = Running::start(server, 1)?;
    let mut sessions = Vec::new();
    let mut grow = |to: usize| -> Result<f64> {
        while sessions.len() < to {
            sessions.push(session(&running.address)?);
        }
        // what came before the command may still be given back
        thread::sleep(Duration::from_millis(300));
        running.resident()
    };
    let first = grow(FIRST)?;
    // a server on threads has two descriptors for each call
    let most = if server.floor == "floor_threads" { 5_000 } else { usize::MAX };
    SIZES
        .iter()
        .filter(|&&size| size <= most)
        .map(|&size| Ok((size, (grow(FIRST + size)? - first) / size as f64)))
        .collect()
}

fn session(address: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(ENVIRONMENT.as_bytes())?;
    let mut command = [0; 128];
    match stream.read(&mut command)? {
        0 => Err("it closed before its command".into()),
        _ => Ok(stream),
    }
}

pub fn print(all: &[Memory]) {
    println!("\nKiB of resident memory for each idle session");
    println!("{:<18} {}", "", SIZES.map(|size| format!("{size:>8}")).concat());
    for (server, sizes) in all {
        println!(
            "{:<18} {}",
            server.name,
            sizes.iter().map(|(_, kib)| format!("{kib:>8.2}")).collect::<String>()
        );
    }
}

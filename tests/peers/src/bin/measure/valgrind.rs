//! Instructions of the server's own, which no other program disturbs: those of the kernel are not among them.

use std::{env, fs};

use agi_peers::Server;

use crate::Result;
use crate::calls::load;
use crate::server::Running;

/// Sessions of two lengths: the difference is that of the commands.
const FEW: usize = 500;
const MANY: usize = 1_500;
const SESSIONS: usize = 8;

/// A server, and its instructions for each command, one caller at a time.
pub type Instructions = (Server, f64);

pub fn measure(servers: &[Server]) -> Result<Vec<Instructions>> {
    // an interpreter's instructions say nothing, and it takes long to count them
    servers.iter().filter(|server| !server.python).map(|&server| Ok((server, command(server)?))).collect()
}

fn command(server: Server) -> Result<f64> {
    eprintln!("instructions of {}", server.name);
    let few = count(server, FEW)?;
    let many = count(server, MANY)?;
    Ok((many - few) / ((MANY - FEW) * SESSIONS) as f64)
}

fn count(server: Server, commands: usize) -> Result<f64> {
    let out = env::temp_dir().join(format!("agi-peers-{}.callgrind", std::process::id()));
    let running = Running::counted(server, commands, &out)?;
    load(&running, 1, 120, SESSIONS)?;
    running.end()?;
    let counted = fs::read_to_string(&out)?;
    fs::remove_file(&out)?;
    let total =
        counted.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("valgrind wrote no total")?;
    Ok(total.trim().parse()?)
}

pub fn print(all: &[Instructions]) {
    println!("\ninstructions of the server's own for each command, without the kernel's");
    for (server, instructions) in all {
        let floor =
            all.iter().find(|(other, _)| other.name == server.floor).map_or(f64::NAN, |(_, floor)| *floor);
        println!("{:<18} {instructions:>8.0} {:>+8.0} over its floor", server.name, instructions - floor);
    }
}

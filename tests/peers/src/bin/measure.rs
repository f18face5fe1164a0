//! Measures every server of this package by `agi-sim load`, all in the same run and in turns.
//!
//! ```text
//! tests/peers/run             # builds everything, and calls this
//! measure --rounds 5          # how often each server has its turn
//! measure --svg FOLDER        # also the plots
//! measure --only tokio        # the servers whose names hold this
//! measure --what memory       # one of calls, instructions, memory, growth, asterisk
//! ```

#[path = "measure/asterisk.rs"]
mod asterisk;
#[path = "measure/calls.rs"]
mod calls;
#[path = "measure/idle.rs"]
mod idle;
#[path = "measure/plot.rs"]
mod plot;
#[path = "measure/server.rs"]
mod server;
#[path = "measure/valgrind.rs"]
mod valgrind;

use std::path::PathBuf;

use agi_peers::{SERVERS, Server};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Options {
    rounds: usize,
    svg: Option<PathBuf>,
    only: Option<String>,
    what: Option<String>,
}

fn main() -> Result<()> {
    let options = options()?;
    let chosen = |server: &&Server| options.only.as_ref().is_none_or(|only| server.name.contains(only));
    let servers: Vec<Server> = SERVERS.iter().filter(chosen).copied().collect();
    let asked = |what: &str| options.what.as_ref().is_none_or(|only| only == what);
    if let Some(folder) = &options.svg {
        std::fs::create_dir_all(folder)?;
    }
    if asked("calls") {
        calls::print(&calls::measure(&servers, options.rounds)?);
    }
    if asked("asterisk") {
        asterisk::print(&asterisk::measure(&servers, options.rounds)?);
    }
    if asked("instructions") {
        valgrind::print(&valgrind::measure(&servers)?);
    }
    if asked("memory") {
        let idle = idle::measure(&servers)?;
        idle::print(&idle);
        if let Some(folder) = &options.svg {
            plot::memory(&idle, &folder.join("memory.svg"))?;
        }
    }
    if asked("growth") {
        let growth = calls::growth(&servers, options.rounds)?;
        calls::print_growth(&growth);
        if let Some(folder) = &options.svg {
            plot::growth(&growth, &folder.join("sessions.svg"))?;
        }
    }
    Ok(())
}

fn options() -> Result<Options> {
    let mut options = Options { rounds: 5, svg: None, only: None, what: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--rounds" => options.rounds = value()?.parse()?,
            "--svg" => options.svg = Some(value()?.into()),
            "--only" => options.only = Some(value()?),
            "--what" => options.what = Some(value()?),
            _ => return Err(format!("{argument} is none of --rounds, --svg, --only, --what").into()),
        }
    }
    Ok(options)
}

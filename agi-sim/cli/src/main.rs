//! A simulated Asterisk by hand.

mod call;
mod load;
mod proxy;
mod replay;

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A simulated Asterisk for AGI services.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Call a service: hear what it plays, press keys, hang up.
    Call(call::Options),
    /// Play a recorded conversation to a service, and compare what it sends.
    Replay(replay::Options),
    /// Stand between an Asterisk and a service, show what they say, and save it.
    Proxy(proxy::Options),
    /// Call a service many times, and tell how long its commands take.
    Load(load::Options),
}

/// Says what it was that failed, for the system only says why.
fn at(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}

fn main() -> ExitCode {
    let done = match Options::parse().command {
        Command::Call(options) => call::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Proxy(options) => proxy::run(&options),
        Command::Load(options) => load::run(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("agi-sim: {error}");
            ExitCode::from(2)
        }
    }
}

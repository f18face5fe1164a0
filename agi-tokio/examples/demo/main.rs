//! A FastAGI service and, beside it, a simulated Asterisk that calls it three times. Everything that goes over
//! the wire is printed as it goes, with the time, and what the library made of it.
//!
//! ```text
//! cargo run --example demo                              # ends by itself
//! cargo run --example demo -- --listen 127.0.0.1:4573   # serves a real Asterisk, until Ctrl-C
//! ```

mod caller;
mod service;
mod show;
mod tap;

use agi_tokio::ChannelBuilder;
use clap::Parser;
use tokio::net::TcpListener;

use crate::show::Show;
use crate::tap::Tap;

/// A FastAGI service, and a simulated Asterisk that calls it.
#[derive(Parser)]
struct Options {
    /// Serve a real Asterisk at this address instead.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let show = Show::new(options.listen.is_some());
    let listener = TcpListener::bind(options.listen.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let address = listener.local_addr()?;
    println!("The service listens at {address}. In a dialplan:");
    println!("    same => n,AGI(agi://{address}/demo,an argument)");
    println!("    same => n,Verbose(the caller entered ${{DIGITS}})");
    println!();
    if options.listen.is_some() {
        return tokio::select! {
            result = serve(listener, show) => result,
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        };
    }
    println!("  A>S  what the simulated Asterisk sends        S>A  what the service sends");
    println!("  lib  what the library made of it              ***  what happens to the call");
    let service = tokio::spawn(serve_or_say(listener, show));
    tokio::task::spawn_blocking(move || caller::three_calls(address, show)).await??;
    service.abort();
    println!("\nThat was all. Next: cargo test --workspace");
    Ok(())
}

async fn serve_or_say(listener: TcpListener, show: Show) {
    if let Err(error) = serve(listener, show).await {
        println!("the service ended: {error}");
    }
}

/// Takes connections as a [`Server`](agi_tokio::Server) does, with a tap on each line.
async fn serve(listener: TcpListener, show: Show) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            match ChannelBuilder::new().start(Tap::new(stream, show)).await {
                Ok(Some(mut channel)) => {
                    service::run(&mut channel, show).await;
                    if let Err(error) = channel.close().await {
                        show.library(format_args!("the end: {error}"));
                    }
                }
                Ok(None) => show.library("somebody looked whether the port is open"),
                Err(error) => show.library(format_args!("refused: {error}")),
            }
        });
    }
}

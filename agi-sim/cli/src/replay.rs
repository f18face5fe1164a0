//! `agi-sim replay`: a recorded conversation, against a service of today.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use agi_sim::trace::{self, Line};
use clap::Args;

use crate::at;

#[derive(Args)]
pub(crate) struct Options {
    /// A file in the format of the recordings.
    trace: PathBuf,
    /// Where the service listens.
    address: String,
    /// How long to wait for each command, in seconds.
    #[arg(long, default_value_t = 10)]
    timeout: u64,
}

/// Gives whether the service said what was recorded.
pub(crate) fn run(options: &Options) -> io::Result<bool> {
    let file = options.trace.display();
    let invalid =
        |line| io::Error::new(io::ErrorKind::InvalidData, format!("{file}: not a line of a trace: {line}"));
    let text = fs::read_to_string(&options.trace).map_err(at(&file))?;
    let lines = trace::parse(&text).map_err(invalid)?;
    let mut stream = TcpStream::connect(&options.address).map_err(at(&options.address))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(options.timeout.max(1))))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut same, mut different) = (0, 0);
    let mut finished = false;
    for line in &lines {
        match line {
            // the last words may meet a service that has closed
            Line::Received(bytes) => {
                stream.write_all(bytes).or_else(|error| if finished { Ok(()) } else { Err(error) })?;
            }
            Line::Sent(expected) => {
                let mut sent = Vec::new();
                let ended = match reader.read_until(b'\n', &mut sent) {
                    Ok(read) => read == 0,
                    Err(error) => return Err(silent(error, expected)),
                };
                if ended {
                    println!("expected  {line}\n     got  the end of the conversation");
                    different += 1;
                    break;
                }
                if sent == *expected {
                    same += 1;
                } else {
                    println!("expected  {line}\n     got  {}", Line::Sent(sent));
                    different += 1;
                }
            }
            Line::Finish => {
                finished = true;
                let mut rest = Vec::new();
                reader.by_ref().take(65_536).read_to_end(&mut rest)?;
                if !rest.is_empty() {
                    println!("expected  {line}\n     got  {}", Line::Sent(rest));
                    different += 1;
                }
            }
            Line::Eof => {
                // a service that has closed cannot be told
                let _ = stream.shutdown(Shutdown::Write);
            }
        }
    }
    println!("{same} commands as recorded, {different} others");
    Ok(different == 0)
}

fn silent(error: io::Error, expected: &[u8]) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => io::Error::new(
            error.kind(),
            format!("the service did not send {}", Line::Sent(expected.to_vec())),
        ),
        _ => error,
    }
}

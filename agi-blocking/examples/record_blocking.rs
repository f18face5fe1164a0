//! Records what the caller says until `#`, plays it back, and goes on so until the caller is content and
//! presses 1. What was recorded is left to the dialplan.
//!
//! ```text
//! cargo run --example record_blocking -- 127.0.0.1:4573
//! ```

use std::time::Duration;

use agi_blocking::agi_proto::commands::RecordFile;
use agi_blocking::{Channel, Digit, Error, EscapeDigits, Server};

const LONGEST: Duration = Duration::from_secs(60);
/// A line on which nobody speaks must end some time.
const ATTEMPTS: usize = 5;

pub(crate) fn record(channel: &mut Channel) -> Result<(), Error> {
    channel.answer()?;
    let call = channel.environment().unique_id().unwrap_or_default().to_string();
    // Asterisk and this program need not see the same files: only the name goes to and fro
    let file = format!("/tmp/message-{call}");
    for _ in 0..ATTEMPTS {
        let message = RecordFile::new(&file, "wav", EscapeDigits::new("#")?, LONGEST).beep();
        let recorded = channel.call(message.silence(Duration::from_secs(5)))?;
        // a message that the caller ends by leaving is a message too
        if recorded.end.is_recorded() {
            channel.set_variable("MESSAGE", &file)?;
        }
        // for a caller who has left this fails, and the handler ends
        channel.stream_file(&file, "#")?;
        let pressed = channel.wait_for_digit(Duration::from_secs(5))?.digit();
        if pressed.map(Digit::as_char) == Some('1') {
            break;
        }
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4573".into());
    let server = Server::bind(address)?;
    println!("in the dialplan: AGI(agi://{}/record), then ${{MESSAGE}}.wav", server.local_addr()?);
    server.serve(record)
}

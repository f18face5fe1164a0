//! Records what the caller says until `#`, plays it back, and goes on so until the caller is content and
//! presses 1. What was recorded is left to the dialplan.
//!
//! ```text
//! cargo run --example record_async_std [address]
//! ```

use std::time::Duration;

use agi_async_std::agi_proto::commands::RecordFile;
use agi_async_std::{Channel, Digit, Error, EscapeDigits, Server};

const LONGEST: Duration = Duration::from_secs(60);
/// A line on which nobody speaks must end some time.
const ATTEMPTS: usize = 5;

pub(crate) async fn record(mut channel: Channel) -> Result<(), Error> {
    channel.answer().await?;
    let call = channel.environment().unique_id().unwrap_or_default().to_string();
    // Asterisk and this program need not see the same files: only the name goes to and fro
    let file = format!("/tmp/message-{call}");
    for _ in 0..ATTEMPTS {
        let message = RecordFile::new(&file, "wav", EscapeDigits::new("#")?, LONGEST).beep();
        let recorded = channel.call(message.silence(Duration::from_secs(5))).await?;
        // a message that the caller ends by leaving is a message too
        if recorded.end.is_recorded() {
            channel.set_variable("MESSAGE", &file).await?;
        }
        // for a caller who has left this fails, and the handler ends
        channel.stream_file(&file, "#").await?;
        let pressed = channel.wait_for_digit(Duration::from_secs(5)).await?.digit();
        if pressed.map(Digit::as_char) == Some('1') {
            break;
        }
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();
    async_std::task::block_on(async {
        let server = match std::env::args().nth(1) {
            Some(address) => Server::bind(address).await?,
            None => Server::bind_local().await?,
        };
        println!("exten => 100,1,AGI(agi://{}/record)", server.local_addr()?);
        println!(" same => n,Verbose(the message is in ${{MESSAGE}}.wav)");
        server.serve(record).await
    })
}

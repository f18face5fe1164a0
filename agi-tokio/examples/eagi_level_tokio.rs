//! Plays music, and tells on Asterisk's console how loud the caller is meanwhile, every second.
//!
//! ```text
//! cargo build --example eagi_level_tokio
//! exten => 100,1,EAGI(/path/to/target/debug/examples/eagi_level_tokio)
//! ```

use std::time::Duration;

use agi_tokio::eagi::Audio;
use agi_tokio::process::{self, Failure, Stdio};
use agi_tokio::{Channel, Error};

/// Reads the audio to its end, which is the call's.
async fn meter(mut audio: Audio) -> std::io::Result<()> {
    let (mut loudest, mut said) = (0, Duration::ZERO);
    while let Some(frame) = audio.next_frame().await? {
        loudest = frame.samples().iter().map(|sample| sample.unsigned_abs()).fold(loudest, u16::max);
        if frame.time() >= said + Duration::from_secs(1) {
            said = frame.time();
            println!("{:4} s {}", said.as_secs(), "*".repeat(usize::from(loudest / 512)));
            loudest = 0;
        }
    }
    Ok(())
}

/// Plays until the caller hangs up.
async fn play(channel: &mut Channel<Stdio>) -> Result<(), Error> {
    loop {
        match channel.stream_file("demo-congrats", "").await {
            Err(error) if error.is_hangup() => return Ok(()),
            played => drop(played?),
        }
    }
}

async fn listen(mut channel: Channel<Stdio>) -> Result<(), Failure> {
    channel.answer().await?;
    let audio = Audio::open(&mut channel)?;
    // the hangup ends both, and whichever comes first
    tokio::select! {
        heard = meter(audio) => heard?,
        played = play(&mut channel) => played?,
    }
    channel.verbose("heard it all").await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    process::run(listen).await
}

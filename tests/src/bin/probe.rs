//! A program that Asterisk, or a test in its place, runs as process AGI, and that does what a test asks for:
//! `probe blocking|tokio what`.

use std::io::Write;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// How many commands there are that signals are to meet.
const MANY: u32 = 2000;
/// More bytes than a narrow pipe holds.
const FULL: usize = 8000;

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["blocking", what] => blocking(what),
        ["tokio", what] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            match what {
                "audio-run" => runtime.block_on(agi_tokio::process::run(listen)),
                _ => runtime.block_on(with_tokio(what)),
            }
        }
        _ => Err("probe blocking|tokio what".into()),
    }
}

fn blocking(what: &str) -> Outcome {
    use agi_blocking::ChannelBuilder;
    use agi_blocking::eagi::Audio;
    use agi_blocking::process::Stdio;

    let Some(mut channel) = ChannelBuilder::new().start(Stdio::take()?)? else { return Ok(()) };
    match what {
        "twice" => {
            let again = Stdio::take().map(drop).map_err(|error| error.kind());
            channel.verbose(&format!("{again:?}"))?;
        }
        "hangup" => {
            channel.verbose("waiting")?;
            channel.wait_for_hangup(None)?;
            channel.verbose("it is over")?;
        }
        "give-up" => {
            let music = agi_blocking::agi_proto::commands::StreamFile::new("music", Default::default());
            channel.call_timeout(music, Duration::from_millis(100))?;
            channel.verbose("without music")?;
        }
        "full" => {
            let value = "x".repeat(FULL);
            let long = agi_blocking::agi_proto::commands::SetVariable::new("LONG", &value);
            let taken = channel.call_timeout(long, Duration::from_millis(100))?;
            eprintln!("{taken:?}");
            channel.verbose("it was taken")?;
        }
        "child" => {
            leave_a_child()?;
            channel.verbose("a child is left behind")?;
        }
        "drop" => {
            print!("stray");
            drop(channel);
            println!("out again");
            return Ok(());
        }
        "tone" => {
            let mut tone = Tone::default();
            let mut audio = Audio::open(&channel)?;
            while tone.heard(audio.next_frame()?.map(|frame| frame.samples())) {}
            channel.set_variable("FREQUENCY", tone.frequency())?;
        }
        "silence" => {
            let mut audio = Audio::open(&channel)?;
            audio.set_timeout(Duration::from_millis(300));
            let error = audio.next_frame().map(|frame| frame.is_some()).map_err(|error| error.kind());
            channel.verbose(&format!("{error:?}"))?;
            audio.set_timeout(None);
            let more = audio.next_frame()?.is_some();
            channel.set_variable("HEARD", format!("{error:?} {more}"))?;
        }
        "audio-close" | "audio-drop" => {
            let mut audio = Audio::open(&channel)?;
            let reader = std::thread::spawn(move || {
                while audio.next_frame()?.is_some() {}
                std::io::Result::Ok(())
            });
            match what {
                "audio-close" => channel.close()?,
                _ => drop(channel),
            }
            return Ok(reader.join().expect("it does not panic")?);
        }
        "many" => {
            for n in 0..MANY {
                channel.verbose(&n.to_string())?;
            }
        }
        "late" => {}
        _ => return Err(what.into()),
    }
    channel.close()?;
    if what == "late" {
        eprintln!("closed");
        sleep(Duration::from_secs(3));
    }
    Ok(())
}

async fn with_tokio(what: &str) -> Outcome {
    use agi_tokio::ChannelBuilder;
    use agi_tokio::eagi::Audio;
    use agi_tokio::process::Stdio;

    let Some(mut channel) = ChannelBuilder::new().start(Stdio::take()?).await? else { return Ok(()) };
    match what {
        "twice" => {
            let again = Stdio::take().map(drop).map_err(|error| error.kind());
            channel.verbose(&format!("{again:?}")).await?;
        }
        "hangup" => {
            channel.verbose("waiting").await?;
            channel.wait_for_hangup().await;
            channel.verbose("it is over").await?;
        }
        "give-up" => {
            let music = channel.stream_file("music", "");
            let _ = tokio::time::timeout(Duration::from_millis(100), music).await;
            channel.verbose("without music").await?;
        }
        "child" => {
            leave_a_child()?;
            channel.verbose("a child is left behind").await?;
        }
        "drop" => {
            print!("stray");
            drop(channel);
            println!("out again");
            return Ok(());
        }
        "tone" => {
            let mut tone = Tone::default();
            let mut audio = Audio::open(&mut channel)?;
            // what is played is not heard, and does not keep from hearing
            tokio::select! {
                _ = channel.stream_file("demo-congrats", "") => return Err("the file was short".into()),
                result = async {
                    while tone.heard(audio.next_frame().await?.map(|frame| frame.samples())) {}
                    std::io::Result::Ok(())
                } => result?,
            }
            channel.set_variable("FREQUENCY", tone.frequency()).await?;
        }
        "silence" => {
            let mut audio = Audio::open(&mut channel)?;
            let heard = tokio::time::timeout(Duration::from_millis(300), audio.next_frame()).await.is_ok();
            channel.verbose(&format!("{heard:?}")).await?;
            let more = audio.next_frame().await?.is_some();
            channel.set_variable("HEARD", format!("{heard} {more}")).await?;
        }
        "audio-close" | "audio-drop" => {
            let mut audio = Audio::open(&mut channel)?;
            let reader = tokio::spawn(async move {
                while audio.next_frame().await?.is_some() {}
                std::io::Result::Ok(())
            });
            // it waits by now
            tokio::task::yield_now().await;
            match what {
                "audio-close" => channel.close().await?,
                _ => drop(channel),
            }
            return Ok(reader.await??);
        }
        "many" => {
            for n in 0..MANY {
                channel.verbose(&n.to_string()).await?;
            }
        }
        "late" => {}
        _ => return Err(what.into()),
    }
    channel.close().await?;
    if what == "late" {
        eprintln!("closed");
        sleep(Duration::from_secs(3));
    }
    Ok(())
}

/// Drops its channel, and hears the audio to its end.
async fn listen(mut channel: agi_tokio::Channel<agi_tokio::process::Stdio>) -> Outcome {
    let mut audio = agi_tokio::eagi::Audio::open(&mut channel)?;
    drop(channel);
    while audio.next_frame().await?.is_some() {}
    Ok(())
}

/// It would take part in the conversation, and hold it open, if it could.
fn leave_a_child() -> Outcome {
    Command::new("sh").args(["-c", "read line; echo NOOP $line; sleep 15"]).spawn()?;
    // time for it to do harm
    sleep(Duration::from_millis(200));
    std::io::stdout().flush()?;
    Ok(())
}

/// CountersSnapshot waves for a second.
#[derive(Default)]
struct Tone {
    samples: usize,
    before: i16,
    rises: usize,
}

impl Tone {
    /// Whether it wants more.
    fn heard(&mut self, samples: Option<&[i16]>) -> bool {
        for &sample in samples.unwrap_or_default() {
            self.rises += usize::from(self.before < 0 && sample >= 0);
            self.before = sample;
            self.samples += 1;
        }
        samples.is_some() && self.samples < 8_000
    }

    fn frequency(&self) -> String {
        (self.rises * 8_000 / self.samples.max(1)).to_string()
    }
}

//! Listens to the caller for a while (2 seconds, or as many as its argument says) and tells the dialplan how
//! loud it was and how high.
//!
//! ```text
//! cargo build --example eagi_level
//! exten => 100,1,EAGI(/path/to/target/debug/examples/eagi_level,5)
//!  same => n,Verbose(${LEVEL} dB below the loudest, ${FREQUENCY} Hz)
//! ```

use std::time::Duration;

use agi_blocking::Channel;
use agi_blocking::eagi::Audio;
use agi_blocking::process::{self, Failure, Stdio};

/// Loudness and pitch of a stretch of audio.
#[derive(Default)]
struct Meter {
    samples: u32,
    /// The sum of their squares.
    energy: f64,
    /// How often the wave passed from below to above the middle, and where it did first and last, in samples.
    rises: u32,
    first: f64,
    last: f64,
    before: f64,
}

impl Meter {
    fn hear(&mut self, sample: i16) {
        let now = f64::from(sample);
        if self.before < 0.0 && now >= 0.0 {
            // between two samples: a straight line is close enough
            self.last = f64::from(self.samples) - now / (now - self.before);
            if self.rises == 0 {
                self.first = self.last;
            }
            self.rises += 1;
        }
        self.energy += now * now;
        self.samples += 1;
        self.before = now;
    }

    /// Decibels below the loudest sine that there can be.
    fn level(&self) -> f64 {
        let loudest = f64::from(i16::MAX).powi(2) / 2.0;
        -10.0 * (self.energy / f64::from(self.samples.max(1)) / loudest).log10()
    }

    fn frequency(&self, sample_rate: u32) -> Option<f64> {
        let waves = self.rises.checked_sub(1).filter(|&waves| waves > 0)?;
        Some(f64::from(waves) * f64::from(sample_rate) / (self.last - self.first))
    }
}

fn listen(channel: &mut Channel<Stdio>, time: Duration) -> Result<(), Failure> {
    channel.answer()?;
    let mut audio = Audio::open(channel)?;
    let (mut meter, mut rate) = (Meter::default(), 0);
    while let Some(frame) = audio.next_frame()? {
        frame.samples().iter().for_each(|&sample| meter.hear(sample));
        rate = frame.sample_rate();
        if frame.time() >= time {
            break;
        }
    }
    channel.set_variable("LEVEL", format!("{:.1}", meter.level()))?;
    let frequency = meter.frequency(rate).map_or("no".into(), |frequency| format!("{frequency:.1}"));
    channel.set_variable("FREQUENCY", &frequency)?;
    channel.verbose(&format!("{:.1} dB, {frequency} Hz", meter.level()))?;
    Ok(())
}

fn main() -> Result<(), Failure> {
    let seconds = std::env::args().nth(1).map_or(Ok(2), |seconds| seconds.parse())?;
    process::run(|channel| listen(channel, Duration::from_secs(seconds)))
}

//! Audio as each of its sources delivers it: 16-bit samples of one channel, where they stand, and their rate.

use core::fmt;
use core::time::Duration;

use bstr::BString;

/// A piece of audio, and when it was heard. EAGI and AudioSocket deliver the same type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioFrame<'a> {
    samples: &'a [i16],
    position: u64,
    rate: u32,
}

impl<'a> AudioFrame<'a> {
    pub(crate) const fn new(samples: &'a [i16], position: u64, rate: u32) -> Self {
        Self { samples, position, rate }
    }

    /// Returns the samples: signed, linear, mono.
    pub fn samples(&self) -> &'a [i16] {
        self.samples
    }

    /// Returns how many samples came before this frame. A gap between two frames was dropped by a full queue.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns how much audio came before this frame. Time in which nothing came does not count.
    pub fn time(&self) -> Duration {
        duration(self.position, self.rate)
    }

    /// Returns how many samples a second there are.
    pub fn sample_rate(&self) -> u32 {
        self.rate
    }
}

/// A rate of linear audio that Asterisk has a format for: `slin`, `slin12` and so on up to `slin192`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SampleRate {
    /// 8,000 samples a second: a telephone line.
    #[default]
    Hz8000,
    /// 12,000 samples a second.
    Hz12000,
    /// 16,000 samples a second: wideband, G.722.
    Hz16000,
    /// 24,000 samples a second.
    Hz24000,
    /// 32,000 samples a second.
    Hz32000,
    /// 44,100 samples a second.
    Hz44100,
    /// 48,000 samples a second: Opus.
    Hz48000,
    /// 96,000 samples a second.
    Hz96000,
    /// 192,000 samples a second.
    Hz192000,
}

impl SampleRate {
    /// Every rate, lowest first.
    pub const ALL: [Self; 9] = [
        Self::Hz8000,
        Self::Hz12000,
        Self::Hz16000,
        Self::Hz24000,
        Self::Hz32000,
        Self::Hz44100,
        Self::Hz48000,
        Self::Hz96000,
        Self::Hz192000,
    ];

    /// Returns how many samples a second there are.
    pub const fn hertz(self) -> u32 {
        match self {
            Self::Hz8000 => 8_000,
            Self::Hz12000 => 12_000,
            Self::Hz16000 => 16_000,
            Self::Hz24000 => 24_000,
            Self::Hz32000 => 32_000,
            Self::Hz44100 => 44_100,
            Self::Hz48000 => 48_000,
            Self::Hz96000 => 96_000,
            Self::Hz192000 => 192_000,
        }
    }

    /// Returns the rate of so many samples a second; `None` if Asterisk has no format of that rate.
    pub fn from_hertz(hertz: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|rate| rate.hertz() == hertz)
    }

    /// Returns the rate of one of Asterisk's formats by its name, as `CHANNEL(audioreadformat)` returns it.
    ///
    /// # Errors
    ///
    /// [`FormatError`] if the samples of that format are not linear: read as such, they would be noise.
    pub fn from_format(name: impl AsRef<[u8]>) -> Result<Self, FormatError> {
        let name = name.as_ref();
        let found = Self::ALL.into_iter().find(|rate| rate.format().as_bytes() == name);
        found.ok_or_else(|| FormatError(name.into()))
    }

    /// Returns the name of Asterisk's linear format of this rate.
    pub const fn format(self) -> &'static str {
        match self {
            Self::Hz8000 => "slin",
            Self::Hz12000 => "slin12",
            Self::Hz16000 => "slin16",
            Self::Hz24000 => "slin24",
            Self::Hz32000 => "slin32",
            Self::Hz44100 => "slin44",
            Self::Hz48000 => "slin48",
            Self::Hz96000 => "slin96",
            Self::Hz192000 => "slin192",
        }
    }

    /// Returns how long so many samples last, rounded down to nanoseconds.
    pub fn duration(self, samples: u64) -> Duration {
        duration(samples, self.hertz())
    }

    /// Returns how many whole samples so long a time holds; [`u64::MAX`] at most.
    pub fn samples(self, duration: Duration) -> u64 {
        let samples = duration.as_nanos() * u128::from(self.hertz()) / 1_000_000_000;
        samples.try_into().unwrap_or(u64::MAX)
    }
}

impl fmt::Display for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.hertz())
    }
}

/// A format of Asterisk whose samples are not linear, or unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audio format {0}: not linear; set EAGI_AUDIO_FORMAT to slin, slin16 or another slin format")]
pub struct FormatError(
    /// The format's name.
    pub BString,
);

/// Seconds and the rest apart, so that nothing overflows and nothing drifts.
fn duration(samples: u64, hertz: u32) -> Duration {
    let hertz = u64::from(hertz);
    let rest = samples % hertz * 1_000_000_000 / hertz;
    Duration::from_secs(samples / hertz) + Duration::from_nanos(rest)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn time_does_not_drift() {
        let frame = AudioFrame::new(&[], 44_100 * 3600 + 1, 44_100);
        assert_eq!(frame.time(), Duration::new(3600, 22_675));
        assert_eq!(AudioFrame::new(&[], u64::MAX, 1).time(), Duration::from_secs(u64::MAX));
    }

    #[test]
    fn a_rate_has_one_name_and_one_number() {
        for rate in SampleRate::ALL {
            assert_eq!(SampleRate::from_format(rate.format()), Ok(rate));
            assert_eq!(SampleRate::from_hertz(rate.hertz()), Some(rate));
            for samples in [0, 1, u64::from(rate.hertz()) / 50, u64::from(rate.hertz()) * 3600] {
                let back = rate.samples(rate.duration(samples));
                assert!(samples - back <= 1, "{rate}: {samples} {back}");
            }
            assert_eq!(rate.duration(u64::from(rate.hertz()) / 50), Duration::from_millis(20));
        }
        assert_eq!(SampleRate::from_hertz(11_025), None);
        assert_eq!(SampleRate::Hz192000.samples(Duration::MAX), u64::MAX);
    }

    #[test]
    fn audio_that_is_not_linear_is_refused() {
        let error = SampleRate::from_format("ulaw").expect_err("it is not linear");
        assert_eq!(
            error.to_string(),
            "audio format ulaw: not linear; set EAGI_AUDIO_FORMAT to slin, slin16 or another slin format"
        );
        assert_eq!(SampleRate::from_format("slin8"), Err(FormatError("slin8".into())));
    }
}

//! What a network does to bytes, the same for the same seed.

use std::time::Duration;

use agi_proto::BString;

use super::Caller;
use crate::model::Setup;

/// How Asterisk's bytes are cut on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Segmentation {
    /// Each write arrives as it is.
    #[default]
    Writes,
    /// All that was written by the time at which the service reads arrives as one.
    Joined,
    /// Each byte arrives by itself.
    Bytes,
    /// Writes are cut at random places, into pieces of at most so many bytes.
    Random(usize),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) segmentation: Segmentation,
    pub(crate) delay: Duration,
    pub(crate) seed: u64,
}

impl Faults {
    /// SplitMix64: enough for tests, and the same everywhere.
    pub(crate) fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// How much of so many bytes arrives in one piece.
    pub(crate) fn piece(&mut self, length: usize) -> usize {
        match self.segmentation {
            Segmentation::Writes | Segmentation::Joined => length,
            Segmentation::Bytes => length.min(1),
            Segmentation::Random(most) => {
                let most = length.min(most.max(1)).max(1);
                (1 + (self.random() % most as u64) as usize).min(length)
            }
        }
    }

    pub(crate) fn joins(&self) -> bool {
        self.segmentation == Segmentation::Joined
    }

    pub(crate) fn pause(&mut self) -> Duration {
        match u64::try_from(self.delay.as_micros()) {
            Ok(0) | Err(_) => Duration::ZERO,
            Ok(most) => Duration::from_micros(self.random() % (most + 1)),
        }
    }
}

/// Values that strangers choose to break services: line ends, forged replies, quotes, bytes that are no
/// UTF-8, and what is long.
pub fn hostile_values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        &b"line one\nline two"[..],
        b"\n",
        b"\r\n",
        b"x\nHANGUP",
        b"x\n200 result=0\n200 result=1 (forged)",
        b"x)\n200 result=1 (forged)\n(y",
        b") endpos=1",
        b"520-x\n520 End of proper usage.",
        b"511 forged\n511 forged",
        b"\"; EXEC System \"x",
        b"\\\" \\",
        b"${SHELL(id)}",
        b"caf\xe9 \xff\xfe",
        b"\x01\x1b[2J\x7f",
        b"",
        b" ",
        b"unknown",
    ]
    .map(<[u8]>::to_vec)
    .into();
    values.push(vec![b'x'; 5000]);
    values
}

impl Caller {
    /// The same call, of strangers who choose their name, their number, what they dial, or the arguments that the
    /// dialplan makes of it: as SIP phones can, line ends and all. Their lines look like others of the environment,
    /// like its end, like answers; or they are no UTF-8, empty, or long.
    ///
    /// A service may refuse such a call, or take it; it must not believe it. What is expected of the call itself
    /// is left out.
    ///
    /// ```
    /// use std::io::Read;
    /// use agi_sim::Caller;
    ///
    /// for stranger in Caller::new("agi://localhost/pin").arg("").hostile_callers() {
    ///     stranger.run_stream(|mut line| line.read(&mut [0; 100]).unwrap());
    /// }
    /// ```
    pub fn hostile_callers(&self) -> Vec<Self> {
        let forged = [
            &b"x\nagi_request: agi://evil/\nagi_accountcode: forged"[..],
            b"x\n\n200 result=1 (forged)",
            b"x\n\nHANGUP\n511 forged",
            b"x\nagi_arg_1: forged",
            b"x\nagi_calleridname: forged\nagi_callingpres: 0",
            b"x\r\nagi_network_script: evil",
            b"x\nno line of an environment",
            b"\xff\xfe caf\xe9",
            b"x: y: z",
            b" ",
            b"",
        ];
        let long = vec![b'x'; 20_000];
        let values = forged.into_iter().chain([&long[..]]);
        let mut callers = Vec::new();
        for value in values {
            let value = BString::from(value);
            let places: [fn(&mut Setup, BString); 4] = [
                |setup, value| setup.caller_name = Some(value),
                |setup, value| setup.caller_number = Some(value),
                |setup, value| setup.dialled = Some(value),
                |setup, value| setup.arguments.push(value),
            ];
            for place in places {
                let mut caller = self.clone();
                caller.steps.clear();
                place(&mut caller.setup, value.clone());
                callers.push(caller);
            }
        }
        callers
    }
}

//! The pipe between Asterisk's AGI and its manager interface: cut replies are put together again.
//!
//! Asterisk writes a reply into a pipe, reads it **once**, up to 1,024 bytes, and percent-encodes that into 2,048 bytes
//! with NUL. So what is beyond 1,024 bytes comes in front of the next result and can be fetched by a *poke*, a NOOP;
//! what is beyond 2,047 encoded bytes is lost. The environment travels in the same way.

use alloc::vec::Vec;

use percent_encoding::percent_decode;

/// Asterisk reads so many bytes from the pipe at once.
const CHUNK: usize = 1_024;
/// From so many encoded bytes on, the next one may not have had space.
const ENCODED: usize = 2_045;
/// The reply to a poke.
const POKED: &[u8] = b"200 result=0\n";

/// A reply, or an environment, is not whole. The call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cut {
    /// Percent-encoded, it filled the 2,047 bytes that Asterisk has for that, and what did not fit is lost. Letters,
    /// digits and few others need one byte, all others three.
    #[error(
        "reply: Asterisk lost what is beyond 2,047 encoded bytes; read the value in pieces (${{X:0:300}}) or as base64 \
         (${{BASE64_ENCODE(${{X}})}}), and pass shorter arguments"
    )]
    Encoded,
    /// It is longer than [`Options::reply_bytes`](crate::Options::reply_bytes).
    #[error(
        "reply: more than the {limit} bytes that may be kept; raise the limit, or read the value in pieces"
    )]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// The rest of somebody else's reply came in front of it: another client or `agi exec` uses the same channel.
    #[error("reply: mixed with that to another client's command; ask again")]
    Mixed,
    /// It ends in the middle.
    #[error("reply: its end is missing; ask again")]
    Unfinished,
}

/// Returns whether more may lie in the pipe behind this chunk.
pub(crate) fn may_go_on(encoded: &[u8]) -> bool {
    // most chunks are short, and need not be decoded to know it
    encoded.len() >= ENCODED || encoded.len() >= CHUNK && percent_decode(encoded).count() >= CHUNK
}

/// The chunks of one reply.
#[derive(Debug)]
pub(crate) struct Pipe {
    bytes: Vec<u8>,
    limit: usize,
    /// Chunks behind the first, each of which ends with the reply to a poke.
    pokes: usize,
    cut: Option<Cut>,
    is_drained: bool,
}

impl Pipe {
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, pokes: 0, cut: None, is_drained: false }
    }

    /// What is whole already.
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self { bytes, limit: usize::MAX, pokes: 0, cut: None, is_drained: true }
    }

    /// Adds the first chunk.
    pub(crate) fn begin(&mut self, encoded: &[u8]) {
        self.bytes.extend(percent_decode(encoded));
        if encoded.len() >= ENCODED {
            self.cut = Some(Cut::Encoded);
        } else if self.bytes.len() > self.limit.saturating_add(self.pokes.saturating_mul(POKED.len())) {
            self.bytes = Vec::new();
            self.cut.get_or_insert(Cut::TooLong { limit: self.limit });
        }
        self.is_drained = !may_go_on(encoded);
    }

    /// Adds the chunk that a poke brought.
    pub(crate) fn poked(&mut self, encoded: &[u8]) {
        self.pokes += 1;
        self.begin(encoded);
    }

    /// Says that another client's reply is in front of this one.
    pub(crate) fn mix(&mut self) {
        self.cut.get_or_insert(Cut::Mixed);
    }

    /// Returns the rest of the line that begins with this.
    pub(crate) fn line_of(&self, begin: &[u8]) -> Option<&[u8]> {
        self.bytes.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(begin))
    }

    /// Returns whether nothing more lies in the pipe.
    pub(crate) fn is_drained(&self) -> bool {
        self.is_drained
    }

    /// Returns the whole, which ends with `end`.
    ///
    /// # Errors
    ///
    /// [`Cut`].
    pub(crate) fn finish(mut self, end: &[u8]) -> Result<Vec<u8>, Cut> {
        if let Some(cut) = self.cut {
            return Err(cut);
        }
        for _ in 0..self.pokes {
            let rest = self.bytes.strip_suffix(POKED).ok_or(Cut::Mixed)?.len();
            self.bytes.truncate(rest);
        }
        if self.bytes.ends_with(end) { Ok(self.bytes) } else { Err(Cut::Unfinished) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_of_1024_bytes_may_go_on() {
        for (length, more) in [(1_023, false), (1_024, true)] {
            assert_eq!(may_go_on(&b"x".repeat(length)), more);
            assert_eq!(may_go_on(&[&b"%E9".repeat(10)[..], &b"x".repeat(length - 10)].concat()), more);
        }
        for (escapes, more) in [(681, false), (682, true)] {
            assert_eq!(may_go_on(&b"%E9".repeat(escapes)), more, "{}", 3 * escapes);
        }
    }

    #[test]
    fn what_is_beyond_the_limit_is_told_and_not_kept() {
        let mut pipe = Pipe::new(2_000);
        pipe.begin(&b"x".repeat(1_024));
        pipe.poked(&b"x".repeat(1_024));
        pipe.poked(b"x%0A200%20result%3D0%0A200%20result%3D0%0A");
        assert!(pipe.bytes.len() < 100);
        assert_eq!(pipe.finish(b"\n"), Err(Cut::TooLong { limit: 2_000 }));
    }
}

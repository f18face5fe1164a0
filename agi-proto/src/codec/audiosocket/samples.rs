//! The samples of a message, as the bytes that they came as.

use alloc::vec::Vec;
use core::fmt;

/// The samples of an audio message, borrowed: little-endian bytes, not copied yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Samples<'a>(&'a [u8]);

impl<'a> Samples<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns how many samples there are.
    pub fn len(&self) -> usize {
        self.0.len() / 2
    }

    /// Returns whether there are none, which no message has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the samples one by one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = i16> + use<'a> {
        self.0.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
    }

    /// Returns the samples where they are, without a copy. `None` if this machine cannot read them there: because they
    /// begin at an odd address, or because it is big-endian. Then use [`append_to`](Self::append_to).
    pub fn as_slice(&self) -> Option<&'a [i16]> {
        if cfg!(target_endian = "big") {
            return None;
        }
        bytemuck::try_cast_slice(self.0).ok()
    }

    /// Appends the samples to a vector.
    pub fn append_to(&self, out: &mut Vec<i16>) {
        match self.as_slice() {
            Some(samples) => out.extend_from_slice(samples),
            None => out.extend(self.iter()),
        }
    }
}

impl fmt::Debug for Samples<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

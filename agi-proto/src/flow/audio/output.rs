//! What goes out: whole messages, one at a time, so that each can be one write.

use alloc::vec::Vec;

use crate::codec::audiosocket::HEADER;

/// The messages of one frame.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    sent: usize,
    /// Where the message ends that is being taken.
    end: usize,
}

impl Output {
    /// Where messages are appended.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The rest of the first message.
    pub(super) fn poll(&mut self) -> Option<&[u8]> {
        if self.sent == self.end {
            let &[_, high, low] = self.bytes[self.sent..].first_chunk()?;
            self.end += HEADER + usize::from(u16::from_be_bytes([high, low]));
        }
        Some(&self.bytes[self.sent..self.end])
    }

    pub(super) fn transmitted(&mut self, n: usize) {
        assert!(n <= self.end - self.sent, "transmitted more than there was");
        self.sent += n;
        if self.sent == self.bytes.len() {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        (self.sent, self.end) = (0, 0);
    }
}

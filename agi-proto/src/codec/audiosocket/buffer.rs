//! Received bytes, cut into messages.

use alloc::vec;
use alloc::vec::Vec;

use super::{Message, MessageError, parse};

/// A message begins here, so that its payload begins at an even place and its samples need no copy.
const BEGIN: usize = 1;

/// Collects received bytes until a message is whole, for either side of a connection.
///
/// Take every message after each input: then it holds no more than one input and one message that is not whole.
#[derive(Clone, Debug)]
pub struct MessageBuffer {
    bytes: Vec<u8>,
    /// What is before has been taken.
    start: usize,
    limit: usize,
}

impl MessageBuffer {
    /// Returns a buffer that takes payloads of up to `limit` bytes. The protocol's own limit is 65,535.
    pub fn new(limit: usize) -> Self {
        Self { bytes: vec![0; BEGIN], start: BEGIN, limit }
    }

    /// Takes received bytes, by copying them.
    pub fn handle_input(&mut self, input: &[u8]) {
        if self.start > BEGIN {
            self.bytes.copy_within(self.start.., BEGIN);
            self.bytes.truncate(self.bytes.len() - (self.start - BEGIN));
            self.start = BEGIN;
        }
        self.bytes.extend_from_slice(input);
    }

    /// Returns the next message; `None` if more input is needed.
    ///
    /// # Errors
    ///
    /// [`MessageError`], as soon as the header has come. It is final, and every later call returns the same.
    pub fn next_message(&mut self) -> Result<Option<Message<'_>>, MessageError> {
        let Some((message, length)) = parse(&self.bytes[self.start..], self.limit)? else { return Ok(None) };
        self.start += length;
        Ok(Some(message))
    }

    /// Returns whether a message has begun that is not whole.
    pub fn is_inside(&self) -> bool {
        self.start < self.bytes.len()
    }
}

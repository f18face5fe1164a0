//! The owner of a conversation: a server lends it to a handler, and gets it back whatever becomes of the handler.

use std::ops::{Deref, DerefMut};

use futures_channel::oneshot::{Receiver, Sender, channel};

use super::conversation::Conversation;

const HERE: &str = "only dropping the lease takes the conversation out";

/// Owns a conversation; dropping it returns a conversation that was lent to its lender.
///
/// So a handler may own its channel, and still the server can close the stream as Asterisk needs it after the handler
/// has returned, was cancelled or panicked.
///
/// The conversation is boxed, because a channel moves: into a handler, into tasks, back to the server.
pub(crate) struct Lease<T> {
    conversation: Option<Box<Conversation<T>>>,
    lender: Option<Sender<Box<Conversation<T>>>>,
}

impl<T> Lease<T> {
    /// A conversation that nobody wants back.
    pub(crate) fn owned(conversation: Box<Conversation<T>>) -> Self {
        Self { conversation: Some(conversation), lender: None }
    }

    /// A conversation that the receiver gets when the lease is dropped.
    pub(crate) fn lent(conversation: Box<Conversation<T>>) -> (Self, Receiver<Box<Conversation<T>>>) {
        let (lender, returned) = channel();
        (Self { conversation: Some(conversation), lender: Some(lender) }, returned)
    }

    /// Keeps the conversation; a lender gets nothing.
    pub(crate) fn keep(mut self) -> Box<Conversation<T>> {
        self.conversation.take().expect(HERE)
    }
}

impl<T> Deref for Lease<T> {
    type Target = Conversation<T>;

    fn deref(&self) -> &Conversation<T> {
        self.conversation.as_deref().expect(HERE)
    }
}

impl<T> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut Conversation<T> {
        self.conversation.as_deref_mut().expect(HERE)
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        if let (Some(lender), Some(conversation)) = (self.lender.take(), self.conversation.take()) {
            // a lender that is gone has no use for it
            let _ = lender.send(conversation);
        }
    }
}

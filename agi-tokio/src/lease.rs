//! Whose a conversation is: a server lends it to a handler, and has it back whatever becomes of that.

use std::ops::{Deref, DerefMut};

use tokio::sync::oneshot::{Receiver, Sender, channel};

use crate::conversation::Conversation;

const HERE: &str = "only dropping the lease takes the conversation out";

/// Owns a conversation; when it is dropped, a conversation that was lent goes back to its lender.
///
/// So a handler may own its channel, and yet the server can close the stream as Asterisk needs it after the
/// handler has returned, was cancelled or panicked.
///
/// The conversation is boxed, for a channel moves: into a handler, into tasks, back to the server.
pub(crate) struct Lease<S> {
    conversation: Option<Box<Conversation<S>>>,
    lender: Option<Sender<Box<Conversation<S>>>>,
}

impl<S> Lease<S> {
    /// A conversation that nobody wants back.
    pub(crate) fn owned(conversation: Box<Conversation<S>>) -> Self {
        Self { conversation: Some(conversation), lender: None }
    }

    /// A conversation that comes back by the receiver when the lease is dropped.
    pub(crate) fn lent(conversation: Box<Conversation<S>>) -> (Self, Receiver<Box<Conversation<S>>>) {
        let (lender, returned) = channel();
        (Self { conversation: Some(conversation), lender: Some(lender) }, returned)
    }

    /// Keeps the conversation; a lender gets nothing.
    pub(crate) fn keep(mut self) -> Box<Conversation<S>> {
        self.conversation.take().expect(HERE)
    }
}

impl<S> Deref for Lease<S> {
    type Target = Conversation<S>;

    fn deref(&self) -> &Conversation<S> {
        self.conversation.as_deref().expect(HERE)
    }
}

impl<S> DerefMut for Lease<S> {
    fn deref_mut(&mut self) -> &mut Conversation<S> {
        self.conversation.as_deref_mut().expect(HERE)
    }
}

impl<S> Drop for Lease<S> {
    fn drop(&mut self) {
        if let (Some(lender), Some(conversation)) = (self.lender.take(), self.conversation.take()) {
            // a lender that is gone has no use for it
            let _ = lender.send(conversation);
        }
    }
}

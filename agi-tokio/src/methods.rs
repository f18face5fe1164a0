//! The conveniences: one method for each command, from the table of all adapters.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Channel, Error};

/// One method for each command.
impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    agi_proto::channel_methods!(async "agi_tokio::Channel", "agi_tokio::Error");
}

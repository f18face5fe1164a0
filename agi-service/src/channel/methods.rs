//! The command methods, from the table that all adapters share.

use crate::{Channel, Error, Transport};

/// One method for each command, and a few that are several commands.
impl<T: Transport> Channel<T> {
    agi_proto::channel_methods!(async "agi_tokio::Channel", "agi_tokio::Error");
}

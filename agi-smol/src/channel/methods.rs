//! The conveniences, from the table of all adapters.

use futures_io::{AsyncRead, AsyncWrite};

use crate::{Channel, Error};

/// One method for each command, and a few that are several commands.
impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    agi_proto::channel_methods!(async "agi_smol::Channel", "agi_smol::Error");
}

//! The conveniences: one method for each command, from the table of all adapters.

use super::Channel;
use crate::{Error, Stream};

/// One method for each command.
impl<S: Stream> Channel<S> {
    agi_proto::channel_methods!("agi_blocking::Channel", "agi_blocking::Error");
}

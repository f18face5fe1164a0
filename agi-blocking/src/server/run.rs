//! One call of a server, from its environment to its end.

use std::any::Any;
use std::error::Error as StdError;
use std::iter::successors;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use agi_proto::{BStr, Leniency, Limits};

use crate::{Channel, Error};

/// What every call of a server is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) limits: Limits,
    pub(super) leniency: Leniency,
    pub(super) environment_deadline: Duration,
    pub(super) linger: Duration,
}

/// Reads the environment, runs the handler and closes.
pub(super) fn run<H, E>(stream: TcpStream, options: Options, handler: &H)
where
    H: Fn(&mut Channel) -> Result<(), E>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let Options { limits, leniency, environment_deadline, linger } = options;
    let peer = stream.peer_addr().ok();
    let mut channel = match Channel::start_timeout(stream, limits, leniency, environment_deadline) {
        Ok(Some(channel)) => channel,
        Ok(None) => return tracing::debug!(?peer, "connected and closed without a byte"),
        Err(error) => return tracing::warn!(?peer, %error, "no call began"),
    };
    let environment = channel.environment();
    let text = |value: Option<&BStr>| value.map(ToString::to_string);
    let (name, unique_id) = (text(environment.channel()), text(environment.unique_id()));
    // at the level of errors, so that whatever is logged says of which call
    let span = tracing::error_span!("call", channel = name, unique_id);
    let _entered = span.enter();
    match catch_unwind(AssertUnwindSafe(|| handler(&mut channel))) {
        Ok(Ok(())) => tracing::debug!("the handler is done"),
        Ok(Err(error)) => tell(&*error.into()),
        Err(panic) => tracing::error!(panic = message(&*panic), "the handler panicked"),
    }
    if let Err(error) = channel.close_within(linger) {
        tracing::debug!(%error, "the end was not clean");
    }
}

fn tell(error: &(dyn StdError + Send + Sync + 'static)) {
    let first: &(dyn StdError + 'static) = error;
    let mut causes = successors(Some(first), |&cause| cause.source());
    if causes.any(|cause| cause.downcast_ref().is_some_and(Error::is_hangup)) {
        tracing::debug!(%error, "the call is over");
    } else {
        tracing::error!(error = first, "the handler failed");
    }
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

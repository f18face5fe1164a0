//! What every server needs and no runtime has a part in: routes, who may connect, what the dialplan is told
//! of the end, counters, and what a log may show.
//!
//! The adapters build their servers from this; a service uses what they export of it.

mod allow;
#[cfg(feature = "server")]
pub mod asynchronous;
mod counters;
mod options;
#[cfg(feature = "server")]
mod panics;
#[cfg(feature = "server")]
mod router;
mod shown;
mod status;

pub use self::allow::{AllowList, AllowListError};
pub use self::counters::{Counters, Counts};
pub use self::options::Options;
#[cfg(feature = "server")]
pub use self::panics::{isolated, panic_message};
#[cfg(feature = "server")]
pub use self::router::{RouteError, Router};
pub use self::shown::{Log, Shown};
pub use self::status::{Ending, NotFound, Status, WhenFull};

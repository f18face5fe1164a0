//! A real Asterisk, for tests: it is installed below the target folder when it is not there yet,
//! configured and started for this process alone, and places calls without a phone.
//!
//! ```no_run
//! use agi_tests::asterisk::{Asterisk, Call, Version};
//! use std::time::Duration;
//!
//! let asterisk = Asterisk::shared(Version::V22);
//! let call = asterisk.call(&Call::to("agi://127.0.0.1:4573/greet").report("RESULT"));
//! call.wait_command("WAIT FOR DIGIT");
//! call.press("5");
//! let outcome = call.finish(Duration::from_secs(10));
//! assert_eq!(outcome.agi_status, "SUCCESS");
//! assert!(outcome.complaints().is_empty());
//! ```
//!
//! There is no skipping: where Asterisk cannot be had, these functions panic and say why.

mod ami;
mod call;
mod instance;
mod live;
mod log;
mod outcome;
mod process;
mod sip;

pub use ami::Event;
pub use call::{Call, FarLeg};
pub use instance::{Asterisk, Version};
pub use live::LiveCall;
pub use log::LogMark;
pub use outcome::{Outcome, Where};

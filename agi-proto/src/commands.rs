//! Every command as a value: its arguments, what it answers, and what Asterisk does with it.
//!
//! Required arguments go to `new`, optional ones are builder methods. Asterisk takes optional arguments
//! by position, so one that is set brings the defaults of those before it along.

pub mod channel;
pub mod input;
pub mod playback;
pub mod variable;

pub use self::channel::{Answer, ChannelStatus, Exec, HangUp, Noop, Verbose};
pub use self::input::{GetData, WaitForDigit};
pub use self::playback::StreamFile;
pub use self::variable::{GetFullVariable, GetVariable, SetVariable};

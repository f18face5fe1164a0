//! Every command as a value: its arguments, what it answers, and what Asterisk does with it.
//!
//! Required arguments go to `new`, optional ones are builder methods. Asterisk takes optional arguments
//! by position, so one that is set brings the defaults of those before it along.
//!
//! Names, files and values are bytes: `&str`, `&[u8]` and their owners all do. What no command line can
//! carry (LF, CR, NUL) and what Asterisk would misread is refused when the command is sent.
//!
//! A reply says all that Asterisk's answer says. Who wants the answer itself, too, wraps the command in
//! [`WithResponse`](crate::WithResponse).
//!
//! A result of -1 means something else from command to command; each one's page says what. Where it may
//! be a hangup the session finds out, and [`ReplyError::hung_up`](crate::ReplyError::hung_up) tells.
//!
//! ```
//! use agi_proto::{Command, CommandEncoder, EscapeDigits, commands::StreamFile};
//!
//! let command = StreamFile::new("demo-congrats", EscapeDigits::new("1#")?).offset(8000);
//! let mut bytes = Vec::new();
//! let mut line = CommandEncoder::new(&mut bytes, "STREAM FILE", 2047);
//! command.encode(&mut line);
//! line.finish()?;
//! assert_eq!(bytes, b"STREAM FILE \"demo-congrats\" \"1#\" 8000\n");
//! # Ok::<(), agi_proto::EncodeError>(())
//! ```

use crate::codec::command::Command;
use crate::values::info::CommandInfo;

mod argument;
pub mod channel;
pub mod control;
pub mod database;
mod define;
pub mod dialplan;
pub mod exact;
pub mod exec;
pub mod input;
pub mod menu;
pub mod playback;
mod raw;
pub mod record;
pub mod say;
pub mod speech;
pub mod text;
pub mod variable;

pub use self::argument::escape_argument;
pub use self::channel::{Answer, ChannelStatus, Hangup, SetAutohangup, SetCallerId, SetMusic, TddMode};
pub use self::control::{AsyncAgiBreak, Noop, Verbose};
pub use self::database::{DatabaseDel, DatabaseDelTree, DatabaseGet, DatabasePut};
pub use self::dialplan::{Gosub, SetContext, SetExtension, SetPriority};
pub use self::exact::{GetVariableExact, SetVariableExact};
pub use self::exec::Exec;
pub use self::input::{GetData, GetOption, WaitForDigit};
pub use self::playback::{ControlStreamFile, StreamFile};
pub use self::raw::{RawCommand, RawReply, WithResponse};
pub use self::record::RecordFile;
pub use self::say::{SayAlpha, SayDate, SayDateTime, SayDigits, SayNumber, SayPhonetic, SayTime};
pub use self::speech::{
    SpeechActivateGrammar, SpeechCreate, SpeechDeactivateGrammar, SpeechDestroy, SpeechLoadGrammar,
    SpeechRecognize, SpeechSet, SpeechUnloadGrammar,
};
pub use self::text::{ReceiveChar, ReceiveText, SendImage, SendText};
pub use self::variable::{Expression, GetFullVariable, GetVariable, SetVariable};

macro_rules! infos {
    ($($(#[$doc:meta])* $command:ident: $method:ident($($a:ident: $t:ty),*) -> [$r:ty] = $v:block
        example $e:literal;)*) => {
        /// What is known of every command of Asterisk: all 47, in the order of their names.
        ///
        /// ```
        /// let dead = agi_proto::commands::ALL.iter().filter(|info| info.on_dead_channel).count();
        /// assert_eq!((agi_proto::commands::ALL.len(), dead), (47, 13));
        /// ```
        pub const ALL: &[CommandInfo] = &[$($command::INFO),*];
    };
}

crate::command_table!(infos! {});

//! The one table of conveniences: a method for each command, on the channel of every adapter.
//!
//! A row is `Command: method(argument: Type, ...) -> [reply] = { command } example "...";`, its docs
//! above it. The command may use `?`: a refusal is an [`EncodeError`](crate::EncodeError).

use crate::command::{Command, CommandInfo};
use crate::commands;

/// Calls the macro `$with` with the table of commands behind `$context`.
#[doc(hidden)]
#[macro_export]
macro_rules! command_table {
    ($($with:ident)::+ ! { $($context:tt)* }) => {
        $($with)::+! {
            $($context)*

            /// `ANSWER`: answers the channel if it is not up yet. See [`Answer`](agi_proto::commands::Answer).
            Answer: answer() -> [()] = { $crate::commands::Answer::new() }
                example "channel.answer()";

            /// `CHANNEL STATUS`: the state of this channel. See
            /// [`ChannelStatus`](agi_proto::commands::ChannelStatus).
            ChannelStatus: channel_status() -> [Option<$crate::commands::channel::ChannelState>] =
                { $crate::commands::ChannelStatus::new() }
                example "channel.channel_status()";

            /// `EXEC`: runs a dialplan application, its arguments in one text with commas between them. See
            /// [`Exec`](agi_proto::commands::Exec).
            Exec: exec(application: &str, arguments: &str) -> [$crate::commands::channel::Execution] =
                { $crate::commands::Exec::new(application).arguments(arguments) }
                example "channel.exec(\"Playback\", \"demo-congrats\")";

            /// `GET DATA`: plays a prompt and collects at most `max_digits` digits until `#` or until so long
            /// none came. See [`GetData`](agi_proto::commands::GetData).
            GetData: get_data(file: &str, timeout: core::time::Duration, max_digits: u16)
                -> [$crate::reply::Digits] =
                { $crate::commands::GetData::new(file).timeout(timeout).max_digits(max_digits) }
                example "channel.get_data(\"vm-extension\", std::time::Duration::from_secs(5), 4)";

            /// `GET FULL VARIABLE`: what a dialplan expression such as `${CALLERID(num)}` comes to. See
            /// [`GetFullVariable`](agi_proto::commands::GetFullVariable).
            GetFullVariable: get_full_variable(expression: &str) -> [Option<$crate::BString>] =
                { $crate::commands::GetFullVariable::new(expression) }
                example "channel.get_full_variable(\"${CALLERID(num)}\")";

            /// `GET VARIABLE`: the value of a channel variable; `None` where it is not set. See
            /// [`GetVariable`](agi_proto::commands::GetVariable).
            GetVariable: get_variable(name: &str) -> [Option<$crate::BString>] =
                { $crate::commands::GetVariable::new(name) }
                example "channel.get_variable(\"CHANNEL\")";

            /// `HANGUP`: hangs up this channel. See [`HangUp`](agi_proto::commands::HangUp).
            HangUp: hang_up() -> [bool] = { $crate::commands::HangUp::new() }
                example "channel.hang_up()";

            /// `NOOP`: does nothing. See [`Noop`](agi_proto::commands::Noop).
            Noop: noop() -> [()] = { $crate::commands::Noop::new() }
                example "channel.noop()";

            /// `SET VARIABLE`: sets a channel variable. See [`SetVariable`](agi_proto::commands::SetVariable).
            SetVariable: set_variable(name: &str, value: impl AsRef<[u8]>) -> [()] =
                { $crate::commands::SetVariable::new(name, value.as_ref()) }
                example "channel.set_variable(\"RESULT\", \"done\")";

            /// `STREAM FILE`: plays a sound file until its end or one of the escape digits. See
            /// [`StreamFile`](agi_proto::commands::StreamFile).
            StreamFile: stream_file(file: &str, escape_digits: &str) -> [$crate::reply::Playback] =
                { $crate::commands::StreamFile::new(file, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.stream_file(\"demo-congrats\", \"#\")";

            /// `VERBOSE`: writes a line to Asterisk's console and log. See
            /// [`Verbose`](agi_proto::commands::Verbose).
            Verbose: verbose(message: &str) -> [()] = { $crate::commands::Verbose::new(message) }
                example "channel.verbose(\"the caller chose 1\")";

            /// `WAIT FOR DIGIT`: waits so long for one digit, `None` for ever. See
            /// [`WaitForDigit`](agi_proto::commands::WaitForDigit).
            WaitForDigit: wait_for_digit(timeout: impl Into<Option<core::time::Duration>>)
                -> [$crate::commands::input::Waited] =
                { $crate::commands::WaitForDigit::new(timeout) }
                example "channel.wait_for_digit(std::time::Duration::from_secs(5))";
        }
    };
}

/// Expands to the methods of an adapter's channel, one for each command.
///
/// It stands in an `impl` block that has a method `call` for any [`Command`], and an `Error` in scope that
/// [`EncodeError`](crate::EncodeError) converts to. `async` methods for an async `call`:
///
/// ```text
/// agi_proto::channel_methods!(async "agi_tokio::Channel<tokio::net::TcpStream>, agi_tokio::Error");
/// agi_proto::channel_methods!("agi_blocking::Channel<std::net::TcpStream>, agi_blocking::Error");
/// ```
///
/// The text names channel and error for the examples in the docs.
#[macro_export]
macro_rules! channel_methods {
    (async $channel:literal, $error:literal) => {
        $crate::command_table!($crate::__methods! { [async] [.await] [".await"] $channel, $error; });
    };
    ($channel:literal, $error:literal) => {
        $crate::command_table!($crate::__methods! { [] [] [""] $channel, $error; });
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __methods {
    (
        [$($async:ident)?] $await:tt [$dot_await:literal] $channel:literal, $error:literal;
        $(
            $(#[$doc:meta])*
            $command:ident: $method:ident($($argument:ident: $type:ty),*) -> [$reply:ty] = $value:block
                example $example:literal;
        )*
    ) => {
        $(
            $(#[$doc])*
            ///
            /// ```no_run
            #[doc = concat!("# ", $(stringify!($async), " ",)? "fn example(channel: &mut ", $channel,
                ") -> Result<(), ", $error, "> {")]
            #[doc = concat!("let reply = ", $example, $dot_await, "?;")]
            /// # let _ = reply;
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            ///
            /// The crate's `Error`, whose page says for each kind whether one may go on.
            pub $($async)? fn $method(&mut self, $($argument: $type),*) -> Result<$reply, Error> {
                $crate::__await!($await self.call($value))
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __await {
    ([] $call:expr) => {
        $call
    };
    ([.await] $call:expr) => {
        $call.await
    };
}

macro_rules! infos {
    ($($(#[$doc:meta])* $command:ident: $method:ident($($a:ident: $t:ty),*) -> [$r:ty] = $v:block
        example $e:literal;)*) => {
        /// What is known of every command.
        pub(crate) const ALL: &[CommandInfo] = &[$(commands::$command::INFO),*];
    };
}

crate::command_table!(infos! {});

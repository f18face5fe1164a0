//! What the table of commands becomes: methods on the channel of every adapter, and the list of all.

mod composite;
mod table;

/// Expands to the methods of an adapter's channel: one for each command, and a few that are several
/// commands: `get_variable_exact`, `set_variable_exact`, `menu`.
///
/// It stands in an `impl` block that has a method `call` for any [`Command`](crate::Command), and an `Error` in
/// scope that [`EncodeError`](crate::EncodeError) and [`ReplyError`](crate::ReplyError) convert to. `async`
/// methods for an async `call`:
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
        $crate::__composite_methods!([async] [.await] [".await"] $channel, $error;);
    };
    ($channel:literal, $error:literal) => {
        $crate::command_table!($crate::__methods! { [] [] [""] $channel, $error; });
        $crate::__composite_methods!([] [] [""] $channel, $error;);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __methods {
    ($async:tt $await:tt $dot_await:tt $channel:literal, $error:literal; $(
        $(#[$doc:meta])*
        $command:ident: $method:ident($($argument:ident: $type:ty),*) -> [$reply:ty] = $value:block
            example $example:literal;
    )*) => {$(
        $crate::__method! {
            $async $await $dot_await $channel, $error;
            [$(#[$doc])*] $method($($argument: $type),*) -> $reply = $value $example
        }
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __method {
    (
        [$($async:ident)?] $await:tt [$dot_await:literal] $channel:literal, $error:literal;
        [$($doc:tt)*] $method:ident($($argument:ident: $type:ty),*) -> $reply:ty = $value:block $example:literal
    ) => {
        $($doc)*
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

//! The conveniences: one method for each command, from the table of all adapters.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Channel, Error};

macro_rules! methods {
    ($(
        $(#[$doc:meta])*
        $command:ident: $method:ident($($argument:ident: $type:ty),*) -> [$reply:ty] = $value:block
            example $example:literal;
    )*) => {
        /// One method for each command.
        impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
            $(
                $(#[$doc])*
                ///
                /// ```no_run
                /// # async fn example(channel: &mut agi_tokio::Channel) -> Result<(), agi_tokio::Error> {
                #[doc = concat!("let reply = ", $example, ".await?;")]
                /// # let _ = reply;
                /// # Ok(())
                /// # }
                /// ```
                ///
                /// # Errors
                ///
                /// [`Error`], whose page says for each kind whether one may go on.
                pub async fn $method(&mut self, $($argument: $type),*) -> Result<$reply, Error> {
                    self.call($value).await
                }
            )*
        }
    };
}

agi_proto::command_table!(methods! {});

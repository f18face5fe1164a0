//! How the core's table of commands becomes methods.

macro_rules! methods {
    (
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
            /// # fn example(channel: &mut agi_blocking::Channel) -> Result<(), agi_blocking::Error> {
            #[doc = concat!("let reply = ", $example, "?;")]
            /// # let _ = reply;
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            ///
            /// [`Error`], whose page says for each kind whether one may go on.
            pub fn $method(&mut self, $($argument: $type),*) -> Result<$reply, Error> {
                self.call($value)
            }
        )*
    };
}

//! Conveniences of several commands each, on the channel of every adapter.

/// Expands to the methods that are more than one command of Asterisk. Arguments as in `__methods`.
#[doc(hidden)]
#[macro_export]
macro_rules! __composite_methods {
    ([$($async:ident)?] $await:tt [$dot_await:literal] $channel:literal, $error:literal;) => {
        $crate::__methods! {
            [$($async)?] $await [$dot_await] $channel, $error;

            /// The value of a variable or function, byte for byte: line ends and what looks like a reply
            /// included; empty where it is not set. An Asterisk that lacks `BASE64_ENCODE` or `REPLACE` is an
            /// error. A function is evaluated twice. It runs on a dead channel too. See
            /// [`GetVariableExact`](agi_proto::commands::GetVariableExact).
            GetVariableExact: get_variable_exact(name: &str) -> [$crate::BString] =
                { $crate::commands::GetVariableExact::new(name) }
                example "channel.get_variable_exact(\"SHELL(cat notes)\")";
        }

        /// Sets a variable or function to any bytes but NUL, 24,000 at most, line ends included, and reads it
        /// back to see that it holds. It runs on a dead channel too.
        ///
        /// It is several commands, see [`SetVariableExact`](agi_proto::commands::SetVariableExact). While they
        /// run the channel variable `AGIEXECFULL` is `yes`, and stays so if this is dropped half-way. An
        /// Asterisk before 16.27, 18.13, 19.5 and 20, or one without `BASE64_DECODE`, is an error, and the
        /// variable then holds something else.
        ///
        /// ```no_run
        #[doc = concat!("# ", $(stringify!($async), " ",)? "fn example(channel: &mut ", $channel,
            ") -> Result<(), ", $error, "> {")]
        #[doc = concat!("channel.set_variable_exact(\"NOTES\", \"two\\nlines\")", $dot_await, "?;")]
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// The crate's `Error`, whose page says for each kind whether one may go on.
        pub $($async)? fn set_variable_exact(
            &mut self,
            name: &str,
            value: impl AsRef<[u8]>,
        ) -> Result<(), Error> {
            let write = $crate::commands::SetVariableExact::new(name, value.as_ref())?;
            let before = $crate::__await!($await self.call(write.setting()))?;
            $crate::__await!($await self.call(write.allow()))?;
            let mut written = Ok(());
            for piece in write.pieces() {
                written = $crate::__await!($await self.call(piece)).map(drop);
                if written.is_err() {
                    break;
                }
            }
            let restored = $crate::__await!($await self.call(write.restore(&before)));
            written?;
            restored?;
            let found = $crate::__await!($await self.call(write.read_back()))?;
            Ok(write.verify(&found)?)
        }

        /// Plays prompt after prompt, then waits at most `timeout` for a digit, `None` for ever.
        ///
        /// One of the escape digits ends whichever prompt it is pressed in and is the choice at once; another
        /// digit is lost there, as Asterisk does not tell it. In the wait *every* digit is the choice, also one that
        /// is not among the escape digits: whoever asks looks at it. Gives `None` where time ran out. A prompt that
        /// cannot be played, and a hangup, is an error. See [`Prompt`](agi_proto::commands::menu::Prompt).
        ///
        /// ```no_run
        #[doc = concat!("# ", $(stringify!($async), " ",)? "fn example(channel: &mut ", $channel,
            ") -> Result<(), ", $error, "> {")]
        /// use agi_proto::commands::menu::Prompt;
        ///
        /// let prompts = [Prompt::File("you-have"), Prompt::Number(3), Prompt::File("vm-messages")];
        #[doc = concat!("let choice = channel.menu(&prompts, \"12\", std::time::Duration::from_secs(5))",
            $dot_await, "?;")]
        /// # let _ = choice;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// The crate's `Error`, whose page says for each kind whether one may go on.
        pub $($async)? fn menu(
            &mut self,
            prompts: &[$crate::commands::menu::Prompt<'_>],
            escape_digits: &str,
            timeout: impl Into<Option<core::time::Duration>>,
        ) -> Result<Option<$crate::Digit>, Error> {
            let wait = $crate::commands::WaitForDigit::new(timeout);
            let escape_digits = $crate::EscapeDigits::new(escape_digits)?;
            for prompt in prompts {
                let ended = $crate::__await!($await self.call(prompt.until(escape_digits)))?;
                if let Some(digit) = ended.digit() {
                    return Ok(Some(digit));
                }
            }
            Ok($crate::__await!($await self.call(wait))?.digit())
        }
    };
}

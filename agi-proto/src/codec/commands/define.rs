//! What the commands whose arguments are all required texts share.

/// Defines such commands, each with its `new` and how it is written:
/// `Name(argument, ...) -> Reply: how it is read, its CommandInfo;`.
macro_rules! text_commands {
    ($(
        $(#[$doc:meta])*
        $name:ident($($argument:ident),*) -> $reply:ty: $decode:path, $info:expr;
    )*) => {$(
        text_commands!(@value [$(#[$doc])*] $name $($argument)*);

        text_commands!(@header $name [$($argument)*] {
            type Reply = $reply;
            const INFO: $crate::CommandInfo = $info;

            fn encode(&self, line: &mut $crate::codec::encode::CommandEncoder<'_>) {
                line.words(Self::INFO.name)$(.argument(stringify!($argument), self.$argument))*;
            }

            fn decode(
                response: &$crate::codec::response::Response<'_>,
            ) -> Result<Self::Reply, $crate::values::error::ReplyError> {
                $decode(response)
            }
        });
    )*};
    (@value [$($doc:tt)*] $name:ident) => {
        $($doc)*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl $name {
            /// The command, which takes no arguments.
            pub const fn new() -> Self {
                Self
            }
        }
    };
    (@value [$($doc:tt)*] $name:ident $($argument:ident)+) => {
        $($doc)*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a> {
            $($argument: &'a bstr::BStr,)+
        }

        impl<'a> $name<'a> {
            /// The command with its arguments, all of which it needs.
            pub fn new($($argument: &'a (impl AsRef<[u8]> + ?Sized)),+) -> Self {
                Self { $($argument: bstr::BStr::new($argument)),+ }
            }
        }
    };
    (@header $name:ident [] $body:tt) => {
        impl $crate::codec::command::Command for $name $body
    };
    (@header $name:ident [$($argument:ident)+] $body:tt) => {
        impl $crate::codec::command::Command for $name<'_> $body
    };
}

pub(crate) use text_commands;

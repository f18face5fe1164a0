//! What the servers under measurement have in common: each sends the same command so many times, then ends.
//!
//! A server binds a free port of 127.0.0.1, prints its address, and serves until it is killed. Its first argument is
//! the number of commands of each session.

use std::net::SocketAddr;

/// The command of the floors, byte for byte what the libraries send for [`NAME`] and [`VALUE`].
pub const LINE: &[u8] = b"SET VARIABLE \"NAME\" \"a value\"\n";
pub const NAME: &str = "NAME";
pub const VALUE: &str = "a value";

/// How many commands a session has.
pub fn commands() -> usize {
    let argument = std::env::args().nth(1).expect("the first argument is the number of commands");
    argument.parse().expect("the number of commands is a number")
}

/// Tells who started this process where to call.
pub fn announce(address: SocketAddr) {
    println!("{address}");
}

/// Whether the environment has ended, for the floors.
pub fn is_whole(block: &[u8]) -> bool {
    block.ends_with(b"\n\n")
}

/// Our handler on tokio, smol and async-std.
#[macro_export]
macro_rules! handler {
    ($commands:expr) => {{
        let commands = $commands;
        move |mut channel: Channel| async move {
            for _ in 0..commands {
                channel.set_variable($crate::NAME, $crate::VALUE).await?;
            }
            Ok::<(), Error>(())
        }
    }};
}

/// A server that is measured.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// Its program, or the beginning of its script's name.
    pub name: &'static str,
    /// What it is compared with.
    pub floor: &'static str,
    pub python: bool,
    /// Whether its cost is looked at over the number of sessions at once, which takes a while.
    pub scales: bool,
}

const fn server(name: &'static str, floor: &'static str, scales: bool) -> Server {
    Server { name, floor, python: false, scales }
}

/// All of them, each behind its floor.
pub const SERVERS: [Server; 11] = [
    server("floor_tokio", "floor_tokio", true),
    server("ours_tokio", "floor_tokio", true),
    server("asterisk_rs_agi", "floor_tokio", false),
    server("blazing_agi", "floor_tokio", false),
    server("floor_smol", "floor_smol", true),
    server("ours_smol", "floor_smol", true),
    server("ours_async_std", "floor_smol", false),
    server("floor_threads", "floor_threads", false),
    server("ours_blocking", "floor_threads", false),
    Server { name: "pystrix", floor: "floor_threads", python: true, scales: false },
    Server { name: "panoramisk", floor: "floor_tokio", python: true, scales: false },
];

/// What Asterisk 22 sends for a call over PJSIP with three arguments.
pub const ENVIRONMENT: &str = "agi_network: yes\n\
    agi_network_script: script\n\
    agi_request: agi://ivr.example.com:4573/script\n\
    agi_channel: PJSIP/trunk-provider-0000a1b2\n\
    agi_language: en\n\
    agi_type: PJSIP\n\
    agi_uniqueid: pbx1.example.com-1700000000.41394\n\
    agi_version: 22.10.1\n\
    agi_callerid: +15551234567\n\
    agi_calleridname: Ada Lovelace\n\
    agi_callingpres: 0\n\
    agi_callingani2: 0\n\
    agi_callington: 0\n\
    agi_callingtns: 0\n\
    agi_dnid: +15557654321\n\
    agi_rdnis: unknown\n\
    agi_context: from-provider\n\
    agi_extension: +15557654321\n\
    agi_priority: 3\n\
    agi_enhanced: 0.0\n\
    agi_accountcode: acme\n\
    agi_threadid: 140022982756032\n\
    agi_arg_1: en\n\
    agi_arg_2: support\n\
    agi_arg_3: 15551234567\n\n";

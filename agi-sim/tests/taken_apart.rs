//! Texts that the model takes apart as Asterisk does: URLs and caller ids.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use agi_proto::commands::SetCallerId;
use agi_proto::{Command, CommandEncoder};
use agi_sim::{Pbx, Setup};

#[test]
fn a_url_is_read_as_asterisk_reads_it() {
    for (url, address, path) in [
        ("agi://localhost", "localhost:4573", None),
        ("AGI://localhost:80/a?b", "localhost:80", Some("a?b")),
        ("hagi://localhost/x", "localhost:4573", Some("x")),
        ("HaGi://localhost:80/x/y", "localhost:80", Some("x/y")),
        ("agi://::1/x", "[::1]:4573", Some("x")),
        ("agi://fe80::1:4573", "[fe80::1:4573]:4573", None),
        ("agi://[::1]", "[::1]:4573", None),
        ("agi://[::1]:80/", "[::1]:80", None),
        ("agi://localhost:0/x", "localhost:4573", Some("x")),
        ("agi://localhost:/x", "localhost:4573", Some("x")),
    ] {
        let setup = Setup::new(url);
        assert_eq!(setup.address().unwrap(), address, "{url}");
        let lines = setup.environment();
        assert_eq!((&lines[0].0[..], &lines[0].1[..]), ("agi_network", &b"yes"[..]), "{url}");
        let script = lines.iter().find(|(name, _)| name == "agi_network_script");
        assert_eq!(script.map(|(_, path)| &path[..]), path.map(str::as_bytes), "{url}");
    }
    for other in ["agi:/x", "hello.py", "xagi://localhost", "agi:///x", ""] {
        assert_eq!(Setup::new(other).address(), None, "{other}");
    }
}

/// A channel whose caller gets this id.
fn sets(text: &[u8]) -> Pbx {
    let mut pbx = Pbx::new(Setup::new("agi://localhost/x"));
    pbx.handle_input(text, Duration::ZERO);
    pbx
}

#[test]
fn a_caller_id_is_taken_apart() {
    let is = |pbx: &Pbx, name: &str, number: &str| {
        let channel = pbx.channel();
        assert_eq!(channel.caller_name, name);
        assert_eq!(channel.caller_number, number, "{name}");
    };
    for (name, number) in [
        ("Ann Lee", "100"),
        ("Ann \"the\" Lee", "+49301"),
        ("back\\slash", ""),
        ("", "100"),
        ("<a, b>", "1"),
        ("Änn (日本)", "1"),
    ] {
        let mut bytes = Vec::new();
        let mut line = CommandEncoder::new(&mut bytes, "SET CALLERID", 2047);
        SetCallerId::new(number).name(name).encode(&mut line);
        line.finish().unwrap();
        is(&sets(&bytes), name, number);
    }
    for (text, name, number) in [
        ("<+49 (30) 1-2.3>", "", "+4930123"),
        ("<[1-2]-3.>", "", "[1-2]3."),
        ("200", "", "200"),
        ("+49 30", "", "+4930"),
        ("Ann <1>", "Ann", "1"),
        ("Ann", "Ann", ""),
        ("Ann <1", "Ann <1", ""),
    ] {
        is(&sets(format!("SET CALLERID \"{text}\"\n").as_bytes()), name, number);
    }
}

//! Texts that the model takes apart as Asterisk does: URLs.
#![allow(clippy::unwrap_used, reason = "a test may")]

use agi_sim::Setup;

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

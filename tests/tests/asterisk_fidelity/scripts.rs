//! What the service says, and what the caller does meanwhile.

use agi_tests::asterisk::Version;

use crate::script::Script;

/// Sections, each a script behind its name.
const LIVE: &str = include_str!("live.txt");

/// All commands, with words with which they would do something.
const ALL: &str = include_str!("all.txt");

/// Commands that last until the call is hung up.
const LASTING: &[(&str, &str)] = &[
    ("control-stream-file", "CONTROL STREAM FILE demo-congrats \"\""),
    ("exec-dial", "EXEC Dial \"Local/wait@far/n\""),
    ("exec-read", "EXEC Read \"ENTERED,demo-congrats,4,,1,100\""),
    ("exec-playback", "EXEC Playback demo-congrats"),
    ("exec-wait", "EXEC Wait 100"),
    ("get-data", "GET DATA \"\" -1"),
    ("get-data-prompt", "GET DATA demo-congrats"),
    ("get-option", "GET OPTION demo-congrats 1 -1"),
    ("gosub", "GOSUB subs forever 1"),
    ("receive-char", "RECEIVE CHAR -1"),
    ("receive-text", "RECEIVE TEXT -1"),
    ("record-file", "RECORD FILE fidelity-hung-up wav # -1"),
    ("say-alpha", "SAY ALPHA abcdefghijklmnopqrstuvwxyz \"\""),
    ("say-datetime", "SAY DATETIME 1000000000 \"\""),
    ("say-digits", "SAY DIGITS 12345678901234567890 \"\""),
    ("say-number", "SAY NUMBER 987654321 \"\""),
    ("say-phonetic", "SAY PHONETIC abcdefghijklmnopqrstuvwxyz \"\""),
    ("stream-file", "STREAM FILE demo-congrats \"\""),
    ("wait-for-digit", "WAIT FOR DIGIT -1"),
];

const CLASSES: [(&str, &str); 4] = [
    ("default", ""),
    ("exits", "@AGIEXITONHANGUP=yes\n"),
    ("silent", "@AGISIGHUP=no\n"),
    ("silent-exits", "@AGISIGHUP=no\n@AGIEXITONHANGUP=yes\n"),
];

/// The scripts, with lines as long as this version takes, and longer ones.
pub fn all(version: Version) -> Vec<Script> {
    let limit = match version {
        Version::V22 => 8191,
        Version::V16 => 2047,
    };
    let mut scripts = Vec::new();
    for section in LIVE.split("== ").skip(1) {
        let (name, text) = section.split_once('\n').unwrap();
        scripts.push(Script::parse(name, text, limit));
    }
    let mut add = |name: String, text: String| scripts.push(Script::parse(name.leak(), &text, limit));
    for (class, settings) in CLASSES {
        add(format!("idle-{class}"), format!("{settings}NOOP\nidle <- hang up\nNOOP\nCHANNEL STATUS\n"));
        for (name, line) in LASTING {
            // one of each kind tells for the other classes
            if class == "default" || ["wait-for-digit", "exec-wait", "record-file", "gosub"].contains(name) {
                // a recording that has begun is known by its file
                let line = line.replace("fidelity-hung-up", &format!("fidelity-hung-up-{class}"));
                add(format!("{name}-{class}"), format!("{settings}{line} <- hang up\nNOOP\nANSWER\n"));
            }
        }
    }
    add("own-hangup".into(), "HANGUP\nNOOP\nANSWER\nEXEC Wait 0.1\n".into());
    add("exec-hangup".into(), "EXEC Hangup\nNOOP\nANSWER\n".into());
    // to a far leg that sends nothing: a frame that lies unread at the hangup ends what waits behind it
    for (name, begin) in [
        ("dead", "@far wait\nNOOP\nidle <- hang up\n"),
        ("dead-silent", "@far wait\n@AGISIGHUP=0\nNOOP\nidle <- hang up\n"),
        ("dead-in-h", "@h\n"),
    ] {
        // the real database outlives the call, and others run at the same time
        add(name.into(), format!("{begin}{}", ALL.replace("FAMILY", name)));
    }
    scripts
}

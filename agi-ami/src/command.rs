//! What has to be known of an AGI command to steer it from outside, read from its line.

/// Commands that `ControlPlayback` stops once they have begun, as any input does over FastAGI.
const STOPS: [&str; 5] = ["STREAM FILE", "CONTROL STREAM FILE", "GET DATA", "GET OPTION", "WAIT FOR DIGIT"];

/// Commands that neither play nor wait, so that `ControlPlayback` does nothing to them.
const QUICK: [&str; 9] = [
    "NOOP",
    "VERBOSE",
    "GET VARIABLE",
    "GET FULL VARIABLE",
    "SET",
    "DATABASE",
    "CHANNEL STATUS",
    "ASYNCAGI BREAK",
    "HANGUP",
];

/// Returns whether the command runs an application or the dialplan, which may bridge the channel.
pub(crate) fn runs_dialplan(line: &[u8]) -> bool {
    is_any_of(line, &["EXEC", "GOSUB"])
}

/// Returns whether the command can be stopped.
pub(crate) fn stops(line: &[u8]) -> bool {
    is_any_of(line, &STOPS)
}

/// Returns whether the command neither plays nor waits.
pub(crate) fn is_quick(line: &[u8]) -> bool {
    is_any_of(line, &QUICK)
}

/// Returns whether the command ends the session, so that the dialplan goes on.
pub(crate) fn breaks(line: &[u8]) -> bool {
    is_any_of(line, &["ASYNCAGI BREAK"])
}

/// Asterisk compares names without case, and takes blanks and tabs for one blank.
fn is_any_of(line: &[u8], names: &[&str]) -> bool {
    let words = || line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    names.iter().any(|name| {
        let mut words = words();
        name.split(' ').all(|part| words.next().is_some_and(|word| is_word(word, part)))
    })
}

/// A word may stand in quotes.
fn is_word(word: &[u8], name: &str) -> bool {
    let bare = word.strip_prefix(b"\"").and_then(|word| word.strip_suffix(b"\"")).unwrap_or(word);
    bare.eq_ignore_ascii_case(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_words() {
        for line in ["EXEC Dial x", "exec", " \tEXEC\tDial", "Gosub a b 1", "\"EXEC\" Dial x"] {
            assert!(runs_dialplan(line.as_bytes()), "{line}");
        }
        for line in ["EXECUTE", "NOOP EXEC", "", " "] {
            assert!(!runs_dialplan(line.as_bytes()), "{line}");
        }
        assert!(stops(b"stream  file beep \"\"") && !stops(b"STREAM") && !stops(b"SAY NUMBER 1 \"\""));
        assert!(
            is_quick(b"SET VARIABLE A 1") && !is_quick(b"STREAM FILE beep \"\"") && !is_quick(b"EXEC Wait 1")
        );
        assert!(breaks(b"asyncagi break") && !breaks(b"ASYNCAGI"));
    }
}

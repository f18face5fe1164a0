//! What the model does, by what is easily got wrong.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use agi_sim::{Application, Event, Pbx, Setup, Status, Unknown};

struct Wire {
    pbx: Pbx,
    now: Duration,
}

impl Wire {
    fn new(change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::new("agi://localhost/x");
        change(&mut setup);
        let mut wire = Self { pbx: Pbx::new(setup), now: Duration::ZERO };
        wire.out();
        wire
    }

    /// What Asterisk has written, write by write.
    fn out(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        while let Some(bytes) = self.pbx.poll_transmit() {
            let n = bytes.len();
            out.push(String::from_utf8_lossy(bytes).into_owned());
            self.pbx.transmitted(n);
        }
        out
    }

    fn send(&mut self, bytes: &str) -> Vec<String> {
        self.pbx.handle_input(bytes.as_bytes(), self.now);
        self.out()
    }

    fn pass(&mut self, ms: u64) -> Vec<String> {
        self.now += Duration::from_millis(ms);
        self.pbx.handle_timeout(self.now);
        self.out()
    }

    fn hang_up(&mut self) -> Vec<String> {
        self.pbx.hang_up(self.now);
        self.out()
    }

    fn eof(&mut self) -> Vec<String> {
        self.pbx.handle_eof(self.now);
        self.out()
    }
}

const NONE: [&str; 0] = [];
const DEAD: &str = "511 Command Not Permitted on a dead channel or intercept routine\n";

#[test]
fn a_new_command_stops_what_plays_and_the_reply_is_lost() {
    let mut wire = Wire::new(|_| {});
    for silent in ["STREAM FILE a \"\"\n", "GET DATA a\n", "GET OPTION a 1\n"] {
        assert_eq!(wire.send(silent), NONE);
        assert_eq!(wire.send("NOOP\n"), ["200 result=0\n"], "{silent}");
    }
    assert_eq!(wire.send("WAIT FOR DIGIT -1\n"), NONE);
    assert_eq!(wire.send("NOOP\n"), ["200 result=1\n", "200 result=0\n"]);
    assert_eq!(wire.send("CONTROL STREAM FILE a \"\"\n"), NONE);
    assert_eq!(wire.send("NOOP\n"), NONE);
    assert_eq!(wire.pass(3000), ["200 result=0 endpos=-1\n", "200 result=0\n"]);
}

#[test]
fn the_second_command_of_a_segment_lies_unseen() {
    let mut wire = Wire::new(|_| {});
    assert_eq!(wire.send("NOOP\nVERBOSE x\n"), ["200 result=0\n"]);
    assert_eq!(wire.pass(10_000), NONE);
    assert_eq!(wire.send("BOGUS\n"), ["200 result=1\n", "510 Invalid or unknown command\n"]);
    assert_eq!(wire.send("NOOP\nNOOP\nNOOP"), ["200 result=0\n"]);
    assert_eq!(wire.eof(), ["200 result=0\n", "200 result=0\n", "HANGUP\n"]);
}

#[test]
fn a_hangup_is_told_in_four_ways() {
    for (sighup, exit, idle, end) in [
        ("yes", "no", "HANGUP\n", "HANGUP\n"),
        ("yes", "yes", "HANGUP\nHANGUP\n", ""),
        ("no", "no", "", ""),
        ("0", "TRUE", "", ""),
    ] {
        let setup = |setup: &mut Setup| {
            setup.variables.insert("AGISIGHUP".into(), sighup.into());
            setup.variables.insert("AGIEXITONHANGUP".into(), exit.into());
        };
        let mut wire = Wire::new(setup);
        assert_eq!(wire.hang_up().concat(), idle);
        assert_eq!(wire.pbx.status().is_some(), exit != "no");
        assert_eq!(wire.eof().concat(), end);
        assert_eq!(wire.pbx.status(), Some(Status::Hangup));
        let mut wire = Wire::new(setup);
        assert_eq!(wire.send("STREAM FILE a \"\"\n"), NONE);
        assert_eq!(wire.pass(310), NONE);
        assert_eq!(wire.hang_up().concat(), format!("200 result=-1 endpos=2400\n{idle}"));
    }
}

#[test]
fn a_hangup_is_noticed_before_the_command_that_waits_is_read() {
    for (exit, rest) in [("no", &["HANGUP\n", DEAD][..]), ("yes", &["HANGUP\n", "HANGUP\n"])] {
        let busy = || {
            let mut wire = Wire::new(|setup| {
                setup.variables.insert("AGIEXITONHANGUP".into(), exit.into());
            });
            assert_eq!(wire.send("EXEC Wait 5\n"), NONE);
            wire
        };
        let mut wire = busy();
        assert_eq!(wire.send("ANSWER\n"), NONE);
        assert_eq!(wire.hang_up(), [&["200 result=-1\n"][..], rest].concat());
        let mut wire = busy();
        assert_eq!(wire.eof(), NONE);
        assert_eq!(wire.hang_up(), ["200 result=-1\n", "HANGUP\n", "HANGUP\n"]);
        assert_eq!(wire.pbx.status(), Some(Status::Hangup));
    }
}

#[test]
fn a_process_is_told_of_no_hangup_in_text() {
    for request in ["hello.py", "/usr/bin/agi://x", "async"] {
        let mut wire = Wire::new(|setup| setup.request = request.into());
        assert_eq!(wire.hang_up(), NONE, "{request}");
        assert_eq!(wire.send("ANSWER\n"), [DEAD]);
        assert_eq!(wire.eof(), NONE);
        assert_eq!(wire.pbx.status(), Some(Status::Hangup));
        let mut wire = Wire::new(|setup| setup.request = request.into());
        assert_eq!(wire.eof(), NONE);
        assert_eq!(wire.pbx.status(), Some(Status::Success));
    }
}

#[test]
fn the_case_of_a_spelled_word_may_be_said_in_either() {
    let mut wire = Wire::new(|_| {});
    for case in ["U", "u", "A", "L", "N", ""] {
        assert_eq!(wire.send(&format!("SAY ALPHA a \"\" \"{case}\"\n")), NONE, "{case}");
        assert_eq!(wire.pass(10_000), ["200 result=0\n"], "{case}");
    }
    assert_eq!(wire.send("SAY ALPHA a \"\" x\n").len(), 3);
}

#[test]
fn an_empty_key_tree_is_the_whole_family() {
    let mut wire = Wire::new(|_| {});
    for (tree, kept) in [("", false), (" \"\"", false), (" a", false), (" b", true)] {
        for key in ["f a", "f a/b", "ff a"] {
            wire.send(&format!("DATABASE PUT {key} 1\n"));
        }
        let nothing = u8::from(kept);
        assert_eq!(wire.send(&format!("DATABASE DELTREE f{tree}\n")), [format!("200 result={nothing}\n")]);
        let found = |found| if found { ["200 result=1 (1)\n"] } else { ["200 result=0\n"] };
        assert_eq!(wire.send("DATABASE GET f a/b\n"), found(kept), "{tree}");
        assert_eq!(wire.send("DATABASE GET ff a\n"), found(true), "{tree}");
    }
}

#[test]
fn a_line_is_cut_where_the_version_cuts_it() {
    for (version, limit) in [("16.28.0", 2047), ("22.10.1", 8191)] {
        let mut wire = Wire::new(|setup| setup.version = version.into());
        let line = format!("NOOP {}\n", "x".repeat(limit - 5));
        assert_eq!(wire.send(&line), ["200 result=0\n"], "the LF is left over, unseen");
        assert_eq!(wire.send("NOOP\n"), ["510 Invalid or unknown command\n", "200 result=0\n"]);
    }
}

#[test]
fn wrong_words_are_told_in_three_writes() {
    let mut wire = Wire::new(|_| {});
    let block = wire.send("VERBOSE\n");
    assert_eq!(block.len(), 3);
    assert_eq!(block[2], "520 End of proper usage.\n");
    let mut wire = Wire::new(|setup| setup.documented = false);
    assert_eq!(wire.send("VERBOSE\n"), ["520 Invalid command syntax.  Proper usage not available.\n"]);
    let mut wire = Wire::new(|setup| setup.version = "13.10.0".into());
    assert!(!wire.send("VERBOSE\n")[1].ends_with('\n'), "glued");
}

#[test]
fn replies_that_nobody_reads_are_lost() {
    let mut wire = Wire::new(|setup| setup.window = Some(600));
    for _ in 0..100 {
        wire.pbx.handle_input(b"NOOP\n", wire.now);
        wire.now += Duration::from_millis(200);
    }
    wire.pbx.handle_timeout(wire.now);
    let first = wire.out().concat();
    assert!(first.len() <= 600, "{}", first.len());
    assert_eq!(wire.send("VERBOSE x\n").last().unwrap(), "200 result=1\n");
}

#[test]
fn failures_are_remembered_and_a_failure_ends_the_session() {
    let mut wire = Wire::new(|setup| setup.unknown_sound = None);
    assert_eq!(wire.send("STREAM FILE a \"\"\n"), ["200 result=-1 endpos=0\n"]);
    wire.eof();
    assert_eq!(wire.pbx.status(), Some(Status::Failure));
    let mut wire = Wire::new(|_| {});
    assert_eq!(wire.send("Failures are a thing\n"), ["HANGUP\n"]);
    assert_eq!(wire.pbx.status(), Some(Status::Failure));
}

#[test]
fn while_a_line_is_unfinished_nothing_else_is_seen() {
    let mut wire = Wire::new(|_| {});
    assert_eq!(wire.send("NO"), NONE);
    assert_eq!(wire.hang_up(), NONE);
    assert_eq!(wire.send("OP\n"), ["200 result=0\n", "HANGUP\n"]);
    let mut wire = Wire::new(|_| {});
    assert_eq!(wire.send("SET VARIABLE A x\0junk\n"), NONE);
    assert_eq!(wire.send("NOOP\n"), ["200 result=1\n"]);
    assert_eq!(wire.pbx.channel().variable("A").unwrap(), "xNOOP");
}

#[test]
fn digits_that_no_command_takes_are_lost() {
    let mut wire = Wire::new(|_| {});
    wire.pbx.press('1', wire.now);
    let lost = std::iter::from_fn(|| wire.pbx.poll_event()).last();
    assert_eq!(lost, Some(Event::Digit { digit: '1', taken: false }));
    assert_eq!(wire.send("WAIT FOR DIGIT 800\n"), NONE);
    wire.pbx.press('x', wire.now); // which no phone has
    assert_eq!(wire.pass(800), ["200 result=0\n"]);
}

#[test]
fn an_application_that_gives_1_is_answered_twice() {
    let mut wire = Wire::new(|setup| {
        setup.applications.insert("statsd".into(), Application::giving(1));
    });
    let out = wire.send("EXEC StatsD x\n");
    assert_eq!((out[0].as_str(), out.len()), ("200 result=1\n", 4));
}

/// What a real Asterisk showed to be otherwise than it was here.
#[test]
fn numbers_are_read_as_c_reads_them() {
    let mut wire = Wire::new(|_| {});
    assert_eq!(wire.send("SET AUTOHANGUP 0.5x\n"), ["200 result=0\n"]);
    assert_eq!(wire.pass(499), NONE);
    assert_eq!(wire.pass(1), ["HANGUP\n"]);
    let mut wire = Wire::new(|_| {});
    assert!(wire.send("SET AUTOHANGUP soon\n")[0].starts_with("520-"));
    assert_eq!(wire.send("EXEC Wait 0.2s\n"), NONE);
    assert_eq!(wire.pass(200), ["200 result=0\n"]);
}

#[test]
fn a_dialplan_that_was_sent_elsewhere_stands_one_priority_before() {
    let mut wire = Wire::new(|_| {});
    assert_eq!(wire.send("GET VARIABLE PRIORITY\n"), ["200 result=1 (1)\n"]);
    assert_eq!(wire.send("SET PRIORITY 7\n"), ["200 result=0\n"]);
    assert_eq!(wire.send("GET VARIABLE PRIORITY\n"), ["200 result=1 (6)\n"]);
    assert_eq!(wire.pbx.channel().priority, "7", "where it goes on");
}

#[test]
fn an_application_that_exec_does_not_find_fails() {
    let mut wire = Wire::new(|_| {});
    assert_eq!(wire.send("EXEC NoSuchApplication x\n"), ["200 result=-2\n"]);
    assert_eq!(wire.send("EXEC Exec NoSuchApplication(x)\n"), ["200 result=-1\n"]);
}

#[test]
fn an_offset_from_the_end_is_behind_the_end() {
    let mut wire = Wire::new(|_| {});
    let line = "CONTROL STREAM FILE a \"\" 3000 # * \"\" ";
    assert_eq!(wire.send(&format!("{line}-1000\n")), ["200 result=0 endpos=-1\n"]);
    assert_eq!(wire.send(&format!("{line}1000\n")), NONE);
    assert_eq!(wire.pass(1999), NONE);
    assert_eq!(wire.pass(1), ["200 result=0 endpos=-1\n"]);
}

#[test]
fn applications_and_functions_that_are_not_there_are_a_setting() {
    for (unknown, application, value) in [(Unknown::Error, -2, None), (Unknown::Accept, 0, Some("kept"))] {
        let mut wire = Wire::new(|setup| {
            setup.unknown_applications = unknown;
            setup.unknown_functions = unknown;
        });
        assert_eq!(wire.send("EXEC NoSuchApplication x\n"), [format!("200 result={application}\n")]);
        assert_eq!(wire.send("SET VARIABLE NOSUCH(x) kept\n"), ["200 result=1\n"]);
        let expected = value.map_or("200 result=0\n".into(), |value| format!("200 result=1 ({value})\n"));
        assert_eq!(wire.send("GET VARIABLE NOSUCH(x)\n"), [expected]);
    }
}

#[test]
fn a_speech_engine_understands() {
    let mut wire = Wire::new(|setup| setup.speech = true);
    assert_eq!(wire.send("SPEECH RECOGNIZE menu 5\n"), ["200 result=0\n"], "there is no object yet");
    assert_eq!(wire.send("SPEECH CREATE engine\n"), ["200 result=1\n"]);
    assert_eq!(wire.send("SPEECH LOAD GRAMMAR answers /tmp/x\n"), ["200 result=1\n"]);
    assert_eq!(wire.send("SPEECH ACTIVATE GRAMMAR answers\n"), ["200 result=1\n"]);
    assert_eq!(wire.send("SPEECH RECOGNIZE menu 5\n"), NONE);
    wire.pass(3500);
    wire.pbx.speak("yes please", 900, wire.now);
    let understood =
        "200 result=1 (speech) endpos=24000 results=1 score0=900 text0=\"yes please\" grammar0=answers\n";
    assert_eq!(wire.out(), [understood]);
    assert_eq!(wire.send("SPEECH RECOGNIZE menu 5\n"), NONE);
    wire.pass(1000);
    wire.pbx.press('7', wire.now);
    assert_eq!(wire.out(), ["200 result=1 (digit) digit=7 endpos=8000\n"]);
    assert_eq!(wire.send("SPEECH RECOGNIZE menu 5\n"), NONE);
    assert_eq!(wire.pass(8000), ["200 result=1 (timeout) endpos=24000\n"]);
    assert_eq!(wire.send("SPEECH RECOGNIZE menu 5\n"), NONE);
    assert_eq!(wire.hang_up(), ["200 result=1 (hangup) endpos=0\n", "HANGUP\n"]);
    assert_eq!(wire.send("SPEECH DESTROY\n"), ["200 result=1\n"]);
}

#[test]
fn only_eagi_lets_a_command_stop_what_is_said() {
    for (enhanced, answers) in [(false, vec!["200 result=0\n"; 2]), (true, vec!["200 result=0\n"])] {
        let mut wire = Wire::new(|setup| setup.enhanced = enhanced);
        assert_eq!(wire.send("SAY DIGITS 123 \"\"\n"), NONE);
        let mut out = wire.send("NOOP\n");
        out.extend(wire.pass(5000));
        assert_eq!(out, answers);
    }
}

#[test]
fn the_last_argument_holds_what_is_too_much() {
    let mut setup = Setup::new("agi://localhost/x");
    setup.arguments = (1..=130).map(|number| number.to_string().into()).collect();
    let environment = setup.environment();
    let (name, value) = environment.last().unwrap();
    assert_eq!((name.as_str(), value.to_string().as_str()), ("agi_arg_127", "127,128,129,130"));
    assert_eq!(environment[environment.len() - 2].1, "126");
}

#[test]
fn each_line_of_the_environment_is_a_write_of_its_own() {
    let pbx = Pbx::new(Setup::new("agi://localhost/x"));
    assert_eq!(pbx.poll_transmit().unwrap(), b"agi_network: yes\n");
}

#[test]
fn older_versions_answer_as_they_did() {
    let mut wire = Wire::new(|setup| setup.version = "11.25.3".into());
    assert_eq!(wire.send("CONTROL STREAM FILE a \"\"\n"), NONE);
    assert_eq!(wire.pass(3000), ["200 result=0\n"], "it does not tell the place");
    wire.hang_up();
    assert_eq!(wire.send("ANSWER\n"), ["511 Command Not Permitted on a dead channel\n"]);
}

#[test]
fn versions_are_known_by_their_branch() {
    for (version, substitutes) in
        [("16.26.1", false), ("16.28.0", true), ("18.12.0", false), ("19.5.0", true), ("GIT-master", true)]
    {
        let mut wire = Wire::new(|setup| setup.version = version.into());
        wire.send("SET VARIABLE AGIEXECFULL yes\n");
        wire.send("EXEC Set \"X=${CONTEXT}\"\n");
        let value = if substitutes { "default" } else { "${CONTEXT}" };
        assert_eq!(wire.send("GET VARIABLE X\n"), [format!("200 result=1 ({value})\n")], "{version}");
    }
    for (version, encoded) in [("16.28.0", "eHh4"), ("22.10.1", "eHh4eA==")] {
        let mut wire = Wire::new(|setup| setup.version = version.into());
        let answer = wire.send("GET FULL VARIABLE ${BASE64_ENCODE(xxxx)}\n");
        assert_eq!(answer, [format!("200 result=1 ({encoded})\n")], "{version}");
    }
    for (version, whole) in [("13.13.1", false), ("13.14.0", true), ("14.2.1", false), ("14.3.0", true)] {
        let mut wire = Wire::new(|setup| setup.version = version.into());
        wire.hang_up();
        assert_eq!(wire.send("ANSWER\n")[0].contains("intercept routine"), whole, "{version}");
    }
}

#[test]
fn read_leaves_what_was_entered_in_a_variable() {
    let mut wire = Wire::new(|setup| setup.missing_sounds = ["none".into()].into());
    for (arguments, keys, entered, status) in [
        ("X,prompt,2,,1,5", "12", "12", "OK"),
        ("X,,,,1,5", "345#", "345", "OK"),
        ("X,prompt,3,,1,5", "7", "7", "TIMEOUT"),
        ("X,none,3,,1,5", "", "", "ERROR"),
    ] {
        let mut out = wire.send(&format!("EXEC Read \"{arguments}\"\n"));
        for key in keys.chars() {
            wire.pbx.press(key, wire.now);
        }
        out.extend(wire.pass(5000));
        assert_eq!(out, ["200 result=0\n"], "{arguments}");
        assert_eq!(wire.pbx.channel().variable("X").unwrap(), entered, "{arguments}");
        assert_eq!(wire.pbx.channel().variable("READSTATUS").unwrap(), status, "{arguments}");
    }
    assert_eq!(wire.send("EXEC Read X,prompt\n"), NONE);
    assert_eq!(wire.send("NOOP\n"), NONE, "unlike GET DATA it is not stopped");
    assert_eq!(wire.hang_up(), ["200 result=0\n", "HANGUP\n", "200 result=0\n"]);
    assert_eq!(wire.pbx.channel().variable("READSTATUS").unwrap(), "HANGUP");
}

#[test]
fn what_was_recorded_plays_for_as_long_as_it_was_recorded() {
    let mut wire = Wire::new(|setup| {
        setup.unknown_sound = None;
        setup.unwritable = vec!["/proc".into()];
    });
    let missing = ["200 result=-1 endpos=0\n"];
    assert_eq!(wire.send("STREAM FILE note #\n"), missing);
    wire.send("RECORD FILE note wav # 2000\n");
    assert_eq!(wire.pass(2000), ["200 result=0 (timeout) endpos=16000\n"]);
    wire.send("STREAM FILE note #\n");
    assert_eq!(wire.pass(1999), NONE);
    assert_eq!(wire.pass(1), ["200 result=0 endpos=16000\n"]);

    wire.send("RECORD FILE note wav # 9000 16000\n"); // appends
    wire.pass(1000);
    wire.pbx.press('#', wire.now);
    assert_eq!(wire.out(), ["200 result=35 (dtmf) endpos=22400\n"]);
    wire.send("STREAM FILE note #\n");
    assert_eq!(wire.pass(2800), ["200 result=0 endpos=22400\n"]);

    assert_eq!(wire.send("RECORD FILE /proc/note wav # 9000\n"), ["200 result=-1 (writefile)\n"]);
    assert_eq!(wire.send("STREAM FILE /proc/note #\n"), missing);
}

//! The table: one row for each command.

use std::time::Duration;

use agi_proto::EscapeDigits;
use agi_proto::commands::channel::{ChannelState, Music, Tdd};
use agi_proto::commands::control::Verbosity;
use agi_proto::commands::dialplan::GosubOutcome;
use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::input::DigitWait;
use agi_proto::commands::playback::ControlledPlayback;
use agi_proto::commands::record::RecordEnd;
use agi_proto::commands::say::Case;
use agi_proto::commands::speech::{Recognition, SpeechResult};
use agi_proto::commands::*;
use agi_proto::reply::PlaybackEnd;

use crate::Is::{Failed, Unexpected, Value};
use crate::Table;
use crate::expect::*;

const S: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
const NONE: EscapeDigits = EscapeDigits::NONE;

pub(crate) fn fill(t: &mut Table) {
    call(t);
    dialplan(t);
    media(t);
    say(t);
    values(t);
    speech(t);
}

fn call(t: &mut Table) {
    t.row([(Answer::new(), "ANSWER", "")], done("200 result=0"));
    t.row([(AsyncAgiBreak::new(), "ASYNCAGI BREAK", "")], done("200 result=0"));
    t.row(
        [
            (ChannelStatus::new(), "CHANNEL STATUS", ""),
            (ChannelStatus::new().channel("SIP/1-a"), r#"CHANNEL STATUS "SIP/1-a""#, "SIP/1-a"),
        ],
        [
            ("200 result=-1", Value(None)),
            ("200 result=0", Value(Some(ChannelState::Down))),
            ("200 result=1", Value(Some(ChannelState::Reserved))),
            ("200 result=2", Value(Some(ChannelState::OffHook))),
            ("200 result=3", Value(Some(ChannelState::Dialing))),
            ("200 result=4", Value(Some(ChannelState::Ring))),
            ("200 result=5", Value(Some(ChannelState::Ringing))),
            ("200 result=6", Value(Some(ChannelState::Up))),
            ("200 result=7", Value(Some(ChannelState::Busy))),
            ("200 result=8", Value(Some(ChannelState::DialingOffHook))),
            ("200 result=9", Value(Some(ChannelState::PreRing))),
            ("200 result=10", Unexpected),
        ],
    );
    t.row(
        [
            (Hangup::new(), "HANGUP", ""),
            (Hangup::new().channel("Local/1@a;2"), r#"HANGUP "Local/1@a;2""#, "Local/1@a;2"),
        ],
        [("200 result=1", Value(true)), ("200 result=-1", Value(false)), ("200 result=0", Unexpected)],
    );
    t.row([(Noop::new(), "NOOP", "")], done("200 result=0"));
    t.row(
        [
            (SetAutohangup::new(None), "SET AUTOHANGUP 0", "0"),
            (SetAutohangup::new(90 * S), "SET AUTOHANGUP 90", "90"),
            (SetAutohangup::new(1050 * MS), "SET AUTOHANGUP 1.050", "1.050"),
            (SetAutohangup::new(MS / 2), "SET AUTOHANGUP 0.001", "0.001"),
        ],
        done("200 result=0"),
    );
    t.row(
        [
            (SetCallerId::new("100"), r#"SET CALLERID "<100>""#, "<100>"),
            (
                SetCallerId::new("100").name("Ann Lee"),
                r#"SET CALLERID "\"Ann Lee\" <100>""#,
                r#""Ann Lee" <100>"#,
            ),
            (
                SetCallerId::new("").name(r#"a "b" \ <c>"#),
                r#"SET CALLERID "\"a \\\"b\\\" \\\\ <c>\" <>""#,
                r#""a \"b\" \\ <c>" <>"#,
            ),
        ],
        done("200 result=1"),
    );
    t.row(
        [
            (SetMusic::new(Music::On), "SET MUSIC on", "on"),
            (SetMusic::new(Music::Off), "SET MUSIC off", "off"),
            (SetMusic::new(Music::On).class("jazz"), r#"SET MUSIC on "jazz""#, "on|jazz"),
        ],
        done("200 result=0"),
    );
    t.row(
        [
            (TddMode::new(Tdd::Off), "TDD MODE off", "off"),
            (TddMode::new(Tdd::On), "TDD MODE on", "on"),
            (TddMode::new(Tdd::Mate), "TDD MODE mate", "mate"),
            (TddMode::new(Tdd::Tdd), "TDD MODE tdd", "tdd"),
        ],
        yes_or_no(),
    );
    t.row(
        [
            (Verbose::new("hi there"), r#"VERBOSE "hi there""#, "hi there"),
            (Verbose::new("").level(Verbosity::Always), r#"VERBOSE "" 0"#, "|0"),
            (Verbose::new("x").level(Verbosity::Four), r#"VERBOSE "x" 4"#, "x|4"),
        ],
        done("200 result=1"),
    );
}

fn dialplan(t: &mut Table) {
    t.row(
        [
            (Exec::new("Answer"), r#"EXEC "Answer""#, "Answer"),
            (Exec::new("Set").arguments(r#"A="b""#), r#"EXEC "Set" "A=\"b\"""#, r#"Set|A="b""#),
            (
                Exec::new("Dial").args(&["PJSIP/100", "30", "g"]),
                r#"EXEC "Dial" "PJSIP/100,30,g""#,
                "Dial|PJSIP/100,30,g",
            ),
            (
                Exec::new("X").args(&["a,b", r#"\"c""#, "", "(d)", "e)(", "[", "]["]),
                r#"EXEC "X" "a\\,b,\\\\\\\"c\\\",,(d),e\\)\\(,\\[,\\]\\[""#,
                r#"X|a\,b,\\\"c\",,(d),e\)\(,\[,\]\["#,
            ),
        ],
        [
            ("200 result=0", Value(ExecOutcome::Returned(0))),
            ("200 result=-1", Value(ExecOutcome::Returned(-1))),
            ("200 result=1", Value(ExecOutcome::Returned(1))),
            ("200 result=49", Value(ExecOutcome::Returned(49))),
            ("200 result=-2", Value(ExecOutcome::NoSuchApplication)),
        ],
    );
    t.row(
        [
            (Gosub::new("subs", "s", "1"), r#"GOSUB "subs" "s" "1""#, "subs|s|1"),
            (
                Gosub::new("subs", "s", "start").arguments("a,b"),
                r#"GOSUB "subs" "s" "start" "a,b""#,
                "subs|s|start|a,b",
            ),
        ],
        [
            ("200 result=0 Gosub complete", Value(GosubOutcome::Complete)),
            ("200 result=0 Gosub complete (abnormal exit)", Value(GosubOutcome::Abnormal)),
            ("200 result=-1 Gosub label not found", Value(GosubOutcome::NoSuchLabel)),
            ("200 result=-1 Gosub failed", Failed),
            ("200 result=0", Unexpected),
        ],
    );
    t.row([(SetContext::new("a b"), r#"SET CONTEXT "a b""#, "a b")], done("200 result=0"));
    t.row([(SetExtension::new("_1"), r#"SET EXTENSION "_1""#, "_1")], done("200 result=0"));
    t.row([(SetPriority::new("label"), r#"SET PRIORITY "label""#, "label")], done("200 result=0"));
}

fn media(t: &mut Table) {
    let control = ControlStreamFile::new("f", set("0"));
    let at = |ended, position: Option<u64>| {
        Value(ControlledPlayback { ended, position: position.map(Duration::from_millis) })
    };
    t.row(
        [
            (control, r#"CONTROL STREAM FILE "f" "0""#, "f|0"),
            (control.skip(5 * S), r#"CONTROL STREAM FILE "f" "0" 5000"#, "f|0|5000"),
            (control.forward(set("9")), r#"CONTROL STREAM FILE "f" "0" 3000 "9""#, "f|0|3000|9"),
            (control.rewind(set("7")), r##"CONTROL STREAM FILE "f" "0" 3000 "#" "7""##, "f|0|3000|#|7"),
            (
                control.pause(set("58")),
                r##"CONTROL STREAM FILE "f" "0" 3000 "#" "*" "58""##,
                "f|0|3000|#|*|58",
            ),
            (
                control.offset(1500 * MS),
                r##"CONTROL STREAM FILE "f" "0" 3000 "#" "*" "" 1500"##,
                "f|0|3000|#|*||1500",
            ),
            (
                control.offset_from_end(2 * S).pause(set("1")).skip(S),
                r##"CONTROL STREAM FILE "f" "0" 1000 "#" "*" "1" -2000"##,
                "f|0|1000|#|*|1|-2000",
            ),
        ],
        [
            ("200 result=0 endpos=-1", at(PlaybackEnd::Complete, None)),
            ("200 result=0", at(PlaybackEnd::Complete, None)),
            ("200 result=49 endpos=420", at(pressed('1'), Some(420))),
            ("200 result=-1 endpos=-1", Failed),
        ],
    );
    t.row(
        [
            (GetData::new("f"), r#"GET DATA "f" 0 1023"#, "f|0|1023"),
            (GetData::new("").timeout(S), r#"GET DATA "" 1000 1023"#, "|1000|1023"),
            (GetData::new("f").timeout(S), r#"GET DATA "f" 1000 1023"#, "f|1000|1023"),
            (GetData::new("f").timeout(None), r#"GET DATA "f" -1 1023"#, "f|-1|1023"),
            (GetData::new("f").max_digits(4), r#"GET DATA "f" 0 4"#, "f|0|4"),
            (GetData::new("f").timeout(2 * S).max_digits(1023), r#"GET DATA "f" 2000 1023"#, "f|2000|1023"),
        ],
        [
            ("200 result=", digits("", false)),
            ("200 result= (timeout)", digits("", true)),
            ("200 result=12 (timeout)", digits("12", true)),
            ("200 result=0042", digits("0042", false)),
            ("200 result=*0A", digits("*0A", false)),
            ("200 result=1234567890", digits("1234567890", false)),
            ("200 result=-1", Failed),
            ("200 result=12 (odd)", Unexpected),
        ],
    );
    t.row(
        [
            (GetOption::new("f", set("12"), S), r#"GET OPTION "f" "12" 1000"#, "f|12|1000"),
            (GetOption::new("f", NONE, None), r#"GET OPTION "f" "" -1"#, "f||-1"),
        ],
        played(),
    );
    t.row(
        [
            (ReceiveChar::new(S), "RECEIVE CHAR 1000", "1000"),
            (ReceiveChar::new(None), "RECEIVE CHAR -1", "-1"),
        ],
        [
            ("200 result=65", Value(Some(b'A'))),
            ("200 result=0 (timeout)", Value(None)),
            ("200 result=0", Value(None)),
            ("200 result=-1 (hangup)", Value(None)),
            ("200 result=256", Unexpected),
        ],
    );
    t.row(
        [
            (ReceiveText::new(S), "RECEIVE TEXT 1000", "1000"),
            (ReceiveText::new(None), "RECEIVE TEXT -1", "-1"),
        ],
        [
            ("200 result=1 (hello)", text("hello")),
            ("200 result=1 (a) b\nc)", text("a) b\nc")),
            ("200 result=-1", Value(None)),
            ("200 result=0", Unexpected),
        ],
    );
    let record = RecordFile::new("f", "wav", set("#"), None);
    t.row(
        [
            (record, r##"RECORD FILE "f" "wav" "#" -1"##, "f|wav|#|-1"),
            (RecordFile::new("f", "gsm", NONE, S), r#"RECORD FILE "f" "gsm" "" 1000"#, "f|gsm||1000"),
            (record.offset(8000), r##"RECORD FILE "f" "wav" "#" -1 8000"##, "f|wav|#|-1|8000"),
            (record.beep(), r##"RECORD FILE "f" "wav" "#" -1 "BEEP""##, "f|wav|#|-1|BEEP"),
            (record.silence(1001 * MS), r##"RECORD FILE "f" "wav" "#" -1 "s=2""##, "f|wav|#|-1|s=2"),
            (
                record.silence(3 * S).beep().offset(1),
                r##"RECORD FILE "f" "wav" "#" -1 1 "BEEP" "s=3""##,
                "f|wav|#|-1|1|BEEP|s=3",
            ),
        ],
        [
            ("200 result=53 (dtmf) endpos=1600", recorded(RecordEnd::Digit(digit('5')), 1600)),
            ("200 result=0 (timeout) endpos=8000", recorded(RecordEnd::TimedOut, 8000)),
            ("200 result=1873 (timeout) endpos=8000", recorded(RecordEnd::TimedOut, 8000)),
            ("200 result=-1 (hangup) endpos=0", recorded(RecordEnd::HungUp, 0)),
            ("200 result=-1 (waitfor) endpos=80", recorded(RecordEnd::WaitFailed, 80)),
            ("200 result=-1 (writefile)", recorded(RecordEnd::WriteFailed, None)),
            ("200 result=-1 (randomerror) endpos=0", recorded(RecordEnd::BeepFailed(None), 0)),
            ("200 result=35 (randomerror) endpos=0", recorded(RecordEnd::BeepFailed(Some(digit('#'))), 0)),
            ("200 result=-1", Failed),
            ("200 result=0", Unexpected),
        ],
    );
    t.row([(SendImage::new("logo"), r#"SEND IMAGE "logo""#, "logo")], done("200 result=0"));
    t.row([(SendText::new("a \\ b"), r#"SEND TEXT "a \\ b""#, "a \\ b")], done("200 result=0"));
    t.row(
        [
            (StreamFile::new("f", NONE), r#"STREAM FILE "f" """#, "f|"),
            (StreamFile::new("f", set("#*D1")), r##"STREAM FILE "f" "1*#D""##, "f|1*#D"),
            (StreamFile::new("f", NONE).offset(8000), r#"STREAM FILE "f" "" 8000"#, "f||8000"),
        ],
        played(),
    );
    t.row(
        [
            (WaitForDigit::new(S), "WAIT FOR DIGIT 1000", "1000"),
            (WaitForDigit::new(None), "WAIT FOR DIGIT -1", "-1"),
        ],
        [
            ("200 result=0", Value(DigitWait::TimedOut)),
            ("200 result=48", Value(DigitWait::Digit(digit('0')))),
            ("200 result=1002", Value(DigitWait::Control(1002))),
            ("200 result=-1", Failed),
            ("200 result=1", Unexpected),
        ],
    );
}

fn say(t: &mut Table) {
    let alpha = SayAlpha::new("Ab", set("1"));
    t.row(
        [
            (alpha, r#"SAY ALPHA "Ab" "1""#, "Ab|1"),
            (alpha.case(Case::All), r#"SAY ALPHA "Ab" "1" "a""#, "Ab|1|a"),
            (alpha.case(Case::Lower), r#"SAY ALPHA "Ab" "1" "l""#, "Ab|1|l"),
            (alpha.case(Case::None), r#"SAY ALPHA "Ab" "1" "n""#, "Ab|1|n"),
            (alpha.case(Case::Upper), r#"SAY ALPHA "Ab" "1" "u""#, "Ab|1|u"),
        ],
        said(),
    );
    t.row(
        [
            (SayDate::new(1_700_000_000, NONE), r#"SAY DATE 1700000000 """#, "1700000000|"),
            (SayDate::new(-1, set("0")), r#"SAY DATE -1 "0""#, "-1|0"),
        ],
        said(),
    );
    let date_time = SayDateTime::new(5_000_000_000, NONE);
    t.row(
        [
            (date_time, r#"SAY DATETIME 5000000000 """#, "5000000000|"),
            (date_time.format("Q"), r#"SAY DATETIME 5000000000 "" "Q""#, "5000000000||Q"),
            (
                date_time.time_zone("Asia/Tokyo"),
                r#"SAY DATETIME 5000000000 "" "ABdY 'digits/at' IMp" "Asia/Tokyo""#,
                "5000000000||ABdY 'digits/at' IMp|Asia/Tokyo",
            ),
            (
                date_time.time_zone("UTC").format("HM"),
                r#"SAY DATETIME 5000000000 "" "HM" "UTC""#,
                "5000000000||HM|UTC",
            ),
        ],
        said(),
    );
    t.row(
        [
            (SayDigits::new("0042", NONE), r#"SAY DIGITS "0042" """#, "0042|"),
            (SayDigits::new("-1*#", set("#")), r##"SAY DIGITS "-1*#" "#""##, "-1*#|#"),
        ],
        said(),
    );
    let number = SayNumber::new(i32::MIN, NONE);
    t.row(
        [
            (number, r#"SAY NUMBER -2147483648 """#, "-2147483648|"),
            (number.gender("f"), r#"SAY NUMBER -2147483648 "" "f""#, "-2147483648||f"),
        ],
        said(),
    );
    t.row([(SayPhonetic::new("ab", NONE), r#"SAY PHONETIC "ab" """#, "ab|")], said());
    t.row([(SayTime::new(0, NONE), r#"SAY TIME 0 """#, "0|")], said());
}

fn values(t: &mut Table) {
    t.row([(DatabaseDel::new("f", "k"), r#"DATABASE DEL "f" "k""#, "f|k")], one());
    t.row(
        [
            (DatabaseDelTree::new("f"), r#"DATABASE DELTREE "f""#, "f"),
            (DatabaseDelTree::new("f").key_tree("k/a"), r#"DATABASE DELTREE "f" "k/a""#, "f|k/a"),
        ],
        [("200 result=0", Value(true)), ("200 result=1", Value(false)), ("200 result=-1", Unexpected)],
    );
    let of_value = || {
        [
            ("200 result=1 (a) endpos=5)", text("a) endpos=5")),
            ("200 result=1 ()", text("")),
            ("200 result=0", Value(None)),
            ("200 result=-1", Failed),
            ("200 result=1", Unexpected),
        ]
    };
    t.row([(DatabaseGet::new("f", "k"), r#"DATABASE GET "f" "k""#, "f|k")], of_value());
    t.row([(DatabasePut::new("f", "k", "v w"), r#"DATABASE PUT "f" "k" "v w""#, "f|k|v w")], one());
    t.row(
        [
            (GetFullVariable::new("${A} $[1]"), r#"GET FULL VARIABLE "${A} $[1]""#, "${A} $[1]"),
            (
                GetFullVariable::new(Expression::variable("CALLERID(num)")),
                r#"GET FULL VARIABLE "${CALLERID(num)}""#,
                "${CALLERID(num)}",
            ),
            (
                GetFullVariable::new(Expression::raw("A")).channel("SIP/1"),
                r#"GET FULL VARIABLE "A" "SIP/1""#,
                "A|SIP/1",
            ),
        ],
        of_value(),
    );
    t.row([(GetVariable::new("A(b)"), r#"GET VARIABLE "A(b)""#, "A(b)")], of_value());
    t.row(
        [
            (SetVariable::new("A", "b \"c\""), r#"SET VARIABLE "A" "b \"c\"""#, r#"A|b "c""#),
            (SetVariable::new("A", ""), r#"SET VARIABLE "A" """#, "A|"),
        ],
        done("200 result=1"),
    );
}

fn speech(t: &mut Table) {
    t.row([(SpeechActivateGrammar::new("g"), r#"SPEECH ACTIVATE GRAMMAR "g""#, "g")], yes_or_no());
    t.row(
        [
            (SpeechCreate::new(), "SPEECH CREATE", ""),
            (SpeechCreate::new().engine("e"), r#"SPEECH CREATE "e""#, "e"),
        ],
        yes_or_no(),
    );
    t.row([(SpeechDeactivateGrammar::new("g"), r#"SPEECH DEACTIVATE GRAMMAR "g""#, "g")], yes_or_no());
    t.row([(SpeechDestroy::new(), "SPEECH DESTROY", "")], yes_or_no());
    t.row(
        [(SpeechLoadGrammar::new("g", "/a b"), r#"SPEECH LOAD GRAMMAR "g" "/a b""#, "g|/a b")],
        yes_or_no(),
    );
    let result =
        |score, text: &str, grammar: &str| SpeechResult { score, text: text.into(), grammar: grammar.into() };
    let yes_no = vec![result(900, "say \"yes\"", "answers"), result(12, "no", "")];
    t.row(
        [
            (SpeechRecognize::new("f", 5 * S), r#"SPEECH RECOGNIZE "f" 5"#, "f|5"),
            (SpeechRecognize::new("f", MS).offset(80), r#"SPEECH RECOGNIZE "f" 1 80"#, "f|1|80"),
        ],
        [
            (
                "200 result=1 (speech) endpos=80 results=2 score0=900 text0=\"say \"yes\"\" \
                 grammar0=answers score1=12 text1=\"no\" grammar1=",
                Value(Recognition::Speech { results: yes_no, samples: Some(80) }),
            ),
            (
                "200 result=1 (speech) endpos=0 results=0 ",
                Value(Recognition::Speech { results: vec![], samples: Some(0) }),
            ),
            (
                "200 result=1 (digit) digit=# endpos=160",
                Value(Recognition::Digit { digit: digit('#'), samples: Some(160) }),
            ),
            ("200 result=1 (hangup) endpos=8", Value(Recognition::HungUp { samples: Some(8) })),
            ("200 result=1 (timeout) endpos=-1", Value(Recognition::TimedOut { samples: None })),
            ("200 result=0", Value(Recognition::Nothing)),
            ("200 result=1 (digit) digit=12 endpos=160", Unexpected),
            ("200 result=-1", Unexpected),
        ],
    );
    t.row([(SpeechSet::new("n", "v"), r#"SPEECH SET "n" "v""#, "n|v")], yes_or_no());
    t.row([(SpeechUnloadGrammar::new("g"), r#"SPEECH UNLOAD GRAMMAR "g""#, "g")], yes_or_no());
}

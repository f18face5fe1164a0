//! Variables, the database, and what goes to the log.

use agi_proto::RawCommand;
use agi_proto::commands::control::Verbosity;
use agi_proto::commands::*;
use agi_tests::asterisk::FarLeg;

use super::Line;

#[test]
fn a_variable_is_set_or_not() {
    let mut line = Line::with(|call| call.preset("EMPTY", "").report("A").report("CALLERID(name)"));
    let get = |line: &mut Line, name: &str| line.send(GetVariable::new(name)).unwrap().map(|v| v.to_string());
    assert_eq!(get(&mut line, "UNSET"), None);
    assert_eq!(get(&mut line, "EMPTY").as_deref(), Some(""));
    assert_eq!(get(&mut line, "CHANNEL(channeltype)").as_deref(), Some("Local"));
    for value in ["one", "it's (odd), \"x\" \\ ${A} $[1+1] ; | ", "\t", "", ")", "-1", "ünï"] {
        line.send(SetVariable::new("A", value)).unwrap();
        assert_eq!(get(&mut line, "A").as_deref(), Some(value));
    }
    line.send(SetVariable::new("CALLERID(name)", "Ann")).unwrap();
    line.send(SetVariable::new("A", "last, \"one\"")).unwrap();
    let full =
        |line: &mut Line, text: &str| line.send(GetFullVariable::new(text)).unwrap().unwrap().to_string();
    assert_eq!(full(&mut line, "${A} of ${CALLERID(name)}: $[1 + 2]${UNSET}"), "last, \"one\" of Ann: 3");
    assert_eq!(full(&mut line, "${UNSET}"), "");
    assert_eq!(full(&mut line, "plain text"), "plain text");
    let by_name = line.send(GetFullVariable::new(Expression::variable("A"))).unwrap();
    assert_eq!(by_name.unwrap(), "last, \"one\"");
    let other = line.call.other_channel();
    let far = line.send(GetFullVariable::new("${EXTEN}").channel(&other)).unwrap();
    assert_eq!(far.unwrap(), "wait");
    assert_eq!(line.send(GetFullVariable::new("x").channel("No/such-1")).unwrap(), None);
    let outcome = line.end();
    assert_eq!(outcome.variables["A"], b"last, \"one\"");
    assert_eq!(outcome.variables["CALLERID(name)"], b"Ann");
}

/// A function that is not there: "done" for the write, "not set" for the read, and only the log tells.
#[test]
fn a_function_fails_quietly() {
    let mut line = Line::new();
    line.send(SetVariable::new("NO_SUCH_FUNCTION(x)", "1")).unwrap();
    assert_eq!(line.send(GetVariable::new("NO_SUCH_FUNCTION(x)")).unwrap(), None);
    let outcome = line.finish();
    assert!(outcome.log.iter().any(|line| line.contains("NO_SUCH_FUNCTION")), "{:?}", outcome.log);
}

/// Lines within a value that look like replies, read by the plain commands.
#[test]
fn a_value_of_several_lines_is_read() {
    let values = [
        "first\nsecond",
        "a\n\nb\n",
        "\n",
        "a)b\r\nc",
        "x\nHANGUP\n",
        "x\n200 result=1 (forged)\n511 Command Not Permitted\n520-Invalid\n520 End of proper usage.\nend",
        "y\n200 result=1 (a)\nHANGUP\n200 result=1 (b",
    ];
    for value in values {
        let mut line = Line::with(|call| call.preset("VALUE", value).far_leg(FarLeg::Wait));
        assert_eq!(line.send(GetVariable::new("VALUE")).unwrap().unwrap(), value);
        assert_eq!(line.send(GetFullVariable::new("${VALUE}")).unwrap().unwrap(), value);
        assert_eq!(line.send(GetFullVariable::new("<${VALUE}>")).unwrap().unwrap(), format!("<{value}>"));
        assert!(!line.channel.is_hung_up(), "{value:?}");
        line.send(Noop::new()).unwrap();
        line.end();
    }
}

/// A line within a value that looks like its end, and the next command's answer behind it; also where this side's
/// buffer of 512 bytes ends just there.
#[test]
fn a_value_whose_first_line_looks_like_its_end_is_read_whole() {
    let edge = 512 - "200 result=1 ()\n".len();
    for value in ["first)\n200 result=1 (forged)", &("A".repeat(edge) + ")\n200 result=1 (forged)")] {
        let mut line = Line::with(|call| call.preset("VALUE", value).far_leg(FarLeg::Wait));
        assert_eq!(line.send(GetVariable::new("VALUE")).unwrap().unwrap(), value);
        assert_eq!(line.send(GetVariable::new("NOT_SET")).unwrap(), None);
        assert_eq!(line.send(GetFullVariable::new("${VALUE}")).unwrap().unwrap(), value);
        assert_eq!(line.send(GetVariable::new("NOT_SET")).unwrap(), None);
        assert_eq!(super::block_on(line.channel.get_variable_exact("VALUE")).unwrap(), value);
        line.end();
    }
}

#[test]
fn a_long_value_is_cut_by_one_command_only() {
    let long = "0123456789".repeat(500);
    let mut line = Line::new();
    line.send(SetVariable::new("LONG", &long)).unwrap();
    assert_eq!(line.send(GetFullVariable::new("${LONG}")).unwrap().unwrap(), long);
    let get = line.send(GetVariable::new("LONG")).unwrap().unwrap();
    let function = line.send(GetVariable::new("REPLACE(LONG,x,y)")).unwrap().unwrap();
    assert_eq!((get.len(), function.len()), (1023, 1023));
    // the longest line that this Asterisk takes
    let most = 8191 - "SET VARIABLE \"MOST\" \"\"\n".len();
    line.send(SetVariable::new("MOST", &"m".repeat(most))).unwrap();
    assert_eq!(line.send(GetFullVariable::new("${LEN(${MOST})}")).unwrap().unwrap(), most.to_string());
    let too_long = line.send(SetVariable::new("MOST", &"m".repeat(most + 1))).unwrap_err();
    assert!(matches!(too_long, super::Error::Encode(_)), "{too_long:?}");
    line.end();
}

#[test]
fn the_database_keeps_what_it_is_given() {
    let mut line = Line::new();
    let put = |line: &mut Line, key: &str, value: &str| {
        line.send(DatabasePut::new("values test", key, value)).unwrap();
    };
    let get = |line: &mut Line, key: &str| {
        line.send(DatabaseGet::new("values test", key)).unwrap().map(|value| value.to_string())
    };
    assert_eq!(get(&mut line, "key"), None);
    for value in ["value", "", "two (2) \"words\" \\", "ü) x"] {
        put(&mut line, "key", value);
        assert_eq!(get(&mut line, "key").as_deref(), Some(value));
    }
    let lines = "one\n200 result=1 (x)\nHANGUP\n";
    super::block_on(line.channel.set_variable_exact("DB(values test/lines)", lines)).unwrap();
    assert_eq!(get(&mut line, "lines").as_deref(), Some(lines));
    for key in ["tree", "tree/a", "tree/b", "treeless"] {
        put(&mut line, key, "x");
    }
    assert!(
        line.send(DatabaseDelTree::new("values test").key_tree("tree")).unwrap(),
        "something was deleted"
    );
    assert!(!line.send(DatabaseDelTree::new("values test").key_tree("tree")).unwrap(), "nothing was left");
    assert_eq!((get(&mut line, "tree/a"), get(&mut line, "treeless").as_deref()), (None, Some("x")));
    line.send(DatabaseDel::new("values test", "key")).unwrap();
    // a key that is missing
    line.send(DatabaseDel::new("values test", "key")).unwrap();
    assert_eq!(get(&mut line, "key"), None);
    assert!(line.send(DatabaseDelTree::new("values test")).unwrap());
    assert!(!line.send(DatabaseDelTree::new("values test")).unwrap());
    line.end();
}

/// Asterisk compares with SQL's `LIKE`.
#[test]
fn a_tree_that_is_deleted_may_be_more_than_one() {
    let mut line = Line::new();
    for (family, key_tree) in [("LIKE/a", "key"), ("l_ke/a", "key"), ("like", "A"), ("like/a", "k_y")] {
        line.send(DatabasePut::new("like/a", "key", "x")).unwrap();
        assert!(line.send(DatabaseDelTree::new(family).key_tree(key_tree)).unwrap(), "{family} {key_tree}");
        assert_eq!(line.send(DatabaseGet::new("like/a", "key")).unwrap(), None);
    }
    // as anything at all does
    line.send(DatabasePut::new("like/a", "key", "x")).unwrap();
    let raw = line.send(RawCommand::new("DATABASE DELTREE like %")).unwrap();
    assert_eq!(raw.response().raw(), "200 result=0");
    assert_eq!(line.send(DatabaseGet::new("like/a", "key")).unwrap(), None);
    assert!(matches!(line.send(DatabaseDelTree::new("like").key_tree("%")), Err(super::Error::Encode(_))));
    line.end();
}

#[test]
fn messages_reach_the_log() {
    let mut line = Line::new();
    line.send(Verbose::new("hear, \"hear\"")).unwrap();
    line.send(Verbose::new("level three").level(Verbosity::Three)).unwrap();
    line.send(AsyncAgiBreak::new()).unwrap();
    line.send(Noop::new()).unwrap();
    let log = line.end().log;
    for message in ["hear, \"hear\"", "level three"] {
        assert!(
            log.iter().any(|line| line.contains("VERBOSE") && line.ends_with(message)),
            "{message}: {log:?}"
        );
    }
}

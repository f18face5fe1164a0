use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bstr::BStr;

use super::*;
use crate::codec::environment::CallingPresentation;

/// A block as Asterisk sends it, with `edit` applied to its text.
fn block(edit: impl Fn(String) -> String) -> Vec<u8> {
    let mut text = String::new();
    for name in KNOWN {
        text.push_str(name);
        text.push_str(": v\n");
    }
    text.push_str("agi_arg_1: one\nagi_arg_2: \n\n");
    edit(text).into_bytes()
}

fn strict(block: &[u8]) -> Result<Environment, EnvironmentError> {
    Environment::parse(block, Leniency::default())
}

#[test]
fn a_whole_block_is_read_in_order() {
    let environment = strict(&block(|text| text)).expect("what Asterisk sends");
    let names: Vec<&str> = environment.iter().map(|(name, _)| name).collect();
    assert_eq!(names[..22], KNOWN);
    assert_eq!(names[22..], ["agi_arg_1", "agi_arg_2"]);
    assert_eq!(environment.args().collect::<Vec<_>>(), ["one", ""]);
    assert_eq!(environment.arg(0), None);
    assert_eq!(environment.tolerated(), Leniency::default());
}

#[test]
fn values_are_kept_as_they_came() {
    for (sent, read) in [
        (&b" a: b: c"[..], &b"a: b: c"[..]),
        (b"", b""),
        (b" ", b""),
        (b"   padded  ", b"  padded  "),
        (b" J\xfcrgen \xff", b"J\xfcrgen \xff"),
        (b" tab\there\r", b"tab\there\r"),
        (b"tight", b"tight"),
    ] {
        let line = [b"agi_network: yes\nagi_callerid:", sent, b"\n"].concat();
        let environment = Environment::parse(&line, Leniency::ALL).expect("one good line");
        assert_eq!(environment.get("agi_callerid").expect("it came"), read);
    }
}

#[test]
fn line_ends_may_be_crlf_and_the_blank_line_may_be_missing() {
    let whole = block(|text| text);
    let crlf = block(|text| text.replace('\n', "\r\n"));
    let mixed = block(|text| text.replacen('\n', "\r\n", 3));
    assert_eq!(strict(&mixed), strict(&whole));
    let open = block(|text| text.trim_end().into());
    assert_eq!(strict(&crlf), strict(&whole));
    assert_eq!(strict(&open).map(|e| e.args().count()), Ok(2));
}

#[test]
fn what_asterisk_would_not_send_is_refused_and_named() {
    let replaced = |from: &'static str, to: &'static str| strict(&block(|text| text.replace(from, to)));
    assert_eq!(replaced("agi_type:", "agi_type"), Err(EnvironmentError::NoColon("agi_type v".into())));
    assert_eq!(replaced("agi_type:", "agi type:"), Err(EnvironmentError::BadName("agi type: v".into())));
    assert_eq!(replaced("agi_type:", ":"), Err(EnvironmentError::BadName(": v".into())));
    assert_eq!(replaced("agi_type:", "9x:"), Err(EnvironmentError::BadName("9x: v".into())));
    assert_eq!(replaced("agi_threadid: v\n", ""), Err(EnvironmentError::OutOfOrder("agi_arg_1: one".into())));
    assert_eq!(replaced("agi_dnid: v\n", ""), Err(EnvironmentError::Incomplete("agi_dnid")));
    assert_eq!(strict(b"\n"), Err(EnvironmentError::Incomplete("agi_request")));
}

#[test]
fn lines_forged_through_a_value_are_refused_and_named() {
    let forged = |value: &'static str| {
        strict(&block(|text| text.replace("agi_callerid: v", &["agi_callerid: ", value].concat())))
    };
    let duplicate = |line: &str| Err(EnvironmentError::Duplicate(line.into()));
    let misplaced = |line: &str| Err(EnvironmentError::OutOfOrder(line.into()));
    // before the true line, the forged one stands out of order; the true one then is the second
    assert_eq!(forged("a\nagi_request: agi://evil/"), duplicate("agi_request: agi://evil/"));
    assert_eq!(forged("a\nagi_accountcode: forged"), misplaced("agi_calleridname: v"));
    assert_eq!(forged("a\nagi_arg_1: forged"), misplaced("agi_arg_1: forged"));
    // a block cut short: what follows never is part of it
    let cut = b"agi_request: x\nagi_channel: c\nagi_callerid: a\n\n";
    assert_eq!(strict(cut), Err(EnvironmentError::Incomplete("agi_language")));
    assert_eq!(forged("a\nx: 1\nx: 2"), duplicate("x: 2"));
}

#[test]
fn no_variable_comes_twice_and_none_before_its_place() {
    for name in KNOWN {
        let (line, again) = ([name, ": v\n"].concat(), [name, ": again"].concat());
        let twice = strict(&block(|text| text.replace(&line, &[&line, &again, "\n"].concat())));
        assert_eq!(twice, Err(EnvironmentError::Duplicate(again.as_str().into())));
        let last = strict(&block(|text| text.replace("agi_arg_1", &[&again, "\nagi_arg_1"].concat())));
        assert_eq!(last, Err(EnvironmentError::Duplicate(again.as_str().into())));
        let first = strict(&block(|text| [&again, "\n", &text].concat()));
        let network = "agi_network: v".into();
        let expected = match name {
            "agi_network" => EnvironmentError::Duplicate(network),
            _ => EnvironmentError::OutOfOrder(network),
        };
        assert_eq!(first, Err(expected), "{name}");
    }
}

#[test]
fn an_argument_is_one_by_its_whole_name() {
    // before the true ones it would move them all by one
    for name in ["agi_arg_x", "agi_arg_", "agi_arg_01", "agi_arg_1x", "agi_arg_99999999999"] {
        let line = [name, ": forged"].concat();
        let forged = strict(&block(|text| text.replace("agi_dnid: v", &["agi_dnid: v\n", &line].concat())));
        assert_eq!(forged, Err(EnvironmentError::OutOfOrder(line.as_str().into())));
        let behind = strict(&block(|text| text.replace("agi_arg_2: ", &["agi_arg_2: \n", &line].concat())));
        assert_eq!(behind, Err(EnvironmentError::OutOfOrder(line.as_str().into())));
    }
}

#[test]
fn an_argument_comes_once_however_it_came_before() {
    let any_order = Leniency { any_order: true, ..Leniency::default() };
    let behind = |more: &'static str, leniency| {
        let block = block(|text| text.replace("agi_arg_2: ", &["agi_arg_2: \n", more].concat()));
        Environment::parse(&block, leniency).map(|environment| environment.args().count())
    };
    let duplicate = |line: &str| Err(EnvironmentError::Duplicate(line.into()));
    assert_eq!(behind("agi_arg_1: again", Leniency::default()), duplicate("agi_arg_1: again"));
    assert_eq!(behind("agi_arg_2: again", any_order), duplicate("agi_arg_2: again"));
    assert_eq!(behind("agi_arg_9: one\nagi_arg_9: again", any_order), duplicate("agi_arg_9: again"));
    assert_eq!(behind("agi_arg_x: one\nagi_arg_x: again", any_order), duplicate("agi_arg_x: again"));
    assert_eq!(behind("agi_arg_4: out\nagi_arg_3: in", any_order), Ok(4));
    assert_eq!(behind("agi_arg_4: a\nagi_arg_3: b\nagi_arg_4: c", any_order), duplicate("agi_arg_4: c"));
}

#[test]
fn an_argument_is_found_by_its_number_not_by_its_place() {
    for (lines, args) in [
        ("agi_arg_1: a\nagi_arg_1: b\nagi_arg_2: c\n", [Some("a"), Some("c"), None]),
        ("agi_arg_3: c\nagi_arg_1: a\n", [Some("a"), None, Some("c")]),
        ("agi_arg_2: b\nagi_arg_02: x\nagi_arg_2: c\n", [None, Some("b"), None]),
    ] {
        let environment = Environment::parse(lines.as_bytes(), Leniency::ALL).expect("it is let pass");
        assert_eq!([1, 2, 3].map(|n| environment.arg(n)), args.map(|arg| arg.map(BStr::new)), "{lines}");
        assert_eq!([0, usize::MAX].map(|n| environment.arg(n)), [None, None]);
    }
}

#[test]
fn the_last_number_that_fits_is_followed_by_none() {
    let any_order = Leniency::ALL;
    let last = Environment::parse(b"agi_arg_4294967295: a\nagi_arg_1: b\nagi_arg_0: c\n", any_order);
    assert_eq!(last.map(|e| (e.args().count(), e.tolerated().any_order)), Ok((3, true)));
}

#[test]
fn a_missing_network_script_cannot_be_forged_later() {
    let forged = strict(&block(|text| {
        text.replace("agi_network_script: v\n", "")
            .replace("agi_dnid: v", "agi_dnid: v\nagi_network_script: admin")
    }));
    assert_eq!(forged, Err(EnvironmentError::OutOfOrder("agi_network_script: admin".into())));
}

#[test]
fn each_leniency_lets_pass_what_its_name_says_and_tells() {
    let only = |incomplete, duplicates, any_order| Leniency { incomplete, duplicates, any_order };
    let short = Environment::parse(b"agi_callerid: 1\nagi_arg_1: x\n", only(true, false, false));
    assert_eq!(short.map(|e| e.tolerated()), Ok(only(true, false, false)));
    let twice = block(|text| text.replace("agi_type: v\n", "agi_type: v\nagi_type: w\n"));
    let twice = Environment::parse(&twice, only(false, true, false)).expect("let pass");
    assert_eq!(twice.tolerated(), only(false, true, false));
    assert_eq!(twice.channel_type().expect("it came"), "v");
    assert_eq!(twice.iter().filter(|(name, _)| *name == "agi_type").count(), 2);
    let moved = block(|text| text.replace("agi_type: v\n", "").replace("agi_dnid", "agi_type: v\nagi_dnid"));
    let moved = Environment::parse(&moved, only(false, false, true)).expect("let pass");
    assert_eq!(moved.tolerated(), only(false, false, true));
}

#[test]
fn unknown_names_are_kept_wherever_they_stand() {
    let more = block(|text| text.replace("agi_dnid", "vendor_extra: 1\nagi_dnid"));
    let more = strict(&more).expect("a name of somebody's own");
    assert_eq!(more.get("vendor_extra").expect("it came"), "1");
}

#[test]
fn unknown_stands_for_no_number() {
    let text = b"agi_callerid: unknown\nagi_dnid: 100\nagi_priority: 7\nagi_callington: x\n";
    let environment = Environment::parse(text, Leniency::ALL).expect("good lines");
    assert_eq!(environment.caller_id(), None);
    assert_eq!(environment.dnid().expect("known"), "100");
    assert_eq!(environment.priority(), Some(7));
    assert_eq!(environment.calling_ton(), None);
    assert_eq!(environment.get("agi_callington").expect("still there"), "x");
}

#[test]
fn every_variable_has_its_accessor() {
    let mut text = String::new();
    for name in KNOWN {
        // a number of its own where one is read, and else the variable's own name
        let rank = KNOWN.iter().position(|known| *known == name).expect("one of them");
        let value = match name {
            "agi_network" => "yes".into(),
            "agi_enhanced" => "1.0".into(),
            "agi_version" => "22.10.1".into(),
            "agi_callingpres" | "agi_callingani2" | "agi_callington" | "agi_callingtns" | "agi_priority"
            | "agi_threadid" => rank.to_string(),
            _ => name.into(),
        };
        text.push_str(&[name, ": ", &value, "\n"].concat());
    }
    let environment = strict(text.as_bytes()).expect("what Asterisk sends");
    let texts = [
        (environment.network_script(), "agi_network_script"),
        (environment.request(), "agi_request"),
        (environment.channel(), "agi_channel"),
        (environment.language(), "agi_language"),
        (environment.channel_type(), "agi_type"),
        (environment.unique_id(), "agi_uniqueid"),
        (environment.caller_id(), "agi_callerid"),
        (environment.caller_id_name(), "agi_calleridname"),
        (environment.dnid(), "agi_dnid"),
        (environment.rdnis(), "agi_rdnis"),
        (environment.context(), "agi_context"),
        (environment.extension(), "agi_extension"),
        (environment.account_code(), "agi_accountcode"),
    ];
    for (found, name) in texts {
        assert_eq!(found, Some(BStr::new(name)));
    }
    assert!(environment.is_network() && environment.is_enhanced());
    assert_eq!(environment.version().release(), Some((22, 10)));
    assert_eq!(environment.version().text(), "22.10.1");
    assert_eq!(environment.calling_presentation(), Some(CallingPresentation(10)));
    assert_eq!(environment.calling_ani2(), Some(11));
    assert_eq!(environment.calling_ton(), Some(12));
    assert_eq!(environment.calling_tns(), Some(13));
    assert_eq!(environment.priority(), Some(18));
    assert_eq!(environment.thread_id(), Some(21));
    let other = strict(text.replace("1.0", "0.0").replace(": yes", ": no").as_bytes()).expect("the same");
    assert!(!other.is_network() && !other.is_enhanced());
    assert_ne!(environment, other);
    assert!(std::format!("{environment:?}").starts_with(r#"{"agi_network": "yes", "agi_network_script": "#));
    let empty = Environment::parse(b"", Leniency::ALL).expect("nothing");
    assert_eq!((empty.version().text(), empty.arg(1)), (BStr::new(""), None));
}

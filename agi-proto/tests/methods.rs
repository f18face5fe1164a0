//! The methods that adapters get, on a channel whose Asterisk is a function.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::time::Duration;

use agi_proto::commands::menu::Prompt;
use agi_proto::{BString, Command, EncodeError, Event, Filled, Session, arguments};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

type Error = agi_proto::Error<std::convert::Infallible>;

/// A channel that asks `asterisk` for the answer to each line.
struct Channel<A> {
    session: Session,
    asterisk: A,
    lines: Vec<String>,
}

impl<A: FnMut(&str) -> Vec<u8>> Channel<A> {
    fn new(asterisk: A) -> Self {
        let mut session = Session::new(1);
        let keys = "request channel language type uniqueid version callerid calleridname callingpres \
                    callingani2 callington callingtns dnid rdnis context extension priority enhanced \
                    accountcode threadid";
        for key in keys.split(' ') {
            session.handle_input(format!("agi_{key}: 1\n").as_bytes(), Filled::No);
        }
        session.handle_input(b"\n", Filled::No);
        while session.poll_event().unwrap().is_some() {}
        Self { session, asterisk, lines: Vec::new() }
    }

    fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
        let pending = self.session.send(&command)?;
        loop {
            match self.session.poll_event()? {
                Some(Event::Response(response)) => return Ok(pending.decode(response)?),
                Some(_) => continue,
                None => {}
            }
            let bytes = self.session.poll_transmit().expect("there is something to answer");
            let line = String::from_utf8(bytes.strip_suffix(b"\n").unwrap().to_vec()).unwrap();
            assert!(bytes.len() <= 2047);
            let length = bytes.len();
            self.session.transmitted(length);
            let mut answer = (self.asterisk)(&line);
            answer.push(b'\n');
            self.session.handle_input(&answer, Filled::No);
            self.lines.push(line);
        }
    }

    agi_proto::channel_methods!("agi_proto::Session", "agi_proto::Error<()>");
}

/// The same methods, asynchronous.
mod asynchronous {
    use agi_proto::Command;

    type Error = agi_proto::Error<()>;

    struct Channel;

    impl Channel {
        async fn call<C: Command>(&mut self, command: C) -> Result<C::Reply, Error> {
            let _ = agi_proto::Session::new(1).send(&command)?;
            Err(Error::Closed)
        }

        agi_proto::channel_methods!(async "agi_proto::Session", "agi_proto::Error<()>");
    }

    #[test]
    fn their_futures_can_be_sent() {
        fn can(_: impl Send) {}
        let channel = &mut Channel;
        can(channel.set_variable_exact("X", "v"));
        can(channel.menu(&[], "1", None));
        can(channel.record_file("f", "wav", "#", None));
    }
}

/// Answers with these in turn.
fn script(answers: &[&'static str]) -> Channel<impl FnMut(&str) -> Vec<u8>> {
    let answers = answers.to_vec();
    let mut answers = answers.into_iter();
    Channel::new(move |line| answers.next().unwrap_or_else(|| panic!("{line}")).as_bytes().to_vec())
}

/// As much of Asterisk as variables need; without `AGIEXECFULL` and `BASE64_DECODE` if it is `old`.
struct Variables {
    values: BTreeMap<BString, BString>,
    old: bool,
}

impl Variables {
    fn answer(&mut self, line: &str) -> Vec<u8> {
        let words = arguments::split(line.as_bytes());
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_slice()).collect();
        match words[..] {
            [b"GET", b"VARIABLE", name] => match self.values.get(name) {
                Some(value) => [b"200 result=1 (", value.as_slice(), b")"].concat(),
                None => b"200 result=0".to_vec(),
            },
            [b"SET", b"VARIABLE", name, value] => {
                self.values.insert(name.into(), value.into());
                b"200 result=1".to_vec()
            }
            [b"EXEC", b"Set", set] => {
                let equals = set.iter().position(|&byte| byte == b'=').unwrap();
                let (name, mut text) = (&set[..equals], &set[equals + 1..]);
                let inherited = name.iter().take_while(|&&byte| byte == b'_').count();
                let name = &name[inherited..];
                let mut value = Vec::new();
                while let Some((expression, rest)) = split_expression(text) {
                    text = rest;
                    let base64 = expression.strip_prefix(b"BASE64_DECODE(");
                    match base64.and_then(|base64| base64.strip_suffix(b")")) {
                        Some(base64) => value.extend(STANDARD.decode(base64).unwrap()),
                        None => value.extend(self.values[expression].to_vec()),
                    }
                }
                assert!(text.is_empty() && self.values[&b"AGIEXECFULL"[..]] == "yes");
                let value = if self.old { set[equals + 1..].to_vec() } else { value };
                self.values.insert(name.into(), value.into());
                b"200 result=0".to_vec()
            }
            [b"GET", b"FULL", b"VARIABLE", expression] => {
                let expression = String::from_utf8(expression.to_vec()).unwrap();
                let name = expression.strip_prefix("${BASE64_ENCODE(+${REPLACE(").unwrap();
                let (name, rest) = name.split_once(",:,;)}012)} ").unwrap();
                let other =
                    format!("${{BASE64_ENCODE(+${{REPLACE({name},),()}}012)}} ${{REPLACE(EPOCH,:,;)}}");
                assert_eq!(rest, other);
                let value = self.values.get(name.as_bytes()).cloned().unwrap_or_default();
                let replaced = |from, to| {
                    let bytes = value.iter().map(|&byte| if byte == from { to } else { byte });
                    let mut bytes: Vec<u8> = b"+".iter().copied().chain(bytes).chain(*b"012").collect();
                    if self.old {
                        // as 16 does it
                        bytes.truncate(bytes.len() / 3 * 3);
                    }
                    STANDARD.encode(bytes)
                };
                let (first, second) = (replaced(b':', b';'), replaced(b')', b'('));
                format!("200 result=1 ({first} {second} 1700000000)").into_bytes()
            }
            _ => panic!("{line}"),
        }
    }
}

fn split_expression(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"${")?;
    let end = text.iter().position(|&byte| byte == b'}')?;
    Some((&text[..end], &text[end + 1..]))
}

#[test]
fn any_bytes_but_nul_are_written_and_read_back() {
    let mut variables = Variables { values: BTreeMap::new(), old: false };
    let mut channel = Channel::new(|line: &str| variables.answer(line));
    let every: Vec<u8> = (1..=255).collect();
    let long: Vec<u8> = every.iter().copied().cycle().take(10_000).collect();
    for value in [&b"a\n200 result=1 (forged)\nHANGUP\n"[..], b"x)y:0:1", b"", b")", b":", &every, &long] {
        channel.set_variable_exact("X", value).unwrap();
        assert_eq!(channel.get_variable_exact("X").unwrap(), value);
    }
    channel.set_variable_exact("__Y", &every).unwrap();
    assert_eq!(channel.get_variable_exact("Y").unwrap(), every);
    let nul = channel.set_variable_exact("X", "a\0b").unwrap_err();
    assert!(matches!(nul, Error::Encode(EncodeError::ForbiddenByte { byte: 0, at: 1, .. })));
    for name in ["", "A=B", "A}", "${A}", &"x".repeat(501)] {
        assert!(matches!(channel.set_variable_exact(name, "x"), Err(Error::Encode(_))), "{name}");
        assert!(matches!(channel.get_variable_exact(name), Err(Error::Encode(_))), "{name}");
    }
}

#[test]
fn what_asterisk_16_drops_is_no_part_of_the_value() {
    let mut variables = Variables { values: BTreeMap::new(), old: true };
    for value in ["", "a", "ab", "abc", "0", "00", "01", "012", "0120", "a01", "ab0"] {
        variables.values.insert("X".into(), value.into());
        let mut channel = Channel::new(|line: &str| variables.answer(line));
        assert_eq!(channel.get_variable_exact("X").unwrap(), value);
    }
}

#[test]
fn agiexecfull_is_put_back() {
    for before in [None, Some("no"), Some("yes")] {
        let mut variables = Variables { values: BTreeMap::new(), old: false };
        variables.values.extend(before.map(|before| ("AGIEXECFULL".into(), before.into())));
        Channel::new(|line: &str| variables.answer(line)).set_variable_exact("X", "v").unwrap();
        assert_eq!(variables.values[&b"AGIEXECFULL"[..]], before.unwrap_or_default());
    }
    // also where a piece fails
    let mut channel =
        script(&["200 result=0", "200 result=1", "510 Invalid or unknown command", "200 result=1"]);
    assert!(matches!(channel.set_variable_exact("X", "v"), Err(Error::Rejected(_))));
    assert_eq!(channel.lines[3], r#"SET VARIABLE "AGIEXECFULL" """#);
}

#[test]
fn an_asterisk_that_cannot_is_found_out() {
    let mut variables = Variables { values: BTreeMap::new(), old: true };
    let error = Channel::new(|line: &str| variables.answer(line)).set_variable_exact("X", "v").unwrap_err();
    assert!(matches!(error, Error::Reply(_)));
    assert!(error.to_string().contains("AGIEXECFULL"), "{error}");
    // what was read may be a PIN, and base64 hides nothing
    assert!(error.to_string().ends_with(r#": "200 result=1 (22 bytes)""#), "{error}");
    // no BASE64_ENCODE, no REPLACE, neither
    for value in
        ["  1700000000", "KzAxMg== KzAxMg== ", "  ", "KzAxMg== KyswMTI= 1700000000", "Kw== Kw== 1", "!", ""]
    {
        let answer = format!("200 result=1 ({value})").into_bytes();
        let error = Channel::new(|_: &str| answer.clone()).get_variable_exact("X").unwrap_err();
        assert!(error.to_string().contains("BASE64_ENCODE"), "{error}");
    }
}

#[test]
fn a_menu_is_cut_short_by_a_digit() {
    let prompts = [
        Prompt::File("f"),
        Prompt::Alpha("a"),
        Prompt::Phonetic("b"),
        Prompt::Digits("12"),
        Prompt::Number(3),
        Prompt::Date(4),
        Prompt::Time(5),
        Prompt::DateTime(6),
    ];
    let second = Duration::from_secs(1);
    let played = ["200 result=0 endpos=9"].into_iter().chain(["200 result=0"; 7]);
    let answers: Vec<_> = played.chain(["200 result=53"]).collect();
    let mut channel = script(&answers);
    assert_eq!(channel.menu(&prompts, "1", second).unwrap().map(char::from), Some('5'));
    assert_eq!(
        channel.lines,
        [
            r#"STREAM FILE "f" "1""#,
            r#"SAY ALPHA "a" "1""#,
            r#"SAY PHONETIC "b" "1""#,
            r#"SAY DIGITS "12" "1""#,
            r#"SAY NUMBER 3 "1""#,
            r#"SAY DATE 4 "1""#,
            r#"SAY TIME 5 "1""#,
            r#"SAY DATETIME 6 "1""#,
            "WAIT FOR DIGIT 1000",
        ]
    );
    let mut channel = script(&["200 result=0 endpos=9", "200 result=49"]);
    assert_eq!(channel.menu(&prompts, "1", second).unwrap().map(char::from), Some('1'));
    let mut channel = script(&["200 result=0"]);
    assert_eq!(channel.menu(&[], "1", second).unwrap(), None);
    // a missing file, and a hangup: the session asks which
    let mut channel = script(&["200 result=-1 endpos=0", "200 result=6"]);
    assert!(!channel.menu(&prompts, "1", second).unwrap_err().is_hangup());
    let mut channel = script(&["200 result=-1 endpos=0", "511 Command Not Permitted on a dead channel"]);
    assert!(channel.menu(&prompts, "1", second).unwrap_err().is_hangup());
}

#[test]
fn no_text_is_told_from_a_hangup() {
    let second = Duration::from_secs(1);
    let alive = ["200 result=-1 (hangup)", "200 result=6", "200 result=-1", "200 result=6"];
    let mut channel = script(&alive);
    assert_eq!(channel.receive_char(second).unwrap(), None);
    assert_eq!(channel.receive_text(second).unwrap(), None);
    let dead = "511 Command Not Permitted on a dead channel";
    assert!(script(&["200 result=-1 (hangup)", dead]).receive_char(second).unwrap_err().is_hangup());
    assert!(script(&["200 result=-1", dead]).receive_text(second).unwrap_err().is_hangup());
}

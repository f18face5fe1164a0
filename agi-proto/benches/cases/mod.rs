//! What is measured, once by instructions and once by the clock.

use std::fmt::Write as _;
use std::hint::black_box;

use agi_proto::commands::{Answer, GetVariable, SetVariable, StreamFile};
use agi_proto::{
    Command, CommandEncoder, Environment, EscapeDigits, Event, Filled, Leniency, Limits, PbxEvent,
    PbxSession, Request, Response, Session, arguments,
};

mod hostile;

/// One thing to measure.
pub struct Case {
    pub name: String,
    /// The bytes that it reads or writes.
    pub bytes: Vec<u8>,
    /// Once through. It may keep what it needs the next time, such as buffers.
    pub run: Box<dyn FnMut()>,
}

impl Case {
    fn new(name: impl Into<String>, bytes: &[u8], run: impl FnMut() + 'static) -> Self {
        Self { name: name.into(), bytes: bytes.to_vec(), run: Box::new(run) }
    }
}

/// All cases, in the order of the report.
pub fn all() -> Vec<Case> {
    let mut cases = single();
    cases.extend(growing());
    cases
}

/// What a call does over and over.
pub fn single() -> Vec<Case> {
    let block = environment();
    let parsed = block.clone();
    let mut cases = vec![
        Case::new("environment: parse", &block, move || {
            black_box(Environment::parse(black_box(&parsed), Leniency::default()).expect("it is whole"));
        }),
        session_case("environment: session", environment(), usize::MAX),
        session_case("environment: session, byte by byte", environment(), 1),
        encode_case("SET VARIABLE: encode", SetVariable::new("NAME", "a value")),
        encode_case("STREAM FILE: encode", StreamFile::new("demo-congrats", EscapeDigits::ANY).offset(800)),
        decode_case::<Answer>("200 result=0: decode", "200 result=0"),
        decode_case::<SetVariable<'_>>("200 result=1 (value): decode, no text", "200 result=1 (value)"),
        decode_case::<GetVariable<'_>>("200 result=1 (value): decode", "200 result=1 (value)"),
        decode_case::<StreamFile<'_>>("200 result=0 endpos=16000: decode", "200 result=0 endpos=16000"),
    ];
    let usage = USAGE.trim_end().as_bytes();
    cases.push(Case::new("520 block: parse", usage, move || {
        let response = Response::parse(black_box(usage)).expect("it is one");
        assert!(black_box(response.usage()).is_some());
    }));
    let file = StreamFile::new("demo-congrats", EscapeDigits::ANY);
    cases.extend([
        round_trip_case(
            "200 result=1: round trip",
            SetVariable::new("NAME", "a value"),
            "200 result=1\n",
            99,
        ),
        round_trip_case("200 result=0 endpos=16000: round trip", file, "200 result=0 endpos=16000\n", 99),
        round_trip_case(
            "200 result=1 (value): round trip",
            GetVariable::new("NAME"),
            "200 result=1 (value)\n",
            99,
        ),
        round_trip_case(
            "200 result=1 (value): round trip, byte by byte",
            GetVariable::new("NAME"),
            "200 result=1 (value)\n",
            1,
        ),
        round_trip_case("520 block: round trip", GetVariable::new("NAME"), USAGE, 999),
    ]);
    cases
}

/// What a peer can make as long as it likes, at three sizes each.
fn growing() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &str, case: &dyn Fn(String, usize) -> Case| cases.extend(at_three_sizes(name, case));
    for (chunk, dribbled) in [(usize::MAX, ""), (1, ", byte by byte")] {
        let mut add =
            |name: &str, case: &dyn Fn(String, usize) -> Case| add(&format!("{name}{dribbled}"), case);
        add("arguments", &|name, size| session_case(name, environment_of_arguments(size), chunk));
        add("names", &|name, size| session_case(name, environment_of_names(size), chunk));
        add("value", &|name, size| {
            let answer = format!("200 result=1 ({})\n", "v".repeat(size - 16));
            round_trip_case(name, GetVariable::new("NAME"), &(answer + ECHO), chunk)
        });
        add("lines of a value", &|name, size| {
            let answer = format!("200 result=1 ({})\n", "a line\n".repeat((size - 16) / 7));
            round_trip_case(name, GetVariable::new("NAME"), &(answer + ECHO), chunk)
        });
        add("520 block", &|name, size| {
            let text = "how it is meant to be used\n".repeat((size - 70) / 27);
            let answer = format!("520-Invalid command syntax.\n{text}520 End of proper usage.\n");
            round_trip_case(name, GetVariable::new("NAME"), &answer, chunk)
        });
        add("HANGUP", &|name, size| session_case(name, [environment(), hangups(size)].concat(), chunk));
        add("command", &|name, size| asterisk_case(name, size, chunk));
    }
    hostile::add(&mut add);
    add("arguments::split, one word", &|name, size| split_case(name, "w".repeat(size)));
    add("arguments::split, escapes", &|name, size| split_case(name, "\\\"".repeat(size / 2)));
    add("arguments::split, many words", &|name, size| split_case(name, "four ".repeat(size / 5)));
    add("query, one parameter", &|name, size| request_case(name, "%20+a".repeat(size / 5)));
    add("query, many parameters", &|name, size| request_case(name, "a=1&b%20c=d+e&".repeat(size / 14)));
    add("fields", &|name, size| {
        let fields = " score=900 text=\"say \"hi\" now\" grammar=g".repeat(size / 40);
        let response = format!("200 result=1 (speech) endpos=80{fields}");
        let bytes = response.clone().into_bytes();
        Case::new(name, &bytes, move || {
            let response = Response::parse(black_box(response.as_bytes())).expect("it is one");
            assert!(black_box(response.fields().count()) > 1);
        })
    });
    cases
}

fn at_three_sizes(name: &str, case: &dyn Fn(String, usize) -> Case) -> [Case; 3] {
    [1, 10, 100].map(|kilobytes| case(format!("{name}: {kilobytes} kB"), kilobytes * 1000))
}

// ---- ways to run the core ----

/// A session from its beginning, `chunk` bytes at a time.
fn session_case(name: impl Into<String>, input: Vec<u8>, chunk: usize) -> Case {
    let bytes = input.clone();
    Case::new(name, &bytes, move || {
        let mut session = session();
        let events = input.chunks(chunk.min(input.len())).map(|chunk| {
            session.handle_input(black_box(chunk), Filled::No);
            drain(&mut session)
        });
        assert!(events.sum::<usize>() > 0);
        black_box(&session);
    })
}

/// A command and its answer in a conversation that goes on, the answer `chunk` bytes at a time.
fn round_trip_case<C: Command + 'static>(
    name: impl Into<String>,
    command: C,
    answer: &str,
    chunk: usize,
) -> Case {
    let mut session = session();
    session.handle_input(&environment(), Filled::No);
    assert_eq!(drain(&mut session), 1);
    // the last line of the answer may be the beginning of an echo, which counts through the session
    let (answer, echo) = match answer.rsplit_once('\n') {
        Some((answer, echo)) if !echo.is_empty() => (format!("{answer}\n"), Some(echo.to_owned())),
        _ => (answer.to_owned(), None),
    };
    let mut echoes = 0;
    let bytes = answer.clone().into_bytes();
    Case::new(name, &bytes, move || {
        let pending = session.send(black_box(&command)).expect("nothing is owed");
        transmit(&mut session);
        for chunk in answer.as_bytes().chunks(chunk.min(answer.len())) {
            match receive(&mut session, black_box(chunk)) {
                None => {}
                Some(Event::Response(response)) => {
                    let _ = black_box(pending.decode(response));
                    return;
                }
                Some(_) => panic!("the answer is all that comes"),
            }
        }
        let echo = echo.as_ref().expect("the answer was whole");
        echoes += 1;
        transmit(&mut session);
        let echo = format!("{echo}{echoes})\n");
        let Some(Event::Response(response)) = receive(&mut session, echo.as_bytes()) else {
            panic!("the echo ends the value")
        };
        black_box(pending.decode(response)).ok();
    })
}

fn encode_case<C: Command + 'static>(name: &str, command: C) -> Case {
    let mut out = Vec::new();
    let encode = move |out: &mut Vec<u8>| {
        out.clear();
        let mut line = CommandEncoder::new(out, C::INFO.name, 2047);
        black_box(&command).encode(&mut line);
        assert!(line.finish().is_ok());
    };
    encode(&mut out);
    let bytes = out.clone();
    Case::new(name, &bytes, move || encode(black_box(&mut out)))
}

fn decode_case<C: Command>(name: &str, raw: &'static str) -> Case {
    Case::new(name, raw.as_bytes(), move || {
        let response = Response::parse(black_box(raw.as_bytes())).expect("it is one");
        assert!(black_box(C::decode(&response)).is_ok());
    })
}

fn asterisk_case(name: String, size: usize, chunk: usize) -> Case {
    let line = format!("SET VARIABLE \"NAME\" \"{}\"\n", "v".repeat(size - 24));
    let bytes = line.clone().into_bytes();
    Case::new(name, &bytes, move || {
        let mut asterisk = PbxSession::new(1 << 20);
        for chunk in line.as_bytes().chunks(chunk.min(line.len())) {
            asterisk.handle_input(black_box(chunk));
            if let Some(PbxEvent::Command(invocation)) = asterisk.poll_event() {
                assert_eq!(black_box(invocation.words()).len(), 4);
                return;
            }
        }
        panic!("the line was whole");
    })
}

fn split_case(name: String, line: String) -> Case {
    let bytes = line.clone().into_bytes();
    Case::new(name, &bytes, move || {
        assert!(!black_box(arguments::split(black_box(line.as_bytes()))).is_empty());
    })
}

fn request_case(name: String, query: String) -> Case {
    let block = format!("agi_network_script: script?{query}\n");
    let environment = Environment::parse(block.as_bytes(), Leniency::ALL).expect("one good line");
    Case::new(name, query.as_bytes(), move || {
        let request = black_box(Request::new(black_box(&environment)));
        assert!(request.query_pairs().count() > 0);
    })
}

fn session() -> Session {
    let mut limits = Limits::default();
    limits.environment_bytes = 1 << 20;
    limits.environment_variables = 1 << 20;
    limits.response_bytes = 1 << 20;
    Session::with_config(7, limits, Leniency::default())
}

fn transmit(session: &mut Session) {
    while let Some(line) = session.poll_transmit() {
        let written = black_box(line).len();
        session.transmitted(written);
    }
}

fn receive<'s>(session: &'s mut Session, mut input: &[u8]) -> Option<Event<'s>> {
    // as an adapter does: by reads of some 2,000 bytes
    while !input.is_empty() {
        let read = input.len().min(2048);
        session.handle_input(&input[..read], Filled::when(read == 2048));
        input = &input[read..];
        if input.is_empty() {
            break;
        }
        assert!(session.poll_event().expect("nothing breaks the protocol").is_none());
    }
    session.poll_event().expect("nothing breaks the protocol")
}

fn drain(session: &mut Session) -> usize {
    let mut events = 0;
    while session.poll_event().expect("nothing breaks the protocol").is_some() {
        events += 1;
    }
    events
}

// ---- what Asterisk sends ----

/// The beginning of a barrier's echo, which tells where a long value ends.
pub const ECHO: &str = "200 result=1 (agi-sync-0000000000000007-";

/// What Asterisk 22 sends for a call over PJSIP with three arguments: 25 lines.
pub fn environment() -> Vec<u8> {
    [known(), b"agi_arg_1: en\nagi_arg_2: support\nagi_arg_3: 15551234567\n\n".to_vec()].concat()
}

fn known() -> Vec<u8> {
    let lines = "\
        agi_network: yes\n\
        agi_network_script: ivr/menu?tenant=acme&lang=en\n\
        agi_request: agi://ivr.example.com:4573/ivr/menu?tenant=acme&lang=en\n\
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
        agi_threadid: 140022982756032\n";
    lines.into()
}

fn environment_of_arguments(size: usize) -> Vec<u8> {
    let mut block = String::from_utf8(known()).expect("text");
    for n in 1.. {
        let _ = writeln!(block, "agi_arg_{n}: an argument of usual length");
        if block.len() >= size {
            break;
        }
    }
    (block + "\n").into()
}

/// Names that no Asterisk sends: each must be told from all that came before.
fn environment_of_names(size: usize) -> Vec<u8> {
    let mut block = String::from_utf8(known()).expect("text");
    for n in 0.. {
        let _ = writeln!(block, "x{n:05}: ");
        if block.len() >= size {
            break;
        }
    }
    (block + "\n").into()
}

fn hangups(size: usize) -> Vec<u8> {
    b"HANGUP\n".repeat(size / 7)
}

/// From Asterisk 22, for `GET VARIABLE` without a name.
const USAGE: &str = "520-Invalid command syntax.  Proper usage follows:\n\
    Returns <literal>0</literal> if <replaceable>variablename</replaceable> is not set. Returns <literal>1</literal> \
    if <replaceable>variablename</replaceable> is set and returns the variable in parentheses.\n\
    Example return code: 200 result=1 (testvariable)\n\
    520 End of proper usage.\n";

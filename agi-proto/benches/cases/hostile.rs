//! What somebody would send who wants it to take long: that which invites looking at the same bytes again and again.

use std::hint::black_box;

use agi_proto::commands::{GetVariable, GetVariableExact, Noop, SetVariable, SpeechRecognize, StreamFile};
use agi_proto::{
    Command, CommandEncoder, Environment, EscapeDigits, Filled, Leniency, PbxEvent, PbxSession, Request,
    Response, Session,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{
    Case, ECHO, drain, environment, environment_of_arguments, hangups, receive, round_trip_case, session,
    session_case, transmit,
};

/// A large piece as a network gives one, which ends in the middle of a message.
const SEGMENT: usize = 1448;

type Add<'a> = dyn FnMut(&str, &dyn Fn(String, usize) -> Case) + 'a;

/// All of them, by `add`.
pub fn add(add: &mut Add<'_>) {
    environments(add);
    responses(add);
    sessions(add);
    commands(add);
}

fn environments(add: &mut Add<'_>) {
    add("names that begin alike", &|name, size| {
        // each differs from all before it in its last byte only
        let line = |n: usize| format!("{}: \n", "x".repeat(n));
        let mut block = environment();
        block.truncate(block.len() - 1);
        for n in 1.. {
            block.extend_from_slice(line(n).as_bytes());
            if block.len() >= size {
                break;
            }
        }
        block.push(b'\n');
        session_case(name, block, usize::MAX)
    });
    add("names twice", &|name, size| {
        let block = "name: \n".repeat(size / 7);
        Case::new(name, block.clone().as_bytes(), move || {
            black_box(Environment::parse(black_box(block.as_bytes()), Leniency::ALL))
                .expect("all is let pass");
        })
    });
    add("Environment::get, the last", &|name, size| {
        environment_case(name, size, |environment| environment.get("agi_arg_0").is_none())
    });
    add("Environment::args", &|name, size| {
        environment_case(name, size, |environment| environment.args().map(|arg| arg.len()).sum::<usize>() > 0)
    });
    add("Environment::version, of digits", &|name, size| {
        let block = format!("agi_version: {}.{}\n", "9".repeat(size / 2), "9".repeat(size / 2));
        let environment = Environment::parse(block.as_bytes(), Leniency::ALL).expect("one good line");
        Case::new(name, block.as_bytes(), move || {
            assert_eq!(black_box(&environment).version().command_limit(), 2047);
        })
    });
    add("Request::query, none", &|name, size| {
        let block = format!("agi_network_script: x?{}\n", "a=1&b=2&".repeat(size / 8));
        let environment = Environment::parse(block.as_bytes(), Leniency::ALL).expect("one good line");
        Case::new(name, block.as_bytes(), move || {
            assert!(Request::new(black_box(&environment)).query("c").is_none());
        })
    });
}

fn environment_case(name: String, size: usize, look: fn(&Environment) -> bool) -> Case {
    let block = environment_of_arguments(size);
    let environment = Environment::parse(&block, Leniency::default()).expect("it is whole");
    Case::new(name, &block, move || assert!(look(black_box(&environment))))
}

fn responses(add: &mut Add<'_>) {
    type Text = fn(usize) -> String;
    let texts: [(&str, Text); 5] = [
        ("fields: quotes that close nothing", |size| format!("text0=\"{}", "\" x".repeat(size / 3))),
        ("fields: quotes that may close", |size| format!("text0=\"{}", "\" xxxxxxxx".repeat(size / 10))),
        ("fields: quotes without end", |size| "a=\"b ".repeat(size / 5)),
        ("fields: no blank", |size| "a=\"b\"".repeat(size / 5)),
        ("fields: blanks", |size| " ".repeat(size)),
    ];
    for (name, text) in texts {
        add(name, &|name, size| {
            let response = format!("200 result=1 (speech) endpos=80 {}", text(size));
            let bytes = response.clone().into_bytes();
            Case::new(name, &bytes, move || {
                let response = Response::parse(black_box(response.as_bytes())).expect("it is one");
                black_box(response.fields().count());
                assert!(response.field("none").is_none());
            })
        });
    }
    add("Response::value, parentheses", &|name, size| {
        let response = format!("200 result=1 ({}", ") (".repeat(size / 3));
        Case::new(name, response.clone().as_bytes(), move || {
            let response = Response::parse(black_box(response.as_bytes())).expect("it is one");
            assert!(black_box((response.value(), response.tag())).0.is_some());
        })
    });
    add("SPEECH RECOGNIZE: decode", &|name, size| {
        let results = " score0=900 text0=\"yes\" grammar0=g".repeat(size / 35);
        let response = format!("200 result=1 (speech) endpos=80 results=9{results}");
        Case::new(name, response.clone().as_bytes(), move || {
            let response = Response::parse(black_box(response.as_bytes())).expect("it is one");
            assert!(black_box(SpeechRecognize::decode(&response)).is_ok());
        })
    });
    add("a value in base64: decode", &|name, size| {
        let value = STANDARD.encode(format!("+{}012", ":)".repeat(size / 6)));
        let response = format!("200 result=1 ({value} {value} EPOCH)");
        Case::new(name, response.clone().as_bytes(), move || {
            let response = Response::parse(black_box(response.as_bytes())).expect("it is one");
            assert!(black_box(GetVariableExact::decode(&response)).is_ok());
        })
    });
}

fn sessions(add: &mut Add<'_>) {
    add("lines of a value that look like echoes", &|name, size| {
        let lines = format!("{ECHO}0)\n").repeat(size / 43);
        let answer = format!("200 result=1 (a\n{lines})\n{ECHO}");
        round_trip_case(name, GetVariable::new("NAME"), &answer, SEGMENT)
    });
    for (name, line) in [
        ("dropped: 520 blocks that do not end", "520-Invalid command syntax.\n"),
        ("dropped: lines", "200 result=0\n"),
        ("dropped: hangups", "HANGUP\n"),
        ("dropped: no line end", "x"),
    ] {
        for (chunk, dribbled) in [(SEGMENT, ""), (1, ", byte by byte")] {
            add(&format!("{name}{dribbled}"), &|name, size| {
                dropped_case(name, line.repeat(size / line.len()), chunk)
            });
        }
    }
    add("HANGUP before a command", &|name, size| {
        let hangups = hangups(size);
        Case::new(name, &hangups.clone(), move || {
            let mut session = started();
            session.handle_input(black_box(&hangups), Filled::No);
            assert!(session.send(&Noop::new()).is_ok());
        })
    });
}

/// What comes for an abandoned call before the barrier's echo, and the echo.
fn dropped_case(name: String, dropped: String, chunk: usize) -> Case {
    Case::new(name, dropped.clone().as_bytes(), move || {
        let mut session = started();
        // told already, so that no `HANGUP` is an event
        session.handle_hangup();
        assert_eq!(drain(&mut session), 1);
        let _pending = session.send(&StreamFile::new("f", EscapeDigits::NONE)).expect("nothing is owed");
        transmit(&mut session);
        session.abandon();
        session.resync().expect("nobody waits");
        transmit(&mut session);
        for chunk in dropped.as_bytes().chunks(chunk) {
            assert!(receive(&mut session, black_box(chunk)).is_none());
        }
        assert!(!session.is_synced());
    })
}

fn started() -> Session {
    let mut session = session();
    session.handle_input(&environment(), Filled::No);
    assert_eq!(drain(&mut session), 1);
    session
}

fn commands(add: &mut Add<'_>) {
    add("SET VARIABLE of quotes: encode", &|name, size| {
        let value = "\"\\".repeat(size / 2);
        let mut out = Vec::new();
        Case::new(name, value.clone().as_bytes(), move || {
            out.clear();
            let mut line = CommandEncoder::new(&mut out, "SET VARIABLE", usize::MAX);
            black_box(SetVariable::new("NAME", &value)).encode(&mut line);
            assert!(line.finish().is_ok());
        })
    });
    for (chunk, how) in [(usize::MAX, "at once"), (SEGMENT, "in segments"), (1, "byte by byte")] {
        add(&format!("small commands, {how}"), &|name, size| {
            let lines = b"NOOP \"x\"\n".repeat(size / 9);
            Case::new(name, &lines.clone(), move || {
                let mut asterisk = PbxSession::new(8191);
                let mut commands = 0;
                for chunk in lines.chunks(chunk.min(lines.len())) {
                    asterisk.handle_input(black_box(chunk));
                    while let Some(PbxEvent::Command(invocation)) = asterisk.poll_event() {
                        commands += black_box(invocation.words()).len();
                    }
                }
                assert_eq!(commands, lines.len() / 9 * 2);
            })
        });
    }
}

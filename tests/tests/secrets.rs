//! Nothing that the caller has entered, or that a secret variable holds, is in an error: whatever comes instead of the
//! reply, wherever it is cut, and however the wait for it ends.
#![allow(clippy::unwrap_used, reason = "a test may")]

use agi_proto::commands::{GetData, GetOption, Noop, WaitForDigit};
use agi_proto::{
    Command, CommandEncoder, CommandInfo, Error, EscapeDigits, Event, Filled, Pending, ReplyError,
    ReplyFormat, Response, Secrecy, Session,
};
use agi_tests::pair::{ENVIRONMENT, NONCE};

const PIN: &str = "8675309";

/// Your own command, whose value is a secret.
struct ReadPin;

impl Command for ReadPin {
    type Reply = ();
    const INFO: CommandInfo =
        CommandInfo::new("GET VARIABLE").on_dead_channel().format(ReplyFormat::Value).secrecy(Secrecy::Reply);

    fn encode(&self, line: &mut CommandEncoder<'_>) {
        line.words("GET VARIABLE").argument("name", "PIN");
    }

    fn decode(response: &Response<'_>) -> Result<(), ReplyError> {
        Err(response.unexpected())
    }
}

/// What a wait ends with.
#[derive(Clone, Copy, Debug)]
enum End {
    Eof,
    Timeout,
    NextCommand,
    Abandoned,
    AbandonedEof,
}

const ENDS: [End; 5] = [End::Eof, End::Timeout, End::NextCommand, End::Abandoned, End::AbandonedEof];

fn session() -> Session {
    let mut session = Session::new(NONCE);
    for (name, value) in ENVIRONMENT {
        session.handle_input(format!("{name}: {value}\n").as_bytes(), Filled::No);
    }
    session.handle_input(b"\n", Filled::No);
    assert!(matches!(session.poll_event(), Ok(Some(Event::Environment(_)))));
    session
}

/// Writes all that the session has to say.
fn transmit(session: &mut Session) {
    while let Some(bytes) = session.poll_transmit() {
        let length = bytes.len();
        session.transmitted(length);
    }
}

/// Takes all events; every error's texts, as a log shows them.
fn errors<R>(session: &mut Session, pending: &mut Option<Pending<R>>, shown: &mut Vec<String>) {
    loop {
        match session.poll_event() {
            Ok(Some(Event::Response(response))) => {
                if let Some(Err(error)) = pending.take().map(|pending| pending.decode(response)) {
                    shown.push(format!("{error} {error:?}"));
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => return shown.push(format!("{error} {error:?}")),
        }
    }
}

fn run<C: Command>(command: &C, bytes: &[u8], at: usize, end: End) -> Vec<String> {
    let mut session = session();
    let mut shown = Vec::new();
    let mut pending = Some(session.send(command).unwrap());
    transmit(&mut session);
    for (piece, filled) in [(&bytes[..at], Filled::Yes), (&bytes[at..], Filled::No)] {
        session.handle_input(piece, filled);
        errors(&mut session, &mut pending, &mut shown);
        transmit(&mut session);
    }
    match end {
        End::Eof => session.handle_eof(),
        End::Timeout => session.handle_timeout(),
        End::NextCommand => {}
        End::Abandoned => session.abandon(),
        End::AbandonedEof => {
            session.abandon();
            session.handle_eof();
        }
    }
    errors(&mut session, &mut pending, &mut shown);
    if let Err(error) = session.send(&Noop::new()) {
        let why: Error<std::io::Error> = session.send_error(error);
        shown.push(format!("{why} {why:?}"));
    }
    transmit(&mut session);
    session.handle_input(bytes, Filled::No);
    session.handle_eof();
    let mut nobody: Option<Pending<()>> = None;
    errors(&mut session, &mut nobody, &mut shown);
    let why: Error<std::io::Error> = session.close_error();
    shown.push(format!("{why} {why:?}"));
    shown
}

fn everywhere(command: &impl Command) -> usize {
    let corpus = [
        format!("{PIN}\n"),
        format!("200 result={PIN}"),
        format!("200 result={PIN}\n{PIN}\n"),
        format!("200 result={PIN} (timeout)\n200 result={PIN}\n"),
        format!("2x0 result={PIN}\n"),
        format!("200 result=x ({PIN})\n"),
        format!("200 result=1 ({PIN}\n"),
        format!("200 result=1 ({PIN})\n{PIN})\n"),
        format!("200 result=1 ({PIN}) endpos={PIN}\n"),
        format!("HANGUP\n200 result={PIN}\nHANGUP\n{PIN}"),
        format!("200 result=-1\n{PIN}\n"),
        format!("100 result=0 Trying...\n{PIN}\n"),
        format!("\r\n{PIN}\r\n"),
    ];
    let mut errors = 0;
    for bytes in corpus {
        for at in 0..=bytes.len() {
            for end in ENDS {
                for shown in run(command, bytes.as_bytes(), at, end) {
                    assert!(!shown.contains(&PIN[..4]), "{bytes:?} cut at {at}, {end:?}: {shown}");
                    errors += 1;
                }
            }
        }
    }
    errors
}

#[test]
fn no_error_shows_a_secret() {
    assert!(everywhere(&GetData::new("enter-pin")) > 1000);
    assert!(everywhere(&GetOption::new("enter-pin", EscapeDigits::NONE, None)) > 1000);
    assert!(everywhere(&WaitForDigit::new(None)) > 1000);
    assert!(everywhere(&ReadPin) > 1000);
}

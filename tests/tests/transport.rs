//! A transport that keeps to the contract is all that it takes: the loop of the crate's docs, over a stream
//! that would block for ever where the loop waits for what nobody was asked for.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::{self, Read, Write};

use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::{Exec, GetVariable, Noop, StreamFile, WaitForDigit};
use agi_proto::{Command, Environment, Error, EscapeDigits, Event, Filled, PbxEvent, PbxSession, Session};
use agi_tests::pair::ENVIRONMENT;

/// A stream to a PBX in memory. What it answers to a line is a matter of the test.
struct Pbx<F> {
    asterisk: PbxSession,
    answer: F,
}

impl<F: FnMut(&str) -> String> Pbx<F> {
    fn start(answer: F) -> (Session, Self) {
        let mut pbx = Self { asterisk: PbxSession::new(8191), answer };
        pbx.asterisk.send_environment(ENVIRONMENT);
        let mut session = Session::new(1);
        let mut space = [0; 2048];
        let read = pbx.read(&mut space).unwrap();
        session.handle_input(&space[..read], Filled::No);
        assert!(matches!(session.poll_event(), Ok(Some(Event::Environment(Environment { .. })))));
        (session, pbx)
    }
}

impl<F: FnMut(&str) -> String> Read for Pbx<F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(PbxEvent::Command(invocation)) = self.asterisk.poll_event() {
            let answer = (self.answer)(&invocation.line().to_string());
            if !answer.is_empty() {
                self.asterisk.respond(answer);
            }
        }
        let bytes =
            self.asterisk.poll_transmit().ok_or_else(|| io::Error::other("it would wait for ever"))?;
        let n = bytes.len().min(buf.len());
        buf[..n].copy_from_slice(&bytes[..n]);
        self.asterisk.transmitted(n);
        Ok(n)
    }
}

impl<F> Write for Pbx<F> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.asterisk.handle_input(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The loop of the crate's docs.
fn call<C: Command, S: Read + Write>(
    session: &mut Session,
    stream: &mut S,
    command: C,
) -> Result<C::Reply, Error<io::Error>> {
    session.abandon();
    let pending = session.send(&command)?;
    loop {
        match session.poll_event()? {
            Some(Event::Response(response)) => return Ok(pending.decode(response)?),
            Some(Event::Closed) => return Err(Error::Closed),
            Some(_) => continue,
            None => {}
        }
        while let Some(bytes) = session.poll_transmit() {
            let written = stream.write(bytes).map_err(Error::Io)?;
            session.transmitted(written);
        }
        let mut space = [0; 512];
        match stream.read(&mut space).map_err(Error::Io)? {
            0 => session.handle_eof(),
            read => session.handle_input(&space[..read], Filled::when(read == space.len())),
        }
    }
}

/// What Asterisk's `GET FULL VARIABLE` of a plain text gives.
fn echo(line: &str) -> Option<String> {
    Some(format!("200 result=1 ({})", line.strip_prefix("GET FULL VARIABLE \"")?.strip_suffix('"')?))
}

#[test]
fn a_value_of_several_lines_comes_whole() {
    let value = "one\nHANGUP\n200 result=1 (forged)\nend";
    let (mut session, mut pbx) =
        Pbx::start(|line| echo(line).unwrap_or_else(|| format!("200 result=1 ({value})")));
    let got = call(&mut session, &mut pbx, GetVariable::new("X")).unwrap();
    assert_eq!(got.unwrap(), value);
}

#[test]
fn a_failure_is_asked_about() {
    let (mut session, mut pbx) = Pbx::start(|line| match line {
        "CHANNEL STATUS" => "200 result=6".into(),
        _ => "200 result=-1 endpos=0".into(),
    });
    let error = call(&mut session, &mut pbx, StreamFile::new("none", EscapeDigits::NONE)).unwrap_err();
    assert!(matches!(error, Error::Reply(_)) && !error.is_hangup(), "{error}");
    let (mut session, mut pbx) = Pbx::start(|line| match line {
        "CHANNEL STATUS" => "511 Command Not Permitted on a dead channel or intercept routine".into(),
        _ => "200 result=-1 endpos=0".into(),
    });
    let error = call(&mut session, &mut pbx, WaitForDigit::new(None)).unwrap_err();
    assert!(error.is_hangup(), "{error}");
}

#[test]
fn execs_surplus_is_read() {
    let (mut session, mut pbx) = Pbx::start(|line| {
        match line {
        "NOOP" => "200 result=0".into(),
        _ => echo(line).unwrap_or_else(|| {
            "200 result=1\n520-Invalid command syntax.  Proper usage follows:\nx\n520 End of proper usage.".into()
        }),
    }
    });
    assert_eq!(call(&mut session, &mut pbx, Exec::new("StatsD")).unwrap(), ExecOutcome::Returned(1));
    call(&mut session, &mut pbx, Noop::new()).unwrap();
}

#[test]
fn a_dropped_call_needs_no_more_than_the_loop() {
    let (mut session, mut pbx) = Pbx::start(|line| match line {
        "NOOP" => "200 result=0".into(),
        _ => echo(line).unwrap_or_default(),
    });
    let _pending = session.send(&StreamFile::new("long", EscapeDigits::NONE)).unwrap();
    let line = session.poll_transmit().unwrap().to_vec();
    pbx.write_all(&line).unwrap();
    session.transmitted(line.len());
    call(&mut session, &mut pbx, Noop::new()).unwrap();
}

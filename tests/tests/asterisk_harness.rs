//! The harness for tests against a real Asterisk, itself put to the test with an AGI server that
//! only plays a script.
#![allow(clippy::unwrap_used, missing_docs)]

use agi_tests::asterisk::{Asterisk, Call, FarLeg, LiveCall, Version, Where};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

const TIME: Duration = Duration::from_secs(60);

struct Server(TcpListener);

impl Server {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn url(&self) -> String {
        format!("agi://{}/harness?x=1", self.0.local_addr().unwrap())
    }

    fn accept(&self) -> Session {
        let (stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(TIME)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut session = Session { input: BufReader::new(stream), environment: Vec::new() };
        loop {
            match session.line() {
                line if line.is_empty() => return session,
                line => session.environment.push(line),
            }
        }
    }
}

struct Session {
    input: BufReader<TcpStream>,
    environment: Vec<String>,
}

impl Session {
    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.input.read_until(b'\n', &mut line).unwrap();
        String::from_utf8_lossy(&line).trim_end_matches('\n').into()
    }

    fn send(&mut self, command: &str) {
        self.input.get_mut().write_all(format!("{command}\n").as_bytes()).unwrap();
    }

    fn ask(&mut self, command: &str) -> String {
        self.send(command);
        self.line()
    }

    /// Shuts its own side, reads to the end, closes. Returns what still came.
    fn linger(mut self) -> String {
        self.input.get_ref().shutdown(Shutdown::Write).unwrap();
        let mut rest = String::new();
        self.input.read_to_string(&mut rest).unwrap();
        rest
    }
}

fn call(server: &Server) -> LiveCall {
    Asterisk::shared(Version::V22).call(&Call::to(server.url()))
}

fn a_variable_comes_back(version: Version) {
    let server = Server::new();
    let odd: Vec<u8> = (1..=255).collect();
    let long = vec![b'x'; 2000];
    let call = Asterisk::shared(version).call(
        &Call::to(server.url())
            .arg("one")
            .arg("a, \"b\" (c] \\ ")
            .arg("")
            .caller_id("Jo, \"the\" cat", "123")
            .preset("ODD", odd.clone())
            .preset("LONG", long.clone())
            .preset("EMPTY", "")
            .report("RESULT")
            .report("ODD")
            .report("LONG")
            .report("CALLERID(name)"),
    );
    let mut session = server.accept();
    let has =
        |line: &str| assert!(session.environment.iter().any(|l| l == line), "{:?}", session.environment);
    has("agi_network_script: harness?x=1");
    has(&format!("agi_uniqueid: {}", call.unique_id()));
    has(&format!("agi_channel: {}", call.channel()));
    has("agi_arg_1: one");
    has("agi_arg_2: a, \"b\" (c] \\ ");
    has("agi_arg_3: ");
    has("agi_callerid: 123");
    assert_eq!(session.ask("SET VARIABLE RESULT \"it, works\""), "200 result=1");
    session.linger();
    let outcome = call.finish(TIME);
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
    assert_eq!(outcome.variables["RESULT"], b"it, works");
    assert_eq!(outcome.variables["ODD"], odd);
    assert_eq!(outcome.variables["LONG"], long);
    assert_eq!(outcome.variables["CALLERID(name)"], b"Jo, \"the\" cat");
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    assert!(outcome.log.iter().any(|line| line.contains("AGI(")), "{:?}", outcome.log);
}

fn digits_reach_the_channel(version: Version) {
    let server = Server::new();
    let call = Asterisk::shared(version).call(&Call::to(server.url()));
    let mut session = server.accept();
    session.send("WAIT FOR DIGIT 10000");
    call.wait_command("WAIT FOR DIGIT");
    call.press("5");
    assert_eq!(session.line(), "200 result=53");
    session.send("GET DATA \"\" 10000 10");
    call.wait_command("GET DATA");
    call.press("1234#");
    assert_eq!(session.line(), "200 result=1234");
    session.linger();
    assert_eq!(call.finish(TIME).agi_status, "SUCCESS");
}

fn hangup_ends_a_prompt(version: Version) {
    let server = Server::new();
    let asterisk = Asterisk::shared(version);
    for far in [false, true] {
        let call = asterisk.call(&Call::to(server.url()));
        let mut session = server.accept();
        session.send("STREAM FILE demo-congrats \"\"");
        call.wait_command("STREAM FILE");
        if far {
            call.hang_up_far();
        } else {
            call.hang_up();
        }
        let reply = session.line();
        assert!(reply.starts_with("200 result=-1 endpos="), "{reply}");
        assert_eq!(session.line(), "HANGUP");
        session.linger();
        let outcome = call.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::H, "HANGUP"));
        assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    }
}

#[test]
fn reports_variables() {
    a_variable_comes_back(Version::V22);
}

#[test]
fn reports_variables_on_16() {
    a_variable_comes_back(Version::V16);
}

#[test]
fn presses_keys() {
    digits_reach_the_channel(Version::V22);
}

#[test]
fn presses_keys_on_16() {
    digits_reach_the_channel(Version::V16);
}

#[test]
fn hangs_up() {
    hangup_ends_a_prompt(Version::V22);
}

#[test]
fn hangs_up_on_16() {
    hangup_ends_a_prompt(Version::V16);
}

#[test]
fn two_calls_at_once_keep_apart() {
    let server = Server::new();
    let asterisk = Asterisk::shared(Version::V22);
    let place = |arg: &str| asterisk.call(&Call::to(server.url()).arg(arg).report("RESULT"));
    let calls = [place("0"), place("1")];
    let mut sessions = [server.accept(), server.accept()];
    if sessions[0].environment.contains(&"agi_arg_1: 1".into()) {
        sessions.reverse();
    }
    for (index, session) in sessions.iter_mut().enumerate() {
        session.send(&format!("SET VARIABLE RESULT {index}"));
    }
    for session in sessions {
        session.linger();
    }
    for (index, call) in calls.into_iter().enumerate() {
        let (own, outcome) = (call.channel(), call.finish(TIME));
        assert_eq!(outcome.variables["RESULT"], index.to_string().as_bytes());
        assert!(outcome.log.iter().filter(|line| line.contains("AGI(")).all(|line| line.contains(&own)));
    }
}

/// Without this the absence of complaints elsewhere would prove nothing.
#[test]
fn complaints_show() {
    let server = Server::new();
    let call = call(&server);
    let mut session = server.accept();
    session.ask("NOOP");
    // its answer stays unread, and another is owed: the close resets the connection
    session.send("NOOP");
    session.input.get_ref().peek(&mut [0]).unwrap();
    session.send("EXEC Wait 3");
    call.wait_command("EXEC");
    drop(session);
    let outcome = call.finish(TIME);
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
    let complaints = outcome.complaints();
    assert!(complaints.iter().any(|line| line.contains("Connection reset")), "{complaints:?}");
    assert!(complaints.iter().any(|line| line.contains("Broken pipe")), "{complaints:?}");
}

#[test]
fn far_legs_do_their_part() {
    let server = Server::new();
    let delay = Duration::from_millis(100);
    let place = |far_leg| Asterisk::shared(Version::V22).call(&Call::to(server.url()).far_leg(far_leg));

    let dtmf = place(FarLeg::Dtmf { delay, digits: "7".into() });
    let mut session = server.accept();
    assert_eq!(session.ask("WAIT FOR DIGIT 10000"), "200 result=55");
    session.linger();
    assert_eq!(dtmf.finish(TIME).agi_status, "SUCCESS");

    let text = place(FarLeg::Text { delay, text: b"hello, you".to_vec() });
    let mut session = server.accept();
    assert_eq!(session.ask("RECEIVE TEXT 10000"), "200 result=1 (hello, you)");
    session.linger();
    assert_eq!(text.finish(TIME).agi_status, "SUCCESS");

    let gone = place(FarLeg::Hangup { delay });
    let mut session = server.accept();
    assert_eq!(session.ask("WAIT FOR DIGIT 10000"), "200 result=-1");
    session.linger();
    assert_eq!(gone.finish(TIME).where_, Where::H);

    let waits = place(FarLeg::Wait);
    let mut session = server.accept();
    assert_eq!(session.ask("EXEC Dial \"Local/busy@far/n\""), "200 result=0");
    assert_eq!(session.ask("GET VARIABLE DIALSTATUS"), "200 result=1 (BUSY)");
    session.send("RECEIVE TEXT 10000");
    waits.wait_command("RECEIVE TEXT");
    waits.send_text("from the manager");
    assert_eq!(session.line(), "200 result=1 (from the manager)");
    waits.set_variable("FROM", "outside");
    assert_eq!(session.ask("GET VARIABLE FROM"), "200 result=1 (outside)");
    session.linger();
    assert_eq!(waits.finish(TIME).agi_status, "SUCCESS");
}

#[test]
fn the_rest_is_there() {
    let server = Server::new();
    for version in [Version::V22, Version::V16] {
        let call = Asterisk::shared(version).call(&Call::to(server.url()));
        let mut session = server.accept();
        assert_eq!(session.ask("STREAM FILE"), "520-Invalid command syntax.  Proper usage follows:");
        while session.line() != "520 End of proper usage." {}
        assert_eq!(session.ask("SET MUSIC on default"), "200 result=0");
        session.send("GOSUB subs nested 1 a");
        assert_eq!(session.line(), "100 result=0 Trying...");
        assert_eq!(session.line(), "200 result=0 Gosub complete");
        assert_eq!(session.ask("GET VARIABLE GOSUB_RETVAL"), "200 result=1 (outer inner||)");
        assert_eq!(session.ask("SET CONTEXT elsewhere"), "200 result=0");
        assert_eq!(session.ask("SET EXTENSION there"), "200 result=0");
        assert_eq!(session.ask("SET PRIORITY 1"), "200 result=0");
        session.linger();
        assert_eq!(call.finish(TIME).where_, Where::Elsewhere);
        assert!(Asterisk::shared(version).cli("pjsip show transports").contains("127.0.0.1:"));
    }
}

#[test]
fn called_leg_rings_and_h_runs_agi() {
    let server = Server::new();
    let again = server.url();
    let call = Asterisk::shared(Version::V22)
        .call(&Call::to(server.url()).called_leg(true).agi_in_h(again).answer(false));
    let mut session = server.accept();
    // 4: ringing
    assert_eq!(session.ask("CHANNEL STATUS"), "200 result=4");
    assert_eq!(session.ask("ANSWER"), "200 result=0");
    assert_eq!(session.ask("CHANNEL STATUS"), "200 result=6");
    session.linger();
    let mut session = server.accept();
    assert!(session.environment.contains(&"agi_extension: h".into()), "{:?}", session.environment);
    assert_eq!(session.ask("ANSWER"), "511 Command Not Permitted on a dead channel or intercept routine");
    session.linger();
    let outcome = call.finish(TIME);
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::Next, "SUCCESS"));
    assert_eq!(outcome.agi_in_h_status.as_deref(), Some("SUCCESS"));
}

#[test]
fn own_asterisk_runs_a_program_and_stops() {
    use std::os::unix::fs::PermissionsExt as _;
    let asterisk = Asterisk::start(Version::V22);
    let program = asterisk.agi_dir().join("greet");
    // what it was told, and how much it hears in 20 ms
    let script = r#"#!/bin/sh
while read -r line && [ -n "$line" ]; do :; done
echo SET VARIABLE RESULT "$1-$(head -c 320 <&3 | tr -d '\0' | wc -c)"
read -r reply
"#;
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mark = asterisk.log_mark();
    let outcome = asterisk
        .call(&Call::to("greet").arg("hi").eagi(true).far_leg(FarLeg::Tone).report("RESULT"))
        .finish(TIME);
    assert_eq!(outcome.agi_status, "SUCCESS");
    let heard = String::from_utf8(outcome.variables["RESULT"].clone()).unwrap();
    assert!(heard.starts_with("hi-") && heard != "hi-0", "{heard}");
    assert!(!asterisk.log_since(mark).is_empty());
    assert!(asterisk.cli("core show channels count").contains("0 active channels"));
    let missing = asterisk.call(&Call::to("missing")).finish(TIME);
    assert_eq!(missing.agi_status, "NOTFOUND");
    drop(asterisk);
    assert!(!program.exists());
}

#[test]
fn hangup_settings_reach_agi() {
    let server = Server::new();
    let asterisk = Asterisk::shared(Version::V22);
    for (sighup, exit, expected) in [
        ("yes", "yes", "HANGUP\nHANGUP\n"),
        ("no", "no", ""),
        ("no", "yes", ""),
        ("yes", "no", "HANGUP\nHANGUP\n"),
    ] {
        let call = asterisk.call(&Call::to(server.url()).sighup(sighup).exit_on_hangup(exit));
        let mut session = server.accept();
        call.hang_up();
        let mut rest = String::new();
        if exit == "yes" {
            session.input.read_to_string(&mut rest).unwrap();
        } else if sighup == "yes" {
            rest = session.line() + "\n";
        } else {
            // nothing tells of the hang-up but a command's failure, one way if Asterisk's loop
            // has seen it and another if not yet
            let reply = session.ask("WAIT FOR DIGIT 10000");
            assert!(reply == "200 result=-1" || reply.starts_with("511 "), "{reply}");
        }
        rest += &session.linger();
        assert_eq!(rest, expected, "AGISIGHUP={sighup} AGIEXITONHANGUP={exit}");
        let outcome = call.finish(TIME);
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::H, "HANGUP"));
        assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
    }
}

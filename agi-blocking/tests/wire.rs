//! What is said of each command, and what is kept quiet.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod pbx;

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use agi_blocking::ChannelBuilder;
use tracing::Level;

use self::pbx::Pbx;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged of a call that asks for a PIN, keeps it and is hung up.
fn log_of(level: Level, reveal: bool) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let pbx = thread::spawn(move || {
        let mut pbx = Pbx::over(theirs).begin("menu?lang=de");
        pbx.expect(r#"GET DATA "enter-pin" 5000 4"#).respond("200 result=4711");
        pbx.expect(r#"SET VARIABLE "PIN" "4711""#).respond("200 result=1");
        pbx.expect("ANSWER").respond("HANGUP").respond("200 result=-1");
        // the session asks what the -1 means, unless it knows
        pbx.end();
    });
    tracing::subscriber::with_default(subscriber, || {
        let mut channel = ChannelBuilder::new().start(ours).unwrap().unwrap();
        channel.reveal_values(reveal);
        let pin = channel.get_data("enter-pin", Duration::from_secs(5), 4).unwrap();
        channel.set_variable("PIN", &pin.digits).unwrap();
        assert!(channel.answer().unwrap_err().is_hangup());
        channel.close().unwrap();
    });
    pbx.join().unwrap();
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

fn assert_has(log: &str, parts: &[&str]) {
    assert!(
        log.lines().any(|line| parts.iter().all(|part| line.contains(part))),
        "no line with all of {parts:?} in\n{log}"
    );
}

// one test, for whether an event is enabled is cached for the whole process
#[test]
fn commands_are_told_and_values_are_not() {
    let log = log_of(Level::DEBUG, false);
    assert_has(&log, &["DEBUG", r#"command command=GET DATA "enter-pin" 5000 4"#]);
    assert_has(&log, &["DEBUG", r#"reply command="GET DATA" elapsed="#, "status=200", "bytes hidden]"]);
    assert_has(&log, &[r#"command=SET VARIABLE "PIN" [hidden]"#]);
    assert_has(&log, &[r#"reply command="SET VARIABLE""#, "reply=200 result=1"]);
    assert_has(&log, &["hangup"]);
    assert_has(&log, &["end"]);
    assert!(!log.contains("4711") && !log.contains("TRACE"), "{log}");

    let log = log_of(Level::TRACE, false);
    assert_has(&log, &["TRACE", "wire", r"sent=ANSWER\n"]);
    assert_has(&log, &["TRACE", "wire", r"received=HANGUP\n"]);
    assert!(!log.contains("4711"), "{log}");

    let log = log_of(Level::TRACE, true);
    assert_has(&log, &["TRACE", r#"sent=SET VARIABLE "PIN" "4711"\n"#]);
    assert_has(&log, &["TRACE", r"received=200 result=4711\n"]);
    assert_has(&log, &["reply=200 result=4711"]);

    assert_eq!(log_of(Level::WARN, false), "");
}

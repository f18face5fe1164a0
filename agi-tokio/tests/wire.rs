//! What is said of each command, and what is kept quiet.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agi_tokio::{Channel, Error, Server};
use tracing::Level;

use self::peer::{dial, soon};

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
async fn log_of(level: Level, reveal: bool) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().reveal_values(reveal);
    let (address, counters) = (server.local_addr().unwrap(), server.counters());
    let serving = tokio::spawn(server.serve(async |mut channel: Channel| {
        let pin = channel.get_data("enter-pin", Duration::from_secs(5), 4).await?;
        channel.set_variable("PIN", &pin.digits).await?;
        channel.answer().await?;
        Ok::<(), Error>(())
    }));
    let mut peer = dial(address).await;
    soon(async {
        peer.answer("GET DATA \"enter-pin\" 5000 4", "200 result=4711").await;
        peer.answer("SET VARIABLE \"PIN\" \"4711\"", "200 result=1").await;
        assert_eq!(peer.command().await.unwrap(), "ANSWER");
        peer.respond("HANGUP").await;
        peer.respond("200 result=-1").await;
        peer.end_with("SUCCESS").await;
        while counters.counts().active() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    serving.abort();
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

fn assert_has(log: &str, parts: &[&str]) {
    assert!(
        log.lines().any(|line| parts.iter().all(|part| line.contains(part))),
        "no line with all of {parts:?} in\n{log}"
    );
}

// one test, for whether an event is enabled is cached for the whole process
#[tokio::test]
async fn commands_are_told_with_their_call_and_values_are_not() {
    let span = r#"call{channel="PJSIP/100-00000001" unique_id="1700000000.1" script="/ivr/menu" peer="#;
    let log = log_of(Level::DEBUG, false).await;
    assert_has(&log, &["DEBUG", span, r#"command command=GET DATA "enter-pin" 5000 4"#]);
    assert_has(&log, &["DEBUG", span, r#"reply command="GET DATA" elapsed="#, "status=200", "bytes hidden]"]);
    assert_has(&log, &[r#"command=SET VARIABLE "PIN" [hidden]"#]);
    assert_has(&log, &[r#"reply command="SET VARIABLE""#, "reply=200 result=1"]);
    assert_has(&log, &[span, "hangup"]);
    assert_has(&log, &[span, "end"]);
    assert!(!log.contains("4711") && !log.contains("TRACE"), "{log}");

    let log = log_of(Level::TRACE, false).await;
    assert_has(&log, &["TRACE", span, "wire", r"sent=ANSWER\n"]);
    assert_has(&log, &["TRACE", span, "wire", r"received=HANGUP\n"]);
    assert_has(&log, &["TRACE", "wire", r"agi_callerid: 100\nagi_calleridname: Ada\n"]);
    assert!(!log.contains("4711"), "{log}");

    let log = log_of(Level::TRACE, true).await;
    assert_has(&log, &["TRACE", r#"sent=SET VARIABLE "PIN" "4711"\n"#]);
    assert_has(&log, &["TRACE", r"received=200 result=4711\n"]);
    assert_has(&log, &["reply=200 result=4711"]);

    assert_eq!(log_of(Level::WARN, false).await, "");
}

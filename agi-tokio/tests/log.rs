//! What a server tells its operator: failures, with the call that they belong to, and nothing of callers who
//! just hang up.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::fmt::{Debug, Write};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use agi_tokio::{Channel, Error, Server};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use self::peer::{dial, soon};

#[tokio::test]
async fn failures_are_logged_with_their_call_and_hangups_are_not() {
    #[derive(Debug)]
    struct Ours(Error);
    impl std::fmt::Display for Ours {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the balance cannot be told")
        }
    }
    impl std::error::Error for Ours {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    async fn handler(mut channel: Channel) -> Result<(), Ours> {
        let panic = channel.get_variable("PANIC").await.map_err(Ours)?;
        let waits = panic.as_ref().is_some_and(|panic| *panic == "wait");
        assert!(panic.is_none() || waits, "the handler's own words");
        channel.answer().await.map_err(Ours)?;
        if waits {
            channel.wait_for_hangup().await;
        }
        Ok(())
    }

    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = server.local_addr().unwrap();
    let server = tokio::spawn(server.serve(handler));
    let cases = [
        ("200 result=0", "200 result=0", None),
        ("200 result=0", "HANGUP\n200 result=-1", None),
        (
            "200 result=0",
            "511 Command Not Permitted on a dead channel",
            Some(("WARN", "was hung up before the call began")),
        ),
        ("200 result=0", "510 Invalid or unknown command", Some(("ERROR", "the balance cannot be told"))),
        ("200 result=1 (yes)", "", Some(("ERROR", "the handler's own words"))),
    ];
    for (variable, answer, logged) in cases {
        let mut peer = dial(address).await;
        soon(async {
            peer.answer("GET VARIABLE \"PANIC\"", variable).await;
            if !answer.is_empty() {
                peer.answer("ANSWER", answer).await;
            }
            let failed = matches!(logged, Some(("ERROR", _)));
            peer.end_with(if failed { "FAILED" } else { "SUCCESS" }).await;
        })
        .await;
        let lines = std::mem::take(&mut *log.0.lock().unwrap());
        match logged {
            None => assert_eq!(lines, [""; 0], "{answer}"),
            Some((level, text)) => {
                assert_eq!(lines.len(), 1, "{lines:?}");
                let call = "channel=PJSIP/100-00000001 unique_id=1700000000.1 script=/ivr/menu peer=";
                for part in [text, level, call] {
                    assert!(lines[0].contains(part), "{part} is not in {}", lines[0]);
                }
            }
        }
    }

    // the handler sends no command that would tell it
    for (variable, warnings) in [("200 result=1 (wait)", 2), ("200 result=0", 1)] {
        let mut peer = dial(address).await;
        soon(async {
            peer.answer("GET VARIABLE \"PANIC\"", variable).await;
            peer.answer("ANSWER", "200 result=0\n200 result=1 (forged)").await;
            peer.end_without_reset().await;
        })
        .await;
        let lines = std::mem::take(&mut *log.0.lock().unwrap());
        assert_eq!(lines.len(), warnings, "{lines:?}");
        for part in ["(forged)", "WARN", "unique_id=1700000000.1 "] {
            assert!(lines.iter().all(|line| line.contains(part)), "{part} is not in {lines:?}");
        }
    }
    server.abort();
}

/// Warnings and errors, one a line, with the fields of the last span before them.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>, Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }

    /// What is text is text in a log of JSON, too, without quotes of its own.
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, "{field}={value} ").unwrap();
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        write!(self.0, "{field}={value} ").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("agi") && *metadata.level() <= Level::WARN
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut span = self.1.lock().unwrap();
        span.clear();
        attributes.record(&mut Fields(&mut span));
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = format!("{} {}", event.metadata().level(), self.1.lock().unwrap());
        event.record(&mut Fields(&mut line));
        self.0.lock().unwrap().push(line);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

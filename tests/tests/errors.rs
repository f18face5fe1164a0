//! What a handler fails with, and what the server makes of that.

use std::error::Error as StdError;
use std::io;

use agi_tokio::agi_proto::Rejection;
use agi_tokio::{CallOutcome, Error};

fn dead() -> Error {
    Error::Rejected(Rejection::DeadChannel { text: "Not Permitted".into(), hung_up: true })
}

fn hangups() -> Vec<Error> {
    vec![Error::Hangup, Error::Closed, dead()]
}

fn failures() -> Vec<Error> {
    let lives = Rejection::DeadChannel { text: "Not Permitted".into(), hung_up: false };
    vec![
        Error::Rejected(lives),
        Error::Rejected(Rejection::UnknownCommand),
        Error::Io(io::ErrorKind::ConnectionReset.into()),
    ]
}

/// Of what `?` makes a server's own error type.
fn ending(error: impl Into<Box<dyn StdError + Send + Sync>>) -> CallOutcome {
    CallOutcome::of::<io::Error>(&*error.into())
}

#[test]
fn the_servers_see_a_hangup_through_anyhow() {
    for hangup in hangups() {
        assert_eq!(ending(anyhow::Error::from(hangup)), CallOutcome::Hangup);
    }
    for hangup in hangups() {
        assert_eq!(ending(anyhow::Error::from(hangup).context("billing")), CallOutcome::Hangup);
    }
    for failure in failures() {
        assert_eq!(ending(anyhow::Error::from(failure)), CallOutcome::Failed);
    }
    assert_eq!(ending(anyhow::anyhow!("no balance")), CallOutcome::Failed);
}

#[test]
fn a_report_says_once_what_it_was() {
    let report = anyhow::Error::from(dead()).context("billing");
    assert_eq!(format!("{report:#}").matches("511").count(), 1);
}

//! A server that has no file descriptor left for a call. Alone in its process, whose limit it lowers.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod peer;

use std::fs::File;
use std::net::Ipv4Addr;
use std::sync::Arc;

use agi_tokio::{Channel, Server};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::sync::Notify;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use self::peer::{dial, soon};

#[tokio::test]
async fn a_failed_accept_is_survived() {
    let warned = Warned::default();
    let _guard = tracing::subscriber::set_default(warned.clone());
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = server.local_addr().unwrap();
    let serving = tokio::spawn(server.serve(async |mut channel: Channel| channel.noop().await));

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(64);
    setrlimit(Resource::Nofile, limit).expect("it may be lowered");
    let mut files: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    // for the caller's own end
    files.pop();
    let mut peer = dial(address).await;
    soon(warned.0.notified()).await;
    drop(files);
    soon(async {
        peer.answer("NOOP", "200 result=0").await;
        peer.end_with("SUCCESS").await;
    })
    .await;
    serving.abort();
}

/// Tells of the first warning.
#[derive(Clone, Default)]
struct Warned(Arc<Notify>);

impl Subscriber for Warned {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("agi") && *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn event(&self, _: &Event<'_>) {
        self.0.notify_one();
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

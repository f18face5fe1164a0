//! Servers whose handler pairs replies before it believes anything.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use agi_proto::Request;

#[derive(Default)]
struct Seen {
    started: AtomicUsize,
    believed: Mutex<Vec<Vec<String>>>,
}

impl Seen {
    fn start(&self) {
        self.started.fetch_add(1, Ordering::SeqCst);
    }

    fn believe(&self, request: &Request) {
        self.believed.lock().unwrap().push(request.args().map(ToString::to_string).collect());
    }
}

/// A server that runs until the end of the tests.
pub struct Service {
    address: SocketAddr,
    seen: Arc<Seen>,
}

impl Service {
    pub fn url(&self, script: &str) -> String {
        format!("agi://{}/{script}", self.address)
    }

    /// How often the handler was called.
    pub fn started(&self) -> usize {
        self.seen.started.load(Ordering::SeqCst)
    }

    /// The arguments of the calls that it took for good since it was last asked.
    pub fn believed(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.seen.believed.lock().unwrap())
    }
}

pub fn tokio() -> Service {
    let seen = Arc::<Seen>::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(agi_tokio::Server::bind("127.0.0.1:0")).unwrap();
    let address = server.local_addr().unwrap();
    let shared = seen.clone();
    let handler = move |mut channel: agi_tokio::Channel, request: Request| {
        let seen = shared.clone();
        async move {
            seen.start();
            channel.resync().await?;
            seen.believe(&request);
            Ok::<(), agi_tokio::Error>(())
        }
    };
    thread::spawn(move || runtime.block_on(server.serve(handler)));
    Service { address, seen }
}

pub fn blocking() -> Service {
    let seen = Arc::<Seen>::default();
    let server = agi_blocking::Server::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let shared = seen.clone();
    let handler = move |channel: &mut agi_blocking::Channel, request: &Request| {
        shared.start();
        channel.resync()?;
        shared.believe(request);
        Ok::<(), agi_blocking::Error>(())
    };
    thread::spawn(move || server.serve(handler));
    Service { address, seen }
}

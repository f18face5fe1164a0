//! The `tls` examples of the adapters: a channel over any stream, and an end as clean as over TCP.
#![allow(clippy::unwrap_used, dead_code, reason = "a test may, and an example has a main function")]

#[path = "../../agi-tokio/examples/tls.rs"]
mod tls;
#[path = "../../agi-async-std/examples/tls_async_std.rs"]
mod tls_async_std;
#[path = "../../agi-blocking/examples/tls_blocking.rs"]
mod tls_blocking;
#[path = "../../agi-smol/examples/tls_smol.rs"]
mod tls_smol;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use agi_proto::PbxSession;
use agi_tests::pair::ENVIRONMENT;
use agi_tests::pbx::LONG;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

type Served = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Serves one connection in the way given, to a tunnel that trusts the certificate.
fn serves(certificate: CertificateDer<'static>, serve: impl FnOnce(TcpStream) -> Served + Send + 'static) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served: JoinHandle<Served> = thread::spawn(move || serve(listener.accept().unwrap().0));
    let mut tunnel = tunnel(address, certificate);
    let mut asterisk = PbxSession::new(8191);
    asterisk.send_environment(ENVIRONMENT);
    tunnel.write_all(asterisk.poll_transmit().unwrap()).unwrap();
    for (command, response) in
        [("ANSWER\n", "200 result=0\n"), ("STREAM FILE \"hello-world\" \"\"\n", "200 result=0 endpos=8000\n")]
    {
        let mut line = vec![0; command.len()];
        tunnel.read_exact(&mut line).unwrap();
        assert_eq!(String::from_utf8_lossy(&line), command);
        tunnel.write_all(response.as_bytes()).unwrap();
    }
    // the script's direction has ended, in the terms of TLS, and it still listens
    assert_eq!(tunnel.read(&mut [0]).unwrap(), 0);
    assert!(!served.is_finished());
    tunnel.write_all(b"HANGUP\n").unwrap();
    assert!(tunnel.sock.take_error().unwrap().is_none(), "a reset");
    tunnel.conn.send_close_notify();
    tunnel.flush().unwrap();
    drop(tunnel);
    served.join().unwrap().unwrap();
}

fn tunnel(
    address: SocketAddr,
    certificate: CertificateDer<'static>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    StreamOwned::new(connection, stream)
}

#[test]
fn tokio() {
    let (certificate, config) = tls::certificate().unwrap();
    serves(certificate, |stream| {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            stream.set_nonblocking(true)?;
            tls::serve(tokio::net::TcpStream::from_std(stream)?, config).await
        })
    });
}

#[test]
fn smol() {
    let (certificate, config) = tls_smol::certificate().unwrap();
    serves(certificate, |stream| {
        smol::block_on(async { tls_smol::serve(smol::net::TcpStream::try_from(stream)?, config).await })
    });
}

#[test]
fn async_std() {
    let (certificate, config) = tls_async_std::certificate().unwrap();
    serves(certificate, |stream| async_std::task::block_on(tls_async_std::serve(stream.into(), config)));
}

#[test]
fn blocking() {
    let (certificate, config) = tls_blocking::certificate().unwrap();
    serves(certificate, |stream| tls_blocking::serve(stream, config));
}

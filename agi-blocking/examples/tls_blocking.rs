//! A service over TLS, as an example of a transport of one's own. Asterisk speaks no TLS, so a tunnel beside it
//! does, such as stunnel:
//!
//! ```text
//! [agi]
//! client = yes
//! accept = 127.0.0.1:4573
//! connect = service.example.com:4574
//! ```
//!
//! ```text
//! cargo run --example tls_blocking -- 127.0.0.1:4574
//! ```

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use agi_blocking::{Channel, ChannelBuilder, Error, Stream};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// For the handshake and for the environment, so that nobody stays who says nothing.
const BEGINNING: Duration = Duration::from_secs(10);
/// Until calls have ended, where too many files are open.
const PAUSE: Duration = Duration::from_millis(500);

/// A connection, encrypted.
pub(crate) struct Tls(StreamOwned<ServerConnection, TcpStream>);

impl Read for Tls {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Tls {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Tls {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.sock.set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.sock.set_write_timeout(timeout)
    }

    /// Tells the end in the terms of TLS and in those of TCP; the other direction stays open in both.
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.conn.send_close_notify();
        self.0.flush()?;
        self.0.sock.shutdown(Shutdown::Write)
    }
}

fn hello(channel: &mut Channel<Tls>) -> Result<(), Error> {
    channel.answer()?;
    channel.stream_file("hello-world", "")?;
    Ok(())
}

/// One connection: the handshake, the call, and an end that waits for Asterisk's last words.
pub(crate) fn serve(stream: TcpStream, tls: Arc<ServerConfig>) -> Result<(), BoxError> {
    stream.set_nodelay(true)?;
    let stream = Tls(StreamOwned::new(ServerConnection::new(tls)?, stream));
    let begun = ChannelBuilder::new().environment_timeout(BEGINNING).start(stream)?;
    let Some(mut channel) = begun else { return Ok(()) };
    let outcome = hello(&mut channel);
    let closed = channel.close();
    match outcome {
        Err(error) if !error.is_hangup() => Err(error.into()),
        _ => Ok(closed?),
    }
}

/// A certificate of our own making. A real service has one, and a tunnel that verifies it.
pub(crate) fn certificate() -> Result<(CertificateDer<'static>, Arc<ServerConfig>), BoxError> {
    let made = rcgen::generate_simple_self_signed(["localhost".into()])?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let certificate = made.cert.der().clone();
    let config = ServerConfig::builder().with_no_client_auth();
    Ok((certificate.clone(), Arc::new(config.with_single_cert(vec![certificate], key)?)))
}

fn main() -> Result<(), BoxError> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4574".into());
    let listener = TcpListener::bind(address)?;
    let (_, tls) = certificate()?;
    println!("a tunnel may connect to {}", listener.local_addr()?);
    loop {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) => {
                println!("no connection can be accepted: {error}");
                thread::sleep(PAUSE);
                continue;
            }
        };
        let tls = tls.clone();
        thread::spawn(move || {
            if let Err(error) = serve(stream, tls) {
                println!("{peer}: {error}");
            }
        });
    }
}

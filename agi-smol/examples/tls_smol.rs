//! A service over TLS. Asterisk speaks none, so a tunnel beside it does, such as stunnel:
//!
//! ```text
//! [agi]
//! client = yes
//! accept = 127.0.0.1:4573
//! connect = service.example.com:4574
//! ```
//!
//! ```text
//! cargo run --example tls_smol [address]
//! ```

use std::io;
use std::sync::Arc;
use std::time::Duration;

use agi_smol::{Channel, ChannelBuilder, Error};
use futures_rustls::TlsAcceptor;
use futures_rustls::server::TlsStream;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use smol::future::or;
use smol::net::{TcpListener, TcpStream};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// For the handshake and for the environment, so that nobody stays who says nothing.
const BEGINNING: Duration = Duration::from_secs(10);
/// Until calls have ended, where too many files are open.
const PAUSE: Duration = Duration::from_millis(500);

async fn hello(channel: &mut Channel<TlsStream<TcpStream>>) -> Result<(), Error> {
    channel.answer().await?;
    channel.stream_file("hello-world", "").await?;
    Ok(())
}

/// One connection: the handshake, the call, and an end that waits for Asterisk's last words.
pub(crate) async fn serve(stream: TcpStream, tls: Arc<ServerConfig>) -> Result<(), BoxError> {
    stream.set_nodelay(true)?;
    let begin = async {
        ChannelBuilder::new()
            .start(TlsAcceptor::from(tls).accept(stream).await?)
            .await
            .map_err(BoxError::from)
    };
    let late = async {
        smol::Timer::after(BEGINNING).await;
        Err(io::Error::from(io::ErrorKind::TimedOut).into())
    };
    let Some(mut channel) = or(begin, late).await? else { return Ok(()) };
    let outcome = hello(&mut channel).await;
    let closed = channel.close().await;
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
    smol::block_on(async {
        let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4574".into());
        let listener = TcpListener::bind(address).await?;
        let (_, tls) = certificate()?;
        println!("a tunnel may connect to {}", listener.local_addr()?);
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    println!("no connection can be accepted: {error}");
                    smol::Timer::after(PAUSE).await;
                    continue;
                }
            };
            let call = serve(stream, tls.clone());
            smol::spawn(async move {
                if let Err(error) = call.await {
                    println!("{peer}: {error}");
                }
            })
            .detach();
        }
    })
}

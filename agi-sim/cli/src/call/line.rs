//! The connection to the service.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

/// How long an address may take to connect, which is Asterisk's limit too.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a service that does not read is waited for.
const WRITE: Duration = Duration::from_secs(1);

/// What comes in, in the order of its coming.
pub(super) enum Input {
    /// From the service.
    Bytes(Vec<u8>),
    /// The service has closed, or why it is not to be heard any more.
    End(Option<io::Error>),
    /// From the terminal.
    Terminal(ratatui::crossterm::event::Event),
    /// From the standard input.
    Typed(char),
    /// The program is to end.
    Interrupt,
}

pub(super) struct Line {
    stream: TcpStream,
    inputs: Sender<Input>,
}

impl Line {
    pub(super) fn dial(address: &str) -> io::Result<(Self, Receiver<Input>)> {
        let stream = connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE))?;
        let (inputs, receiver) = mpsc::channel();
        let (mut reading, sender) = (stream.try_clone()?, inputs.clone());
        thread::spawn(move || {
            let mut buf = [0; 4096];
            loop {
                let (input, ends) = match reading.read(&mut buf) {
                    Ok(0) => (Input::End(None), true),
                    Ok(n) => (Input::Bytes(buf[..n].to_vec()), false),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => (Input::End(Some(error)), true),
                };
                if sender.send(input).is_err() || ends {
                    break;
                }
            }
        });
        let sender = inputs.clone();
        ctrlc::set_handler(move || {
            // who does not listen any more has ended
            let _ = sender.send(Input::Interrupt);
        })
        .map_err(io::Error::other)?;
        Ok((Self { stream, inputs }, receiver))
    }

    /// For who has more to put in.
    pub(super) fn inputs(&self) -> Sender<Input> {
        self.inputs.clone()
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Asterisk has closed; a service that has closed already cannot be told
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

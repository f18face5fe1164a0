//! Services that listen somewhere.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::caller::{Call, Caller, Scripted};

/// How long a service may take to close, once the call is over, and to read what Asterisk wrote: longer than a busy
/// machine delays one that does.
const LATE: Duration = Duration::from_secs(20);

/// How much a service may send after the end. Asterisk would read nothing of it.
const REST: usize = 65_536;

/// How long to look whether the service has something to say before time is skipped.
const LOOK: Duration = Duration::from_millis(1);

impl Caller {
    /// Calls the service that the URL names, over TCP, and waits for the end of the call.
    ///
    /// While a command runs, time is skipped; otherwise it passes as it does, unless the call goes
    /// [in real time](Self::in_real_time) altogether.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) where the URL is none, and whatever connecting gives.
    ///
    /// # Panics
    ///
    /// If the call goes otherwise than the script says.
    #[track_caller]
    pub fn dial(self) -> io::Result<Call> {
        let address = self.setup.address().ok_or(ErrorKind::InvalidInput)?;
        self.dial_at(address)
    }

    /// As [`dial`](Self::dial), to this address whatever the URL says.
    ///
    /// # Errors
    ///
    /// Whatever connecting gives.
    ///
    /// # Panics
    ///
    /// If the call goes otherwise than the script says.
    #[track_caller]
    pub fn dial_at(self, address: impl ToSocketAddrs) -> io::Result<Call> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let skips = !self.real_time;
        let mut scripted = Scripted::new(self);
        drive(&stream, &mut scripted, skips)?;
        Ok(Call::new(&scripted, ()).checked())
    }
}

fn drive(mut stream: &TcpStream, scripted: &mut Scripted, skips: bool) -> io::Result<()> {
    let late = scripted.patience.clamp(LOOK, LATE);
    stream.set_write_timeout(Some(late))?;
    let began = Instant::now();
    let mut skipped = Duration::ZERO;
    // a line that is longer than Asterisk's arrives in one piece, as it was sent
    let mut buf = [0; 16_384];
    let (mut open, mut shut) = (true, false);
    loop {
        while let Some(bytes) = scripted.poll_transmit().filter(|_| open) {
            let n = bytes.len();
            match stream.write_all(bytes) {
                Ok(()) => scripted.transmitted(n),
                Err(error) if is_late(&error) => {
                    open = false;
                    scripted.give_up(format!("the service does not read: a write took {late:?}"));
                }
                Err(error) => {
                    open = false;
                    scripted.handle_break(&error, began.elapsed() + skipped);
                }
            }
        }
        if scripted.is_half_closed() && !shut {
            shut = true;
            stream.shutdown(Shutdown::Write)?;
        }
        let due = scripted.poll_timeout();
        if scripted.is_over() && (due.is_none() || !open) {
            break;
        }
        let now = began.elapsed() + skipped;
        let skip = skips && scripted.pbx.is_busy() && due.is_some();
        let wait = due.map_or(LOOK, |due| due.saturating_sub(now)).max(LOOK);
        stream.set_read_timeout(Some(if skip { LOOK } else { wait }))?;
        let read = stream.read(&mut buf);
        let now = began.elapsed() + skipped;
        match read {
            Ok(0) => {
                scripted.handle_eof(now);
                // a command that runs on keeps the session open, and nothing more can be read
                if let Some(due) = scripted.poll_timeout().filter(|_| !scripted.is_over()) {
                    let rest = due.saturating_sub(now);
                    if skips {
                        skipped += rest;
                    } else {
                        thread::sleep(rest);
                    }
                    scripted.handle_timeout(due);
                }
            }
            Ok(n) => scripted.handle_input(&buf[..n], now),
            Err(error) if is_late(&error) => {
                if let Some(due) = due.filter(|_| skip) {
                    skipped += due.saturating_sub(now);
                }
                scripted.handle_timeout(began.elapsed() + skipped);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                open = false;
                scripted.handle_break(&error, now);
            }
        }
    }
    end(stream, scripted, &mut buf)
}

/// Closes, and sees that the service does.
fn end(mut stream: &TcpStream, scripted: &mut Scripted, buf: &mut [u8]) -> io::Result<()> {
    if scripted.reset {
        // to close without lingering is what resets
        return SockRef::from(stream).set_linger(Some(Duration::ZERO));
    }
    // who has reset the connection cannot be told
    let _ = stream.shutdown(Shutdown::Write);
    let (now, began, mut rest) = (scripted.now, Instant::now(), 0);
    while rest < REST {
        let left = LATE.saturating_sub(began.elapsed()).max(LOOK);
        stream.set_read_timeout(Some(left))?;
        match stream.read(buf) {
            Ok(0) => {
                scripted.handle_eof(now);
                return Ok(());
            }
            Ok(n) => rest += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_late(&error) => break,
            Err(error) => {
                scripted.handle_break(&error, now);
                return Ok(());
            }
        }
    }
    scripted.transcript.note(now, "the service does not close its side");
    Ok(())
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

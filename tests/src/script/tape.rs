//! What goes over a stream, recorded.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::slice::SliceIndex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What happened on the stream, as the script saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Bytes from Asterisk.
    Received(Vec<u8>),
    /// Bytes to Asterisk.
    Sent(Vec<u8>),
    /// The script ended its own direction.
    Shut,
    /// Asterisk ended its direction.
    Eof,
    /// The connection was reset, or took no more bytes.
    Reset,
}

/// A record of one stream, or of one after another. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    entries: Arc<Mutex<Vec<(Instant, Entry)>>>,
    late: bool,
    /// Nothing is read meanwhile.
    deaf: Arc<AtomicBool>,
}

impl Tape {
    /// A tape whose stream acknowledges what it receives when the kernel likes.
    #[must_use]
    pub fn of_late_acknowledgements() -> Self {
        Self { late: true, ..Self::default() }
    }

    /// Whether the stream gives nothing, as if nothing had come. Only of smol, which would read at once what a
    /// quick Asterisk has answered already.
    pub(super) fn set_deaf(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, Entry)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, entry: Entry) {
        let mut entries = self.lock();
        let again = entries.last().is_some_and(|(_, last)| *last == entry);
        if !again || matches!(entry, Entry::Received(_) | Entry::Sent(_)) {
            entries.push((Instant::now(), entry));
        }
    }

    fn note_read(&self, read: &io::Result<usize>, buf: &[u8]) {
        match read {
            Ok(0) => self.note(Entry::Eof),
            Ok(length) => self.note(Entry::Received(buf[..*length].into())),
            Err(error) => self.note_error(error),
        }
    }

    fn note_write(&self, written: &io::Result<usize>, buf: &[u8]) {
        match written {
            Ok(length) => self.note(Entry::Sent(buf[..*length].into())),
            Err(error) => self.note_error(error),
        }
    }

    fn note_error(&self, error: &io::Error) {
        if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) {
            self.note(Entry::Reset);
        }
    }

    /// How many entries there are.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.lock().len()
    }

    /// The entries since the mark, with their times.
    #[must_use]
    pub fn since(&self, mark: usize) -> Vec<(Instant, Entry)> {
        self.lock()[mark..].to_vec()
    }

    /// The lines that came since the mark, each with the time of its end.
    #[must_use]
    pub fn lines(&self, mark: usize) -> Vec<(Instant, String)> {
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        for (at, entry) in self.since(mark) {
            let Entry::Received(bytes) = entry else { continue };
            for byte in bytes {
                if byte == b'\n' {
                    lines.push((at, String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned()));
                } else {
                    line.push(byte);
                }
            }
        }
        lines
    }

    /// What came, in words: `H` for `HANGUP`, the status for a reply, `>` where the script ended its own
    /// direction, then `EOF` or `RST`.
    #[must_use]
    pub fn words(
        &self,
        range: impl SliceIndex<[(Instant, Entry)], Output = [(Instant, Entry)]>,
    ) -> Vec<String> {
        let mut words = Vec::new();
        let mut line = Vec::new();
        for (_, entry) in &self.lock()[range] {
            match entry {
                Entry::Received(bytes) => {
                    for &byte in bytes {
                        if byte != b'\n' {
                            line.push(byte);
                            continue;
                        }
                        let text = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
                        let status = text.get(..3).unwrap_or(&text).into();
                        words.push(if text == "HANGUP" { "H".into() } else { status });
                    }
                }
                Entry::Sent(_) => {}
                Entry::Shut => words.push(">".into()),
                Entry::Eof => words.push("EOF".into()),
                Entry::Reset => words.push("RST".into()),
            }
        }
        words
    }
}

/// A stream on a tape.
#[derive(Debug)]
pub struct Tap<S> {
    stream: S,
    tape: Tape,
}

impl<S> Tap<S> {
    /// Puts the stream on the tape.
    pub fn new(stream: S, tape: &Tape) -> Self {
        Self { stream, tape: tape.clone() }
    }
}

impl<S: Read> Read for Tap<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buf);
        self.tape.note_read(&read, buf);
        read
    }
}

impl<S: Write> Write for Tap<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(buf);
        self.tape.note_write(&written, buf);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl agi_blocking::Stream for Tap<TcpStream> {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        TcpStream::set_read_timeout(&self.stream, timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        TcpStream::set_write_timeout(&self.stream, timeout)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.tape.note(Entry::Shut);
        self.stream.shutdown(Shutdown::Write)
    }

    fn acknowledge(&mut self) {
        if !self.tape.late {
            agi_blocking::Stream::acknowledge(&mut self.stream);
        }
    }
}

impl smol::io::AsyncRead for Tap<smol::net::TcpStream> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.tape.deaf.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        let read = ready!(Pin::new(&mut this.stream).poll_read(cx, buf));
        this.tape.note_read(&read, buf);
        Poll::Ready(read)
    }
}

impl smol::io::AsyncWrite for Tap<smol::net::TcpStream> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, buf));
        this.tape.note_write(&written, buf);
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.tape.note(Entry::Shut);
        Pin::new(&mut this.stream).poll_close(cx)
    }
}

impl AsyncRead for Tap<tokio::net::TcpStream> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut this.stream).poll_read(cx, buf));
        let bytes = &buf.filled()[before..];
        let result = match &read {
            Ok(()) => Ok(bytes.len()),
            Err(error) => Err(error.kind().into()),
        };
        this.tape.note_read(&result, bytes);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Tap<tokio::net::TcpStream> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, buf));
        this.tape.note_write(&written, buf);
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.tape.note(Entry::Shut);
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

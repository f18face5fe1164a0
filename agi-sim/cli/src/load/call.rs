//! One call of many.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use agi_sim::{Event, Pbx, Setup, hostile_values};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::report::{Kind, Report};
use super::scenario::Scenario;

/// Who calls again and again.
pub(super) struct Caller<'a> {
    pub(super) address: SocketAddr,
    pub(super) scenario: &'a Scenario,
    pub(super) setup: &'a Setup,
    pub(super) timeout: Duration,
    pub(super) report: &'a Mutex<Report>,
}

/// What a caller keeps from call to call.
pub(super) struct Kept {
    input: Box<[u8]>,
    out: Vec<u8>,
    /// Rings when the service may have been silent for too long. One for all commands, as each new timer costs.
    alarm: Pin<Box<Sleep>>,
    hostile: Vec<Vec<u8>>,
}

impl Kept {
    pub(super) fn new() -> Self {
        Self {
            input: vec![0; 4096].into(),
            out: Vec::new(),
            alarm: Box::pin(sleep(Duration::ZERO)),
            hostile: hostile_values(),
        }
    }
}

impl Caller<'_> {
    /// Calls once. `due` is when the call was to begin: a caller that was still busy by then began later, and the caller's
    /// wait counts, as it would for a person.
    pub(super) async fn call(&self, number: usize, due: Instant, kept: &mut Kept) {
        let outcome = self.converse(number, kept).await;
        let mut report = self.report();
        match outcome {
            Ok(0) => report.fail(Kind::Silent),
            Ok(_) => report.call(due.elapsed()),
            Err(error) => report.fail(Kind::of(&error)),
        }
    }

    /// Returns how many commands came.
    async fn converse(&self, number: usize, kept: &mut Kept) -> io::Result<usize> {
        let connected = tokio::time::timeout(self.timeout, TcpStream::connect(self.address)).await;
        let mut stream = connected.map_err(|_| ErrorKind::TimedOut)??;
        stream.set_nodelay(true)?;
        let mut pbx = Pbx::new(self.setup(number, kept));
        let hang_up_after = self.scenario.hang_up_after(number);
        let (mut now, mut commands) = (Duration::ZERO, 0);
        let (mut since, mut line) = (None, Vec::new());
        loop {
            if hang_up_after.is_some_and(|after| commands >= after) {
                pbx.hang_up(now);
            }
            self.settle(&mut pbx, &mut now);
            kept.out.clear();
            while let Some(bytes) = pbx.poll_transmit() {
                let n = bytes.len();
                kept.out.extend_from_slice(bytes);
                pbx.transmitted(n);
            }
            while let Some(event) = pbx.poll_event() {
                if let Event::Stopped(_) = event {
                    self.report().stopped += 1;
                }
            }
            if let Err(error) = self.write(&mut stream, &kept.out).await {
                // who has closed needs no last words
                if pbx.status().is_none() {
                    return Err(error);
                }
            }
            if pbx.status().is_some() {
                return Ok(commands);
            }
            let began = Instant::now();
            // a command in two segments is timed from the moment at which it was asked for
            let asked = *since.get_or_insert(began);
            let read = self.read(&mut stream, kept, began).await?;
            now += began.elapsed();
            let Some(input) = read.filter(|input| !input.is_empty()) else {
                pbx.handle_eof(now);
                continue;
            };
            let whole = match input.iter().position(|&byte| byte == b'\n') {
                Some(end) if end + 1 < input.len() => return Err(ErrorKind::InvalidData.into()),
                end => end.is_some(),
            };
            line.extend_from_slice(input);
            if whole {
                commands += 1;
                self.report().command(&line, asked.elapsed());
                line.clear();
                since = None;
            }
            pbx.handle_input(input, now);
        }
    }

    /// Calls differ in their names, so that a service's log tells them apart.
    fn setup(&self, number: usize, kept: &Kept) -> Setup {
        let mut setup = self.setup.clone();
        setup.channel = format!("PJSIP/load-{number:08x}").into();
        setup.unique_id = format!("1700000000.{number}").into();
        if self.scenario.hostile_values {
            let value = &kept.hostile[number % kept.hostile.len()];
            setup.variables.insert("NOTE".into(), value.clone().into());
        }
        setup
    }

    /// Lets the command that runs come to its end.
    fn settle(&self, pbx: &mut Pbx, now: &mut Duration) {
        while pbx.is_busy() {
            if pbx.listens() {
                for key in self.scenario.keys.chars() {
                    pbx.press(key, *now);
                }
                if !pbx.is_busy() {
                    break;
                }
            }
            match pbx.poll_timeout() {
                Some(due) => {
                    *now = due.max(*now);
                    pbx.handle_timeout(*now);
                }
                // it would wait for ever
                None => pbx.hang_up(*now),
            }
        }
    }

    async fn write(&self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        let delay = self.scenario.delay();
        if bytes.is_empty() {
            return Ok(());
        }
        if !delay.is_zero() {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            stream.write_all(first).await?;
            sleep(delay).await;
            if stream.try_read(&mut [0]).is_ok_and(|read| read > 0) {
                // the answer is not whole, and it cannot have been meant
                return Err(ErrorKind::InvalidData.into());
            }
            return stream.write_all(second).await;
        }
        let size = if self.scenario.bytes_at_once == 0 { bytes.len() } else { self.scenario.bytes_at_once };
        for piece in bytes.chunks(size) {
            stream.write_all(piece).await?;
        }
        Ok(())
    }

    /// Reads once. `None`: the service has ended.
    async fn read<'k>(
        &self,
        stream: &mut TcpStream,
        kept: &'k mut Kept,
        asked: Instant,
    ) -> io::Result<Option<&'k [u8]>> {
        let Kept { input, alarm, .. } = kept;
        let until = (asked + self.timeout).into();
        let mut buf = ReadBuf::new(input);
        poll_fn(|cx| {
            if let Poll::Ready(read) = Pin::new(&mut *stream).poll_read(cx, &mut buf) {
                return Poll::Ready(read);
            }
            while alarm.as_mut().poll(cx).is_ready() {
                if tokio::time::Instant::now() >= until {
                    return Poll::Ready(Err(ErrorKind::TimedOut.into()));
                }
                alarm.as_mut().reset(until);
            }
            Poll::Pending
        })
        .await?;
        let read = buf.filled().len();
        Ok((read > 0).then(|| &kept.input[..read]))
    }

    fn report(&self) -> std::sync::MutexGuard<'_, Report> {
        // a caller that panicked has left the others' numbers whole
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

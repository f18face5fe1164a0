//! One call of many.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use agi_sim::agi_proto::BString;
use agi_sim::{Event, Pbx, Setup, Unknown, hostile_values};

use super::Scenario;
use super::report::{Kind, Report};

const SLOW: Duration = Duration::from_millis(50);
const KEYS: &str = "1234#";

pub(super) struct Caller {
    setup: Setup,
    address: SocketAddr,
    scenario: Scenario,
    timeout: Duration,
    hostile: Vec<Vec<u8>>,
    out: Vec<u8>,
}

impl Caller {
    pub(super) fn new(url: &str, address: SocketAddr, scenario: Scenario, timeout: Duration) -> Self {
        let mut setup = Setup::new(url);
        setup.unknown_applications = Unknown::Accept;
        setup.unknown_functions = Unknown::Accept;
        Self { setup, address, scenario, timeout, hostile: hostile_values(), out: Vec::new() }
    }

    pub(super) fn call(&mut self, number: usize, report: &mut Report) {
        report.calls += 1;
        let began = Instant::now();
        match self.converse(number, report) {
            Ok(()) => {
                let _ = report.whole.record(micros(began.elapsed()));
            }
            Err(error) => report.fail(match error.kind() {
                ErrorKind::ConnectionRefused => Kind::Refused,
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Kind::Unanswered,
                ErrorKind::InvalidData => Kind::Crossed,
                _ => Kind::Reset,
            }),
        }
    }

    fn converse(&mut self, number: usize, report: &mut Report) -> io::Result<()> {
        let mut stream = TcpStream::connect_timeout(&self.address, self.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        let mut setup = self.setup.clone();
        if self.scenario == Scenario::Hostile {
            let value = &self.hostile[number % self.hostile.len()];
            // a forged environment is refused by good services, which is no call: so only values are hostile
            setup.variables.insert("NOTE".into(), value.clone().into());
            setup.account_code = BString::from(&b"caf\xe9 \xff"[..]);
        }
        let mut pbx = Pbx::new(setup);
        let mut now = Duration::ZERO;
        let mut buf = [0; 4096];
        let (mut commands, mut own) = (0, Duration::ZERO);
        let mut mark = Instant::now();
        loop {
            self.settle(&mut pbx, &mut now, commands, number);
            self.out.clear();
            while let Some(bytes) = pbx.poll_transmit() {
                let n = bytes.len();
                self.out.extend_from_slice(bytes);
                pbx.transmitted(n);
            }
            while let Some(event) = pbx.poll_event() {
                if let Event::Stopped(_) = event {
                    report.stopped += 1;
                }
            }
            own += mark.elapsed();
            // who has closed needs no last words
            if let Err(error) = self.write(&mut stream) {
                if pbx.status().is_none() {
                    return Err(error);
                }
            }
            if pbx.status().is_some() {
                break;
            }
            let asked = Instant::now();
            let read = stream.read(&mut buf)?;
            mark = Instant::now();
            now += mark - asked;
            if read == 0 {
                pbx.handle_eof(now);
                continue;
            }
            let lines = buf[..read].iter().filter(|&&byte| byte == b'\n').count();
            if lines > 1 {
                return Err(ErrorKind::InvalidData.into());
            }
            commands += lines;
            report.command(&buf[..read], micros(mark - asked));
            pbx.handle_input(&buf[..read], now);
        }
        report.own += own;
        Ok(())
    }

    /// Lets the command that runs come to its end.
    fn settle(&self, pbx: &mut Pbx, now: &mut Duration, commands: usize, number: usize) {
        if self.scenario == Scenario::Hangup && commands > number % 8 {
            pbx.hang_up(*now);
        }
        while pbx.is_busy() {
            if self.scenario == Scenario::Ivr && pbx.listens() {
                for key in KEYS.chars() {
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

    fn write(&self, stream: &mut TcpStream) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        match self.scenario {
            Scenario::Slow => {
                let (first, second) = self.out.split_at(self.out.len() / 2);
                stream.write_all(first)?;
                thread::sleep(SLOW);
                stream.write_all(second)
            }
            Scenario::Hostile => self.out.chunks(1).try_for_each(|byte| stream.write_all(byte)),
            _ => stream.write_all(&self.out),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

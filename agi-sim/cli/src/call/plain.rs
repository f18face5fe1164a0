//! The call as lines, where there is no terminal, or none is wanted.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::line::{Input, Line};
use super::phone::{Leaves, Phone};

/// How long a caller takes to press a key that a command waits for.
const REACTION: Duration = Duration::from_millis(200);
const COMMA: Duration = Duration::from_secs(1);
/// Nothing is due so soon.
const IDLE: Duration = Duration::from_secs(3600);

pub(super) fn run(phone: &mut Phone, mut line: Line, inputs: Receiver<Input>) -> io::Result<()> {
    read_keys(&line);
    let began = Instant::now();
    let mut typed = Typed::default();
    let mut leaves: Option<Leaves> = None;
    let mut shown = 0;
    loop {
        let out = phone.turn(began.elapsed());
        show(phone, &mut shown)?;
        if let Err(error) = line.write(&out) {
            phone.end(Some(error));
        }
        if phone.is_over() || leaves.is_some_and(|leaves| leaves.is_late(began.elapsed())) {
            phone.turn(began.elapsed());
            return show(phone, &mut shown);
        }
        if typed.turn(phone) {
            continue;
        }
        let due = [phone.due(), typed.due, leaves.map(Leaves::until)].into_iter().flatten().min();
        let wait = due.map_or(IDLE, |due| due.saturating_sub(began.elapsed()));
        let input = inputs.recv_timeout(wait);
        phone.pass(began.elapsed());
        match input {
            Ok(Input::Bytes(bytes)) => phone.bytes(&bytes),
            Ok(Input::End(why)) => phone.end(why),
            Ok(Input::Typed(key)) => typed.keys.push_back(key),
            Ok(Input::Interrupt) => {
                phone.hang_up();
                leaves = Some(Leaves::again(leaves, began.elapsed()));
            }
            Ok(Input::Terminal(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => phone.end(Some("nothing more can come")),
        }
    }
}

/// Keys that were typed and not pressed yet.
#[derive(Default)]
struct Typed {
    keys: VecDeque<char>,
    due: Option<Duration>,
}

impl Typed {
    /// Presses what can be pressed. `true`: something was done.
    fn turn(&mut self, phone: &mut Phone) -> bool {
        let Some(&key) = self.keys.front() else { return false };
        let after = match key {
            ',' => COMMA,
            'h' => Duration::ZERO,
            _ if phone.takes(key) => REACTION,
            _ => {
                self.due = None;
                return false;
            }
        };
        if *self.due.get_or_insert(phone.now + after) > phone.now {
            return false;
        }
        self.due = None;
        self.keys.pop_front();
        match key {
            ',' => {}
            'h' => phone.hang_up(),
            _ => phone.press(key),
        }
        true
    }
}

/// What is no key is passed over; at the end nothing more is pressed.
fn read_keys(line: &Line) {
    let inputs = line.inputs();
    thread::spawn(move || {
        for byte in io::stdin().lock().bytes().map_while(Result::ok) {
            let key = char::from(byte);
            if "0123456789*#ABCD,h".contains(key) && inputs.send(Input::Typed(key)).is_err() {
                break;
            }
        }
    });
}

fn show(phone: &Phone, shown: &mut usize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (time, text) in phone.transcript().lines().skip(*shown) {
        writeln!(out, "{:>9.3}s  {text}", time.as_secs_f64())?;
        *shown += 1;
    }
    out.flush()
}

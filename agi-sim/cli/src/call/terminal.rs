//! The call on a screen: what keys do, and when it is drawn.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::line::{Input, Line};
use super::phone::{Leaves, Phone};
use super::screen::{self, View};

/// How often what moves is drawn.
const FRAME: Duration = Duration::from_millis(100);
pub(super) fn run(phone: &mut Phone, line: Line, inputs: Receiver<Input>) -> io::Result<()> {
    // it puts the terminal back when anything panics
    let mut terminal = ratatui::try_init()?;
    let done = converse(phone, line, inputs, &mut terminal);
    ratatui::restore();
    done
}

fn converse(
    phone: &mut Phone,
    mut line: Line,
    inputs: Receiver<Input>,
    terminal: &mut ratatui::DefaultTerminal,
) -> io::Result<()> {
    read_keys(&line);
    let began = Instant::now();
    let mut view = View::default();
    loop {
        let out = phone.turn(began.elapsed());
        if let Err(error) = line.write(&out) {
            phone.end(Some(error));
        }
        terminal.draw(|frame| screen::draw(frame, phone, &mut view))?;
        if view.leaves.is_some_and(|leaves| phone.is_over() || leaves.is_late(began.elapsed())) {
            return Ok(());
        }
        let due = phone.due().map_or(FRAME, |due| due.saturating_sub(began.elapsed()));
        let input = inputs.recv_timeout(due.min(FRAME));
        phone.pass(began.elapsed());
        match input {
            Ok(Input::Bytes(bytes)) => phone.bytes(&bytes),
            Ok(Input::End(why)) => phone.end(why),
            Ok(Input::Terminal(Event::Key(key))) if key.kind != KeyEventKind::Release => {
                if on_key(phone, &mut view, key) {
                    leave(phone, &mut view, began.elapsed());
                }
            }
            Ok(Input::Interrupt) => leave(phone, &mut view, began.elapsed()),
            Ok(Input::Terminal(_) | Input::Typed(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => phone.end(Some("nothing more can come")),
        }
    }
}

fn leave(phone: &mut Phone, view: &mut View, now: Duration) {
    phone.hang_up();
    view.leaves = Some(Leaves::again(view.leaves, now));
}

/// Does what a key says. `true`: the caller leaves.
fn on_key(phone: &mut Phone, view: &mut View, key: KeyEvent) -> bool {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return key.code == KeyCode::Char('c');
    }
    if let Some(text) = &mut view.typing {
        match key.code {
            KeyCode::Char(letter) => text.push(letter),
            KeyCode::Backspace => {
                text.pop();
            }
            KeyCode::Esc => view.typing = None,
            KeyCode::Enter => {
                let text = std::mem::take(text);
                view.typing = None;
                phone.text(&text);
            }
            _ => {}
        }
        return false;
    }
    match key.code {
        KeyCode::Char(digit @ ('0'..='9' | '*' | '#' | 'A'..='D')) => phone.press(digit),
        KeyCode::Char('h') => phone.hang_up(),
        KeyCode::Char('t') => view.typing = Some(String::new()),
        KeyCode::Char('d') => view.dialogue = !view.dialogue,
        KeyCode::Char('v') => view.variables = !view.variables,
        KeyCode::Up => view.back(1),
        KeyCode::Down => view.forth(1),
        KeyCode::PageUp => view.back(10),
        KeyCode::PageDown => view.forth(10),
        KeyCode::End => view.forth(usize::MAX),
        KeyCode::Char('q') => return true,
        _ => {}
    }
    false
}

fn read_keys(line: &Line) {
    let inputs = line.inputs();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if inputs.send(Input::Terminal(event)).is_err() {
                break;
            }
        }
    });
}

//! The screen at the sizes that terminals have.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use agi_sim::Setup;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;

use super::*;

const SIZES: [(u16, u16); 3] = [(80, 24), (200, 50), (40, 24)];
const KEYS: [&str; 7] =
    ["0-9*#A-D press", "h hang up", "t text", "d dialogue", "v variables", "↑ ↓ scroll", "q quit"];

fn phone() -> Phone {
    let mut setup = Setup::new("agi://localhost/pin?lang=en");
    setup.variables.insert("NOTE".into(), "line one\nline two".into());
    Phone::new(setup)
}

/// The screen as text, a line for each of its lines.
fn drawn((width, height): (u16, u16), phone: &Phone, view: &mut View) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, phone, view)).unwrap();
    let cells = terminal.backend().buffer().content();
    let row = |row: &[Cell]| row.iter().map(Cell::symbol).collect::<String>();
    cells.chunks(usize::from(width)).map(|cells| row(cells) + "\n").collect()
}

#[test]
fn what_plays_and_the_keys_are_there_at_every_size() {
    let mut phone = phone();
    phone.turn(Duration::ZERO);
    phone.bytes(b"GET DATA \"enter-pin\" 5000 4\n");
    phone.turn(Duration::from_millis(1500));
    for size in SIZES {
        let screen = drawn(size, &phone, &mut View::default());
        for text in KEYS.into_iter().chain(["GET DATA plays enter-pin", "1.5 of 3.0 s", "keys are heard"]) {
            assert!(screen.contains(text), "{text} at {size:?}:\n{screen}");
        }
    }
    phone.press('7');
    phone.turn(Duration::from_millis(1600));
    let screen = drawn(SIZES[0], &phone, &mut View::default());
    assert!(screen.contains("pressed: 7") && !screen.contains("plays"), "{screen}");
}

#[test]
fn long_lines_go_on_below_and_nothing_is_cut() {
    let mut phone = phone();
    phone.turn(Duration::ZERO);
    let text: String = (0..60).map(|number| format!("<{number:02}>")).collect();
    phone.bytes(format!("VERBOSE \"{text}\"\n").as_bytes());
    phone.turn(Duration::from_secs(1));
    for size in &SIZES[..2] {
        let mut view = View { dialogue: true, ..View::default() };
        let screen = drawn(*size, &phone, &mut view);
        let letters: String = screen.chars().filter(|letter| !"│ \n".contains(*letter)).collect();
        assert!(letters.contains(&format!("S>AVERBOSE\"{text}\"")), "{size:?}:\n{screen}");
    }
}

#[test]
fn variables_and_the_dialogue_come_on_demand() {
    let mut phone = phone();
    phone.turn(Duration::ZERO);
    phone.bytes(b"SET VARIABLE RESULT 42\n");
    phone.turn(Duration::from_secs(1));
    for size in SIZES {
        let mut view = View::default();
        let screen = drawn(size, &phone, &mut view);
        assert!(!screen.contains("RESULT") && !screen.contains("NOTE"), "{screen}");
        (view.dialogue, view.variables) = (true, true);
        let screen = drawn(size, &phone, &mut view);
        for text in ["RESULT=42", "NOTE=line one\\nline two", "S>A  SET VARIABLE RESULT 42"] {
            assert!(screen.contains(text), "{text} at {size:?}:\n{screen}");
        }
        view.back(1000);
        let screen = drawn(size, &phone, &mut view);
        assert!(screen.contains("agi_network: yes"), "the first line:\n{screen}");
    }
}

#[test]
fn the_end_is_told() {
    let mut phone = phone();
    phone.turn(Duration::ZERO);
    phone.hang_up();
    phone.turn(Duration::from_secs(1));
    let screen = drawn(SIZES[0], &phone, &mut View::default());
    assert!(screen.contains(" hung up  00:01") && !screen.contains("h hang up"), "{screen}");
    phone.end(None::<&str>);
    phone.turn(Duration::from_secs(2));
    let screen = drawn(SIZES[0], &phone, &mut View::default());
    assert!(screen.contains("over, AGISTATUS HANGUP") && screen.contains("q quit"), "{screen}");
}

#[test]
fn a_tiny_screen_is_no_crash() {
    let mut phone = phone();
    phone.turn(Duration::ZERO);
    phone.bytes(b"STREAM FILE x \"\"\n");
    phone.turn(Duration::from_secs(1));
    for size in [(1, 1), (3, 30), (30, 3), (12, 9)] {
        let mut view = View { variables: true, dialogue: true, ..View::default() };
        drawn(size, &phone, &mut view);
    }
}

//! GET DATA, WAIT FOR DIGIT and a menu.

use std::time::{Duration, Instant};

use agi_proto::Digit;
use agi_proto::commands::input::DigitWait;
use agi_proto::commands::menu::Prompt;
use agi_proto::commands::{GetData, WaitForDigit};
use agi_proto::reply::Digits;
use agi_tests::service::block_on;

use super::{EscapeDigits, Line, MS, TIME, failure};

fn digits(digits: &str, timed_out: bool) -> Digits {
    Digits { digits: digits.into(), timed_out }
}

#[test]
fn data_is_text() {
    let mut line = Line::new();
    assert_eq!(line.send(GetData::new("").timeout(100 * MS)).unwrap(), digits("", true));
    assert_eq!(line.send(GetData::new("beep").timeout(100 * MS)).unwrap(), digits("", true));
    let missing = line.send(GetData::new("no-such-file").timeout(100 * MS));
    assert_eq!(failure(missing), "200 result=-1");

    let wait = GetData::new("").timeout(TIME);
    assert_eq!(line.during(wait, |call| call.press("#")).unwrap(), digits("", false));
    assert_eq!(line.during(wait, |call| call.press("12#")).unwrap(), digits("12", false));
    assert_eq!(line.during(wait.max_digits(3), |call| call.press("*0A")).unwrap(), digits("*0A", false));
    assert_eq!(line.during(wait.max_digits(4), |call| call.press("0042")).unwrap(), digits("0042", false));
    assert_eq!(
        line.during(wait.max_digits(12), |call| call.press("012345678901")).unwrap(),
        digits("012345678901", false)
    );
    assert_eq!(
        line.during(wait.timeout(4000 * MS), |call| call.press("12")).unwrap(),
        digits("12", true),
        "some, then time-out"
    );
    // the first digit ends the prompt, and counts
    let prompt = GetData::new("demo-congrats").max_digits(2);
    assert_eq!(line.during(prompt, |call| call.press("70")).unwrap(), digits("70", false));
    let for_ever = GetData::new("").timeout(None).max_digits(1);
    assert_eq!(line.during(for_ever, |call| call.press("D")).unwrap(), digits("D", false));
    line.end();
}

#[test]
fn data_waits_for_asterisks_own_time_when_not_told() {
    let mut line = Line::new();
    // 2 seconds behind a digit, where 6 would be those before the first one
    let mut pressed = Instant::now();
    let some = line.during(GetData::new(""), |call| {
        pressed = Instant::now();
        call.press("5");
    });
    assert_eq!(some.unwrap(), digits("5", true));
    assert!((2000..6000).contains(&pressed.elapsed().as_millis()), "{:?}", pressed.elapsed());
    line.end();
}

#[test]
fn one_digit() {
    let mut line = Line::new();
    assert_eq!(line.send(WaitForDigit::new(50 * MS)).unwrap(), DigitWait::TimedOut);
    assert_eq!(line.send(WaitForDigit::new(Duration::ZERO)).unwrap(), DigitWait::TimedOut);
    for digit in EscapeDigits::ANY.iter() {
        let waited = line.during(WaitForDigit::new(None), |call| call.press(&digit.to_string()));
        assert_eq!(waited.unwrap(), DigitWait::Digit(digit));
    }
    // as SendDTMF and the manager may write it
    let small = line.during(WaitForDigit::new(None), |call| call.press("d"));
    assert_eq!(small.unwrap().digit(), Digit::new('D'));
    for (control, code) in
        [("stop", 1000), ("pause", 1001), ("restart", 1002), ("reverse", 1003), ("forward", 1004)]
    {
        let waited = line.during(WaitForDigit::new(TIME), |call| {
            call.action("ControlPlayback", &[("Channel", &call.channel()), ("Control", control)]);
        });
        assert_eq!(waited.unwrap(), DigitWait::Control(code), "{control}");
        let data = line.during(GetData::new("").timeout(TIME).max_digits(2), |call| {
            call.action("ControlPlayback", &[("Channel", &call.channel()), ("Control", control)]);
            call.press("7");
        });
        assert_eq!(data.unwrap(), digits("7", false), "{control}");
    }
    line.end();
}

#[test]
fn a_menu_is_cut_short_anywhere() {
    let mut line = Line::new();
    let prompts = [Prompt::File("beep"), Prompt::Digits("1"), Prompt::Number(2)];
    let choice = |line: &mut Line, digits: &str, timeout| {
        block_on(line.channel.menu(&prompts, digits, timeout)).unwrap().map(Digit::as_char)
    };
    assert_eq!(choice(&mut line, "12", 50 * MS), None);
    for (during, count, key) in [("STREAM FILE", 2, "1"), ("SAY DIGITS", 2, "2"), ("WAIT FOR DIGIT", 2, "9")]
    {
        let (call, runtime) = (&line.call, &mut line.channel);
        let chosen = std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut left = count;
                let begins = |event: &super::Event| {
                    left -= usize::from(event.is("AGIExecStart") && event.get("Command").starts_with(during));
                    left == 0
                };
                call.wait_for(begins, TIME);
                call.press(key);
            });
            block_on(runtime.menu(&prompts, "12", TIME)).unwrap()
        });
        assert_eq!(chosen.map(|digit| digit.to_string()).as_deref(), Some(key), "{during}");
    }
    let missing = [Prompt::File("beep"), Prompt::File("no-such-file")];
    assert_eq!(failure(block_on(line.channel.menu(&missing, "", TIME))), "200 result=-1 endpos=0");
    line.end();
}

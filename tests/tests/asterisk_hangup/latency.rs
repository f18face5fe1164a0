//! How late Asterisk's second pieces are, with acknowledgements when the kernel likes and as the adapters do it.
//!
//! Asterisk leaves Nagle's algorithm on: what it writes second waits until what it wrote first is
//! acknowledged, and an acknowledgement that rides on nothing is delayed for 40 ms.

use agi_proto::RawCommand;
use agi_proto::commands::dialplan::GosubOutcome;
use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::{Exec, Gosub, Noop, WaitForDigit};
use agi_tests::asterisk::{Asterisk, Call, LiveCall, Version};
use agi_tests::script::{Blocking, HANG, Port, Script, Tape};
use agi_tests::service::{block_on, service};
use std::time::{Duration, Instant};

/// Measures once, with or without quick acknowledgements.
type Measure = fn(bool) -> Duration;

/// Measurements of each.
const TIMES: usize = 15;

/// What waits for no acknowledgement takes less, also on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(20);

/// How long one thing took, several times.
struct Figures(Vec<Duration>);

impl Figures {
    fn of(measure: impl FnMut() -> Duration) -> Self {
        let mut times: Vec<_> = std::iter::repeat_with(measure).take(TIMES).collect();
        times.sort();
        Self(times)
    }

    fn median(&self) -> Duration {
        self.0[self.0.len() / 2]
    }

    fn text(&self) -> String {
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
        format!("{} ms ({} to {})", ms(self.median()), ms(self.0[0]), ms(self.0[self.0.len() - 1]))
    }
}

fn call(quick: bool) -> (LiveCall, Blocking, Tape) {
    let tape = if quick { Tape::default() } else { Tape::of_late_acknowledgements() };
    let port = Port::open();
    let call = Asterisk::shared(Version::V22).call(&Call::to(port.url()));
    let script = port.accept::<Blocking>(&tape);
    (call, script, tape)
}

fn finish(call: LiveCall, script: Blocking) {
    script.close().unwrap();
    assert!(call.finish(HANG).complaints().is_empty());
}

/// From the manager's order to hang up to the event, with nothing going on.
fn idle(quick: bool) -> Duration {
    let (call, mut script, _) = call(quick);
    script.call(Noop::new()).unwrap();
    // by its name, so that the time does not include looking for that
    let channel = call.channel();
    let time = std::thread::scope(|scope| {
        let began = Instant::now();
        scope.spawn(|| call.action("Hangup", &[("Channel", &channel)]));
        assert!(script.wait_for_hangup(HANG));
        began.elapsed()
    });
    finish(call, script);
    time
}

/// From the reply of a command that the hangup ends to the `HANGUP` behind it.
fn behind_a_reply(quick: bool) -> Duration {
    let (call, mut script, tape) = call(quick);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            call.wait_command("EXEC");
            call.hang_up();
        });
        assert_eq!(script.call(Exec::new("Wait").arguments("60")).unwrap(), ExecOutcome::Returned(-1));
    });
    assert!(script.wait_for_hangup(HANG));
    finish(call, script);
    between(&tape, "200 result=-1", "HANGUP")
}

/// From `100 Trying` to the answer that follows it at once.
fn behind_trying(quick: bool) -> Duration {
    let (call, mut script, tape) = call(quick);
    assert_eq!(script.call(Gosub::new("subs", "plain", "1")).unwrap(), GosubOutcome::Complete);
    finish(call, script);
    between(&tape, "100 ", "200 result=0 Gosub")
}

/// From the first line of a 520 to its last.
fn usage(quick: bool) -> Duration {
    let (call, mut script, tape) = call(quick);
    script.call(RawCommand::new("STREAM FILE")).unwrap_err();
    finish(call, script);
    between(&tape, "520-", "520 End")
}

/// From giving up a command that answers to that, to the answer of the next.
fn behind_a_given_up_command(quick: bool) -> Duration {
    let (call, mut script, _) = call(quick);
    script.call_until(WaitForDigit::new(None), || drop(call.wait_command("WAIT FOR DIGIT")));
    let began = Instant::now();
    script.call(Noop::new()).unwrap();
    let time = began.elapsed();
    finish(call, script);
    time
}

fn between(tape: &Tape, first: &str, second: &str) -> Duration {
    let lines = tape.lines(0);
    let at = |start: &str| lines.iter().find(|(_, line)| line.starts_with(start)).unwrap().0;
    at(second) - at(first)
}

#[test]
fn nothing_waits_for_an_acknowledgement() {
    let rows: [(&str, Measure); 5] = [
        ("hangup to its event, idle", idle),
        ("reply to the `HANGUP` behind it", behind_a_reply),
        ("`100` to GOSUB's `200`", behind_trying),
        ("`520-` to the end of the usage", usage),
        ("a given up WAIT FOR DIGIT to the next answer", behind_a_given_up_command),
    ];
    for (name, measure) in rows {
        let [late, quick] = [false, true].map(|quick| Figures::of(|| measure(quick)));
        eprintln!("| {name} | {} | {} |", late.text(), quick.text());
        assert!(quick.median() < AT_ONCE, "{name}: {}", quick.text());
    }
}

/// The tokio server's channels as well; what goes over them cannot be recorded.
#[test]
fn nothing_waits_for_an_acknowledgement_over_the_tokio_server() {
    let (url, channels) = service(async |channel| channel);
    let (mut gosub, mut hangup) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let call = Asterisk::shared(Version::V22).call(&Call::to(&*url));
        let mut channel = channels.next();
        let began = Instant::now();
        assert_eq!(block_on(channel.gosub("subs", "plain", "1")).unwrap(), GosubOutcome::Complete);
        gosub.push(began.elapsed());
        let name = call.channel();
        let began = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| call.action("Hangup", &[("Channel", &name)]));
            block_on(channel.wait_for_hangup());
        });
        hangup.push(began.elapsed());
        block_on(channel.close()).unwrap();
        assert!(call.finish(HANG).complaints().is_empty());
    }
    for (name, times) in [("GOSUB", gosub), ("hangup to its event, idle", hangup)] {
        let mut times = times.into_iter();
        let figures = Figures::of(|| times.next().unwrap());
        eprintln!("tokio server: {name}: {}", figures.text());
        assert!(figures.median() < AT_ONCE, "{name}: {}", figures.text());
    }
}

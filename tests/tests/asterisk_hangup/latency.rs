//! How late Asterisk's second lines are, with and without quick acknowledgements.
//!
//! Asterisk leaves Nagle's algorithm on: what it writes second waits until what it wrote first is
//! acknowledged, and an acknowledgement that rides on nothing is delayed for 40 ms.

use agi_proto::Raw;
use agi_proto::commands::{Exec, Gosub};
use agi_tests::asterisk::{Asterisk, Call, LiveCall, Version};
use agi_tests::script::{HANG, Port, Script, Tape, Tokio};
use std::time::{Duration, Instant};

/// Measurements of each.
const TIMES: usize = 15;

/// How long one thing took: the median of the times.
struct Figures(Vec<Duration>);

impl Figures {
    fn median(&mut self) -> Duration {
        self.0.sort();
        self.0[self.0.len() / 2]
    }

    fn text(&mut self) -> String {
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
        let median = self.median();
        format!("{} ms ({} to {})", ms(median), ms(self.0[0]), ms(self.0[self.0.len() - 1]))
    }
}

fn call(quick: bool) -> (LiveCall, Tokio, Tape) {
    let tape = if quick { Tape::with_quick_ack() } else { Tape::default() };
    let port = Port::open();
    let call = Asterisk::shared(Version::V22).call(&Call::to(port.url()));
    let script = port.accept::<Tokio>(&tape);
    (call, script, tape)
}

fn finish(call: LiveCall, script: Tokio) {
    script.close().unwrap();
    assert!(call.finish(HANG).complaints().is_empty());
}

/// From the manager's order to hang up to the event, with nothing going on.
fn idle(quick: bool) -> Duration {
    let (call, mut script, _) = call(quick);
    script.call(Raw::new("NOOP")).unwrap();
    // by its name, so that the time does not include looking for that
    let channel = call.channel();
    let time = std::thread::scope(|scope| {
        let began = Instant::now();
        scope.spawn(|| call.action("Hangup", &[("Channel", &channel)]));
        assert!(script.hung_up(HANG));
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
        script.call(Exec::new("Wait").arguments("60")).unwrap();
    });
    assert!(script.hung_up(HANG));
    finish(call, script);
    between(&tape, "200 result=-1", "HANGUP")
}

/// From `100 Trying` to the answer that follows it at once.
fn behind_trying(quick: bool) -> Duration {
    let (call, mut script, tape) = call(quick);
    script.call(Gosub::new("subs", "plain", "1")).unwrap();
    finish(call, script);
    between(&tape, "100 ", "200 result=0 Gosub")
}

/// From the first line of a 520 to its last.
fn usage(quick: bool) -> Duration {
    let (call, mut script, tape) = call(quick);
    script.call(Raw::new("STREAM FILE")).unwrap_err();
    finish(call, script);
    between(&tape, "520-", "520 End")
}

fn between(tape: &Tape, first: &str, second: &str) -> Duration {
    let lines = tape.lines(0);
    let at = |start: &str| lines.iter().find(|(_, line)| line.starts_with(start)).unwrap().0;
    at(second) - at(first)
}

#[test]
fn quick_acknowledgements_save_40_ms() {
    let rows: [(&str, fn(bool) -> Duration); 4] = [
        ("hangup to its event, idle", idle),
        ("reply to the `HANGUP` behind it", behind_a_reply),
        ("`100` to GOSUB's `200`", behind_trying),
        ("`520-` to the end of the usage", usage),
    ];
    for (name, measure) in rows {
        let [mut plain, mut quick] =
            [false, true].map(|quick| Figures((0..TIMES).map(|_| measure(quick)).collect()));
        eprintln!("| {name} | {} | {} |", plain.text(), quick.text());
        assert!(quick.median() < Duration::from_millis(20), "{name}: {}", quick.text());
    }
}

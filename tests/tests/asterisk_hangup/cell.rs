//! One call of the matrix.

use super::Setting;
use super::scenario::{Pending, Scenario};
use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::{
    Answer, ControlStreamFile, Exec, GetData, GetOption, GetVariable, Gosub, Noop, ReceiveChar, ReceiveText,
    RecordFile, SayNumber, SetVariable, StreamFile, WaitForDigit,
};
use agi_proto::{EscapeDigits, Rejection};
use agi_tests::asterisk::{Asterisk, Call, LiveCall, Outcome};
use agi_tests::script::{Error, HANG, Port, Script, Tape};
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long nothing must arrive for it to count as nothing: this is the one thing here that only time can
/// tell. A `HANGUP` takes 45 ms at most.
const QUIET: Duration = Duration::from_millis(250);

const NONE: EscapeDigits = EscapeDigits::NONE;

/// What was measured.
#[derive(Debug)]
pub struct Cell {
    /// What came from the hangup (or, if the script ended first, from there) to the end.
    pub wire: Vec<String>,
    /// `hangup`, `end` or `nothing`.
    pub told: &'static str,
    /// The bytes of the pending command's last reply, and what its call gave.
    pub reply: Option<(String, String)>,
    /// `AGISTATUS`.
    pub status: String,
    /// Where the dialplan goes on.
    pub goes_on: String,
}

/// A call under way.
struct Run<'a, S> {
    script: S,
    call: LiveCall,
    tape: &'a Tape,
    values: Vec<String>,
    asked: usize,
    /// Whether Asterisk closes at the hangup.
    closes: bool,
    /// Whether Asterisk tells the hangup.
    tells: bool,
}

/// Asks for one distinct value after the other.
struct Asker<'a, S> {
    script: &'a mut S,
    values: &'a [String],
    asked: usize,
}

impl<S: Script> Asker<'_, S> {
    fn ask(&mut self) -> Result<(), Error> {
        self.asked += 1;
        let index = self.asked % self.values.len();
        let value = self.script.call(GetVariable::new(&format!("V{index}")))?;
        assert_eq!(value.expect("it is set"), self.values[index], "an answer of another command");
        Ok(())
    }
}

impl Cell {
    /// Places the call and sees what happens.
    pub fn run<S: Script>(asterisk: &Asterisk, setting: Setting, class: &str, scenario: Scenario) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let (port, tape) = (Port::open(), Tape::default());
        let values: Vec<_> = (0..3).map(|index| format!("value {index} of cell {number}")).collect();
        let mut call = Call::to(port.url()).report("AFTER");
        for (index, value) in values.iter().enumerate() {
            call = call.preset(&format!("V{index}"), value.as_bytes());
        }
        if let Some(sighup) = setting.sighup {
            call = call.sighup(sighup);
        }
        if let Some(exit) = setting.exit {
            call = call.exit_on_hangup(exit);
        }
        let call = asterisk.call(&call);
        let script = port.accept::<S>(&tape);
        let (closes, tells) = (class.ends_with('X'), class.starts_with('D'));
        let mut run = Run { script, call, tape: &tape, values, asked: 0, closes, tells };
        run.ask();
        match scenario {
            Scenario::Idle => run.idle(LiveCall::hang_up),
            Scenario::IdleFar => run.idle(LiveCall::hang_up_far),
            Scenario::Polled => run.polled(),
            Scenario::Redirected => run.idle(|call| {
                let place = [("Context", "elsewhere"), ("Exten", "there"), ("Priority", "1")];
                call.action("Redirect", &[&[("Channel", &*call.channel())][..], &place].concat());
            }),
            Scenario::Pending(pending) => run.pending(pending, number),
            Scenario::Busy => run.busy(),
            Scenario::Commands => run.commands(),
            Scenario::End => run.end(|_| {}),
            Scenario::EndDropped => run.end(|run| run.drop_exec("3")),
            Scenario::EndDroppedPrompt => run.end(|run| {
                let call = &run.call;
                let seen = || drop(call.wait_command("STREAM FILE"));
                run.script.call_until(StreamFile::new("demo-congrats", NONE), seen);
            }),
            Scenario::EndUnread => run.end(|run| {
                run.script.send_and_drop(GetVariable::new("V0"));
                // the first was asked for at the beginning
                let mut count = 0;
                run.call.wait_for(
                    |event| {
                        let ended =
                            event.is("AGIExecEnd") && event.get("Command").starts_with("GET VARIABLE");
                        count += usize::from(ended);
                        count == 2
                    },
                    HANG,
                );
            }),
            Scenario::EndHungUp => run.end(|run| {
                run.drop_exec("60");
                run.call.hang_up();
            }),
        }
    }
}

impl<S: Script> Run<'_, S> {
    /// Asks for the next of some distinct values, and sees that it comes.
    fn ask(&mut self) {
        self.try_ask().expect("an answer");
    }

    fn try_ask(&mut self) -> Result<(), Error> {
        self.asked += 1;
        Asker { script: &mut self.script, values: &self.values, asked: self.asked }.ask()
    }

    /// Whether a hangup or an end is told, when there was one.
    fn told(&mut self) -> &'static str {
        let wait = if self.tells || self.closes { HANG } else { QUIET };
        let heard = self.script.wait_for_hangup(wait);
        assert_eq!(heard, self.script.is_hung_up() || self.script.is_closed());
        match (self.script.is_hung_up(), self.script.is_closed()) {
            (true, _) => "hangup",
            (false, true) => "end",
            (false, false) => "nothing",
        }
    }

    /// A channel that is hung up, told or not, still takes commands.
    fn still_works(&mut self) {
        if self.closes {
            return;
        }
        self.ask();
        let error = self.script.call(Answer::new()).expect_err("the channel is dead");
        assert!(error.is_hangup(), "{error:?}");
        assert!(self.script.is_hung_up());
        self.ask();
    }

    /// Ends the conversation and sees what became of the call. The bytes of what is between the marks are
    /// left out.
    fn finish(self, told: &'static str, marks: [usize; 3], reply: Option<(String, String)>) -> Cell {
        self.script.close().expect("Asterisk closes in time");
        let outcome = self.call.finish(HANG);
        let [from, pause, go_on] = marks;
        let mut wire = self.tape.words(from..pause);
        wire.extend(self.tape.words(go_on..));
        if self.closes && told != "nothing" {
            // it closed by itself; that we end as well may have come before we read that
            wire.retain(|word| word != ">");
        }
        // an end shows again in whatever is tried next
        if let Some(end) = wire.iter().position(|word| word == "EOF" || word == "RST") {
            wire.truncate(end + 1);
        }
        check_log(&outcome);
        Cell {
            wire,
            told,
            reply,
            status: outcome.agi_status,
            goes_on: format!("{:?}", outcome.where_).to_lowercase(),
        }
    }

    fn idle(mut self, hang_up: impl FnOnce(&LiveCall)) -> Cell {
        let from = self.tape.mark();
        hang_up(&self.call);
        let told = self.told();
        let pause = self.tape.mark();
        self.still_works();
        let go_on = self.tape.mark();
        self.finish(told, [from, pause, go_on], None)
    }

    fn polled(mut self) -> Cell {
        let from = self.tape.mark();
        self.call.hang_up();
        // by the first question Asterisk's loop has seen it
        assert!(self.script.wait_for_hangup_polling(2 * QUIET, HANG));
        let told = if self.script.is_hung_up() { "hangup" } else { "end" };
        let mark = self.tape.mark();
        self.finish(told, [from, mark, mark], None)
    }

    fn pending(mut self, pending: Pending, number: usize) -> Cell {
        let from = self.tape.mark();
        let gives = std::thread::scope(|scope| {
            let call = &self.call;
            scope.spawn(move || {
                call.wait_command(pending.start());
                call.hang_up();
            });
            let script = &mut self.script;
            match pending {
                Pending::StreamFile => gives(script.call(StreamFile::new("demo-congrats", NONE))),
                Pending::ControlStreamFile => {
                    gives(script.call(ControlStreamFile::new("demo-congrats", NONE)))
                }
                Pending::WaitForDigit => gives(script.call(WaitForDigit::new(None))),
                Pending::GetData => gives(script.call(GetData::new("").timeout(None))),
                Pending::GetOption => {
                    gives(script.call(GetOption::new("demo-congrats", NONE, Duration::from_secs(60))))
                }
                Pending::SayNumber => gives(script.call(SayNumber::new(777_777_777, NONE))),
                Pending::RecordFile => {
                    let (file, format) = (format!("matrix-{}-{number}", S::ADAPTER), "wav");
                    let command = RecordFile::new(&file, format, NONE, None);
                    gives(script.call(command).map(|recorded| recorded.end))
                }
                Pending::ReceiveChar => gives(script.call(ReceiveChar::new(None))),
                Pending::ReceiveText => gives(script.call(ReceiveText::new(None))),
                Pending::ExecWait => gives(script.call(Exec::new("Wait").arguments("60"))),
                Pending::ExecDial => gives(script.call(Exec::new("Dial").arguments("Local/wait@far/n"))),
                Pending::Gosub => gives(script.call(Gosub::new("subs", "forever", "1"))),
            }
        });
        // the last reply but those to what the session asks by itself
        let lines = self.tape.lines(from);
        let reply = lines.iter().rfind(|(_, line)| line.starts_with("200")).expect("a reply").1.clone();
        let told = self.told();
        let pause = self.tape.mark();
        self.still_works();
        let go_on = self.tape.mark();
        self.finish(told, [from, pause, go_on], Some((without_position(&reply), gives)))
    }

    fn busy(mut self) -> Cell {
        let from = self.tape.mark();
        let over = AtomicBool::new(false);
        let call = &self.call;
        let mut asker = Asker { script: &mut self.script, values: &self.values, asked: self.asked };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                call.hang_up();
                over.store(true, Ordering::Release);
            });
            let mut more = 20;
            while more > 0 && !asker.script.is_hung_up() && !asker.script.is_closed() {
                if let Err(error) = asker.ask() {
                    assert!(error.is_hangup() && self.closes, "{error:?}");
                    break;
                }
                more -= usize::from(over.load(Ordering::Acquire));
            }
        });
        let told = self.told();
        let pause = self.tape.mark();
        self.still_works();
        let go_on = self.tape.mark();
        self.finish(told, [from, pause, go_on], None)
    }

    fn commands(mut self) -> Cell {
        let from = self.tape.mark();
        self.call.hang_up();
        if self.tells || self.closes {
            assert!(self.script.wait_for_hangup(HANG));
        }
        let noop = self.script.call(Noop::new());
        let value = self.try_ask();
        let set = self.script.call(SetVariable::new("AFTER", "the hangup"));
        let answer = self.script.call(Answer::new());
        let play = self.script.call(StreamFile::new("demo-congrats", NONE));
        let exec = self.script.call(Exec::new("Wait").arguments("0.05"));
        if self.closes {
            let over = [noop.err(), value.err(), set.err(), answer.err(), play.err(), exec.err()];
            for error in over {
                assert!(error.as_ref().is_some_and(Error::is_hangup), "{error:?}");
            }
        } else {
            noop.unwrap();
            value.unwrap();
            set.unwrap();
            for error in [answer.err(), play.err()] {
                let dead =
                    matches!(error, Some(Error::Rejected(Rejection::DeadChannel { hung_up: true, .. })));
                assert!(dead && error.is_some_and(|error| error.is_hangup()));
            }
            assert!(matches!(exec.unwrap(), ExecOutcome::Returned(_)));
            self.ask();
        }
        let told = self.told();
        let mark = self.tape.mark();
        self.finish(told, [from, mark, mark], None)
    }

    fn end(mut self, before: impl FnOnce(&mut Self)) -> Cell {
        let from = self.tape.mark();
        before(&mut self);
        let mark = self.tape.mark();
        let told = if self.script.is_hung_up() { "hangup" } else { "nothing" };
        self.finish(told, [from, mark, mark], None)
    }

    fn drop_exec(&mut self, seconds: &str) {
        let call = &self.call;
        let seen = || drop(call.wait_command("EXEC"));
        self.script.call_until(Exec::new("Wait").arguments(seconds), seen);
    }
}

/// What a call gave, in the guide's words.
fn gives<T: Debug>(result: Result<T, Error>) -> String {
    match result {
        Ok(value) => format!("`{value:?}`"),
        Err(error) if error.is_hangup() => "`is_hangup()`".into(),
        Err(error) => format!("{error:?}"),
    }
}

/// A reply without its position in the file.
fn without_position(reply: &str) -> String {
    match reply.split_once("endpos=") {
        Some((start, position)) if position.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{start}endpos=N")
        }
        _ => reply.into(),
    }
}

fn check_log(outcome: &Outcome) {
    assert!(outcome.complaints().is_empty(), "{:?}", outcome.complaints());
}

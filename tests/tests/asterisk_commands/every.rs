//! All 47 commands by their methods, on a live channel and on a dead one.
//!
//! What cannot be provoked on the Asterisk of these tests:
//!
//! | command | answer | why not |
//! |---|---|---|
//! | `ANSWER`, `SEND TEXT` | -1, not hung up | a Local channel can always be answered and takes text |
//! | `SEND IMAGE`, `SEND TEXT` | -1, hung up | takes no time, so that nobody can hang up while it runs |
//! | `CHANNEL STATUS` | 0 to 3, 5, 7 to 9 | a channel that runs AGI is ringing or up; the others belong to hardware |
//! | `DATABASE GET`; `DATABASE PUT`, `DEL` | -1; 0 | no memory; a database that cannot be written |
//! | `EXEC` | 1, and a 520 block behind it | no application of this installation returns 1 |
//! | `GET OPTION` | hung up in the wait | no event tells when the prompt is over and the wait begins |
//! | `GOSUB` | 503, `Gosub failed` | no memory |
//! | `HANGUP`, `SET ...`, `NOOP`, `VERBOSE` | failure | there is none |
//! | `RECEIVE CHAR` | 0 | the manager and the dialplan send no empty text |
//! | `RECORD FILE` | `(waitfor)`, bare -1 | a channel whose descriptors fail, or that cannot be listened to in slin |
//! | `SPEECH ...` | 1 | needs an engine, a module that is none of Asterisk's own |
//! | `TDD MODE` | 1 | needs an analogue line |
//! | `WAIT FOR DIGIT` | 1 (a new command came) | that one is dropped and never handed out, see `playback.rs` |
//! | all | 510 | all modules are loaded that have commands |

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use agi_proto::Rejection;
use agi_proto::commands::channel::{ChannelState, Music, Tdd};
use agi_proto::commands::dialplan::GosubOutcome;
use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::input::DigitWait;
use agi_proto::commands::record::RecordEnd;
use agi_proto::commands::speech::Recognition;
use agi_proto::commands::{ALL, Hangup};
use agi_proto::reply::PlaybackEnd;
use agi_tests::asterisk::{Outcome, Where};
use agi_tests::service::block_on;
use agi_tokio::{Channel, Error};

use super::{Line, MS};

/// A command: its name, and its method with what it is to give.
struct Row {
    name: &'static str,
    run: for<'a> fn(&'a mut Channel) -> Reply<'a>,
}

type Reply<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

macro_rules! rows {
    ($($name:literal: $method:ident($($argument:expr),*) => $pattern:pat $(if $guard:expr)?,)*) => {
        &[$(Row {
            name: $name,
            run: |channel| Box::pin(async move {
                let reply = channel.$method($($argument),*).await?;
                #[allow(unreachable_patterns, reason = "some have but one reply")]
                match &reply {
                    $pattern $(if $guard)? => Ok(()),
                    _ => panic!(concat!($name, ": {:?}"), reply),
                }
            }),
        },)*]
    };
}

const ROWS: &[Row] = rows! {
    "ANSWER": answer() => (),
    "ASYNCAGI BREAK": async_agi_break() => (),
    "CHANNEL STATUS": channel_status() => Some(ChannelState::Up),
    "CONTROL STREAM FILE": control_stream_file("beep", "")
        => playback if playback.ended == PlaybackEnd::Complete && playback.position.is_none(),
    "DATABASE DEL": database_del("every", "key") => (),
    "DATABASE DELTREE": database_del_tree("every-nothing") => false,
    "DATABASE GET": database_get("every-nothing", "key") => None,
    "DATABASE PUT": database_put("every", "key", "value") => (),
    "EXEC": exec("NoOp", "a, b") => ExecOutcome::Returned(0),
    "GET DATA": get_data("", 20 * MS, 1) => digits if digits.digits.is_empty() && digits.timed_out,
    "GET FULL VARIABLE": get_full_variable("${GREETING} $[1 + 2]") => Some(value) if value == "hello 3",
    "GET OPTION": get_option("beep", "1", 20 * MS)
        => playback if playback.ended == PlaybackEnd::Complete && playback.samples == Some(3520),
    "GET VARIABLE": get_variable("GREETING") => Some(value) if value == "hello",
    "GOSUB": gosub("subs", "value", "1") => GosubOutcome::Complete,
    "HANGUP": hangup() => true,
    "NOOP": noop() => (),
    "RECEIVE CHAR": receive_char(20 * MS) => None,
    "RECEIVE TEXT": receive_text(20 * MS) => None,
    "RECORD FILE": record_file("every-command", "wav", "#", 100 * MS)
        => recorded if recorded.end == RecordEnd::TimedOut && recorded.samples.is_some(),
    "SAY ALPHA": say_alpha("a", "") => PlaybackEnd::Complete,
    "SAY DATE": say_date(0, "") => PlaybackEnd::Complete,
    "SAY DATETIME": say_date_time(0, "") => PlaybackEnd::Complete,
    "SAY DIGITS": say_digits("1", "") => PlaybackEnd::Complete,
    "SAY NUMBER": say_number(-1, "") => PlaybackEnd::Complete,
    "SAY PHONETIC": say_phonetic("a", "") => PlaybackEnd::Complete,
    "SAY TIME": say_time(0, "") => PlaybackEnd::Complete,
    "SEND IMAGE": send_image("beep") => (),
    "SEND TEXT": send_text("hello, you") => (),
    "SET AUTOHANGUP": set_autohangup(Duration::from_secs(600)) => (),
    "SET CALLERID": set_caller_id("Ann \"the\" Lee", "100") => (),
    "SET CONTEXT": set_context("agi") => (),
    "SET EXTENSION": set_extension("run") => (),
    "SET MUSIC": set_music(Music::Off) => (),
    "SET PRIORITY": set_priority("after") => (),
    "SET VARIABLE": set_variable("NAME", "value") => (),
    "SPEECH ACTIVATE GRAMMAR": speech_activate_grammar("answers") => false,
    "SPEECH CREATE": speech_create() => false,
    "SPEECH DEACTIVATE GRAMMAR": speech_deactivate_grammar("answers") => false,
    "SPEECH DESTROY": speech_destroy() => false,
    "SPEECH LOAD GRAMMAR": speech_load_grammar("answers", "/tmp/answers") => false,
    "SPEECH RECOGNIZE": speech_recognize("beep", Duration::from_secs(1)) => Recognition::Nothing,
    "SPEECH SET": speech_set("sensitivity", "1") => false,
    "SPEECH UNLOAD GRAMMAR": speech_unload_grammar("answers") => false,
    "STREAM FILE": stream_file("beep", "")
        => playback if playback.ended == PlaybackEnd::Complete && playback.samples == Some(3520),
    "TDD MODE": tdd_mode(Tdd::On) => false,
    "VERBOSE": verbose("hello") => (),
    "WAIT FOR DIGIT": wait_for_digit(20 * MS) => DigitWait::TimedOut,
};

#[test]
fn every_command_is_in_the_table() {
    let names = ROWS.iter().map(|row| row.name);
    assert!(names.eq(ALL.iter().map(|info| info.name)), "one row each, in the order of the library's list");
}

const CALLS: usize = 4;

/// On live channels, four at once as some take their time. Asterisk's own events tell what it ran.
#[test]
fn every_command_runs() {
    let outcomes = std::thread::scope(|scope| {
        let calls = [0, 1, 2, 3].map(|first| scope.spawn(move || run_some(first)));
        calls.map(|call| call.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    assert_eq!(outcomes.iter().flat_map(|outcome| answered(outcome, "200")).collect::<BTreeSet<_>>(), all());
    for refused in ["510", "511", "520"] {
        assert!(outcomes.iter().all(|outcome| answered(outcome, refused).is_empty()));
    }
}

fn run_some(first: usize) -> Outcome {
    let mut line = Line::with(|call| call.preset("GREETING", "hello"));
    let rows = ROWS.iter().skip(first).step_by(CALLS);
    // the one that ends the call comes last
    let (last, rows): (Vec<_>, Vec<_>) = rows.partition(|row| row.name == "HANGUP");
    for row in rows.into_iter().chain(last) {
        block_on((row.run)(&mut line.channel)).unwrap_or_else(|error| panic!("{}: {error}", row.name));
    }
    line.end()
}

/// On a dead channel 13 give the same, and all others are refused.
#[test]
fn every_command_runs_dead_or_is_refused() {
    let mut line = Line::with(|call| call.preset("GREETING", "hello"));
    assert!(line.send(Hangup::new()).unwrap());
    for (row, info) in ROWS.iter().zip(ALL) {
        match block_on((row.run)(&mut line.channel)) {
            Ok(()) => assert!(info.on_dead_channel, "{} ran on a dead channel", row.name),
            Err(error) => {
                let rejected = matches!(error, Error::Rejected(Rejection::DeadChannel { .. }));
                assert!(rejected && error.is_hangup(), "{}: {error:?}", row.name);
                assert!(!info.on_dead_channel, "{} was refused: {error}", row.name);
            }
        }
    }
    assert!(line.channel.is_hung_up() && !line.channel.is_closed());
    let outcome = line.end();
    assert_eq!((outcome.where_, &*outcome.agi_status), (Where::H, "HANGUP"));
    let living = ALL.iter().filter(|info| !info.on_dead_channel).map(|info| info.name);
    assert_eq!(answered(&outcome, "511"), living.collect());
}

fn all() -> BTreeSet<&'static str> {
    ALL.iter().map(|info| info.name).collect()
}

/// The commands to which Asterisk says that it gave an answer with this status.
fn answered(outcome: &Outcome, status: &str) -> BTreeSet<&'static str> {
    let ends = outcome.events.iter().filter(|event| event.is("AGIExecEnd"));
    // a command that fails is answered by a 200 too
    let is = |code: &str| code == status || (code == "-1" && status == "200");
    let answered = ends.filter(|event| is(event.get("ResultCode"))).map(|event| {
        let command = event.get("Command");
        // no name begins another, save for names of which the longer one is meant
        let mut names = ALL.iter().map(|info| info.name).filter(|name| command.starts_with(name));
        names.next_back().unwrap_or_else(|| panic!("this is no command: {command:?}"))
    });
    answered.collect()
}

//! Commands during which the call is hung up.

use agi_proto::commands::dialplan::GosubOutcome;
use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::*;
use agi_tests::asterisk::{LiveCall, Where};
use agi_tokio::Command;

use super::{Error, Line, MS, TIME, TRIES, set};

/// The command ends with an error that is a hangup, whichever side hangs up and whatever the dialplan says
/// about telling.
fn is_a_hangup<C: Command + Copy + Sync>(command: C)
where
    C::Reply: std::fmt::Debug,
{
    let name = command.info().name;
    for (far, sighup) in [(false, "yes"), (true, "no")] {
        let mut line = Line::with(|call| call.sighup(sighup));
        let hang_up = if far { LiveCall::hang_up_far } else { LiveCall::hang_up };
        let error = line.during(command, hang_up).expect_err(name);
        assert!(error.is_hangup(), "{name}, AGISIGHUP={sighup}: {error:?}");
        assert!(matches!(error, Error::Reply(_)), "{name} was answered: {error:?}");
        assert!(line.channel.is_hung_up() && !line.channel.is_closed(), "{name}");
        assert!(line.send(Answer::new()).unwrap_err().is_hangup());
        line.send(SetVariable::new("AFTER", name)).unwrap();
        assert_eq!(line.send(GetVariable::new("AFTER")).unwrap().unwrap(), name);
        let outcome = line.end();
        assert_eq!((outcome.where_, &*outcome.agi_status), (Where::H, "HANGUP"), "{name}");
    }
}

#[test]
fn during_playback() {
    is_a_hangup(StreamFile::new("demo-congrats", set("1")));
    is_a_hangup(ControlStreamFile::new("demo-congrats", set("1")));
    is_a_hangup(GetData::new("demo-congrats"));
    is_a_hangup(GetOption::new("demo-congrats", set("1"), TIME));
}

#[test]
fn during_a_wait() {
    is_a_hangup(GetData::new("").timeout(TIME));
    is_a_hangup(WaitForDigit::new(None));
    is_a_hangup(ReceiveChar::new(None));
    is_a_hangup(ReceiveText::new(TIME));
}

#[test]
fn while_something_is_said() {
    is_a_hangup(SayAlpha::new("abcdefghijkl", set("1")));
    is_a_hangup(SayPhonetic::new("abcdefghijkl", set("1")));
    is_a_hangup(SayDigits::new("0123456789", set("1")));
    is_a_hangup(SayNumber::new(999_999_999, set("1")));
    is_a_hangup(SayDate::new(1_700_000_000, set("1")));
    is_a_hangup(SayTime::new(1_700_000_000, set("1")));
    is_a_hangup(SayDateTime::new(1_700_000_000, set("1")));
}

/// Asterisk waits for media half a second before it says that it has answered.
#[test]
fn while_the_call_is_answered() {
    // who hangs up too late does it again
    for _ in 0..TRIES {
        let mut line = Line::with(|call| call.called_leg(true).answer(false));
        let answered = line.during(Answer::new(), LiveCall::hang_up);
        assert!(line.send(Answer::new()).unwrap_err().is_hangup());
        line.finish();
        if let Err(error) = answered {
            assert!(error.is_hangup(), "{error:?}");
            return;
        }
    }
    panic!("it has always been answered before the hangup");
}

/// Of these the answer is a value, and the next command tells. RECORD FILE: see `record.rs`.
#[test]
fn during_the_dialplans_own() {
    for far in [false, true] {
        let hang_up = if far { LiveCall::hang_up_far } else { LiveCall::hang_up };
        let mut line = Line::new();
        let waited = line.during(Exec::new("Wait").arguments("600"), hang_up).unwrap();
        assert_eq!(waited, ExecOutcome::Returned(-1));
        assert!(line.send(Answer::new()).unwrap_err().is_hangup());
        line.end();
        let mut line = Line::new();
        let gone = line.during(Gosub::new("subs", "forever", "1"), hang_up).unwrap();
        assert_eq!(gone, GosubOutcome::Abnormal);
        assert!(line.send(Answer::new()).unwrap_err().is_hangup());
        line.end();
    }
    let mut line = Line::new();
    assert_eq!(line.send(Gosub::new("subs", "hangup", "1")).unwrap(), GosubOutcome::Abnormal);
    line.finish();
}

/// Where Asterisk closes at once, the answer still comes first.
#[test]
fn where_asterisk_closes_at_a_hangup() {
    for sighup in ["yes", "no"] {
        let mut line = Line::with(|call| call.exit_on_hangup("yes").sighup(sighup));
        let error = line.during(WaitForDigit::new(None), LiveCall::hang_up).unwrap_err();
        assert!(error.is_hangup(), "{error:?}");
        let error = line.send(Noop::new()).unwrap_err();
        assert!(error.is_hangup(), "{error:?}");
        assert_eq!(line.end().where_, Where::H);
    }
}

#[test]
fn after_a_time() {
    let mut line = Line::new();
    line.send(SetAutohangup::new(3000 * MS)).unwrap();
    line.send(SetAutohangup::new(None)).unwrap();
    let waited = line.send(WaitForDigit::new(4000 * MS)).unwrap();
    assert_eq!(waited.digit(), None, "it was taken back");
    line.send(SetAutohangup::new(200 * MS)).unwrap();
    let error = line.send(WaitForDigit::new(TIME)).unwrap_err();
    assert!(error.is_hangup(), "{error:?}");
    assert_eq!(line.end().where_, Where::H);
}

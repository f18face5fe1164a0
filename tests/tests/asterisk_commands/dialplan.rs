//! What steers the channel and the dialplan.

use agi_proto::RawCommand;
use agi_proto::commands::channel::{ChannelState, Music, Tdd};
use agi_proto::commands::dialplan::GosubOutcome;
use agi_proto::commands::exec::ExecOutcome;
use agi_proto::commands::speech::Recognition;
use agi_proto::commands::*;
use agi_tests::asterisk::Where;
use agi_tests::service::block_on;

use super::{Error, Line, MS, TIME, usage};

#[test]
fn a_ringing_channel_is_answered() {
    let mut line = Line::with(|call| call.called_leg(true).answer(false));
    let other = line.call.other_channel();
    assert_eq!(line.send(ChannelStatus::new()).unwrap(), Some(ChannelState::Ring));
    line.send(Answer::new()).unwrap();
    assert_eq!(line.send(ChannelStatus::new()).unwrap(), Some(ChannelState::Up));
    assert_eq!(line.send(ChannelStatus::new().channel(&other)).unwrap(), Some(ChannelState::Up));
    assert_eq!(line.send(ChannelStatus::new().channel("Local/none@far-1;1")).unwrap(), None);
    line.send(Answer::new()).unwrap();
    line.end();
}

#[test]
fn channels_are_hung_up_by_name() {
    let mut line = Line::new();
    assert!(!line.send(Hangup::new().channel("Local/none@far-1;1")).unwrap(), "there is none");
    assert_eq!(line.send(ChannelStatus::new()).unwrap(), Some(ChannelState::Up));
    let other = line.call.other_channel();
    assert!(line.send(Hangup::new().channel(&other)).unwrap());
    assert!(line.send(WaitForDigit::new(TIME)).unwrap_err().is_hangup());
    assert_eq!(line.end().where_, Where::H);
    let mut line = Line::new();
    let own = line.call.channel();
    assert!(line.send(Hangup::new().channel(&own)).unwrap());
    assert!(line.send(Answer::new()).unwrap_err().is_hangup());
    line.end();
}

#[test]
fn a_subroutine_ends_in_its_ways() {
    let mut line = Line::new();
    let value = |line: &mut Line| line.send(GetVariable::new("GOSUB_RETVAL")).unwrap().unwrap().to_string();
    assert_eq!(line.send(Gosub::new("subs", "value", "1")).unwrap(), GosubOutcome::Complete);
    assert_eq!(value(&mut line), "a value");
    assert_eq!(line.send(Gosub::new("subs", "plain", "1")).unwrap(), GosubOutcome::Complete);
    assert_eq!(value(&mut line), "");
    let echo = Gosub::new("subs", "echo", "1");
    assert_eq!(line.send(echo.arguments("one,two words,3")).unwrap(), GosubOutcome::Complete);
    assert_eq!(value(&mut line), "one|two words|3");
    assert_eq!(line.send(echo).unwrap(), GosubOutcome::Complete);
    assert_eq!(value(&mut line), "||");
    assert_eq!(line.send(Gosub::new("subs", "nested", "1")).unwrap(), GosubOutcome::Complete);
    assert_eq!(value(&mut line), "outer inner||");
    assert_eq!(line.send(Gosub::new("subs", "slow", "1")).unwrap(), GosubOutcome::Complete);
    assert_eq!(value(&mut line), "slow");
    for (context, extension, priority) in
        [("none", "s", "1"), ("subs", "none", "1"), ("subs", "echo", "99"), ("subs", "echo", "label")]
    {
        let missing = line.send(Gosub::new(context, extension, priority)).unwrap();
        assert_eq!(missing, GosubOutcome::NoSuchLabel);
    }
    // a number of more than 32 bits is taken for another one
    let wrapped = line.send(RawCommand::new("GOSUB subs value 4294967297")).unwrap();
    assert_eq!(wrapped.response().raw(), "200 result=0 Gosub complete");
    let refused = line.send(Gosub::new("subs", "value", "4294967297"));
    assert!(matches!(refused, Err(Error::Encode(_))), "{refused:?}");
    assert_eq!(line.send(Gosub::new("subs", "noreturn", "1")).unwrap(), GosubOutcome::Abnormal);
    line.send(Noop::new()).unwrap();
    line.finish();
}

#[test]
fn applications_run() {
    let mut line = Line::new();
    let status =
        |line: &mut Line, name: &str| line.send(GetVariable::new(name)).unwrap().unwrap().to_string();
    let ok = ExecOutcome::Returned(0);
    assert_eq!(line.send(Exec::new("NoOp")).unwrap(), ok);
    assert_eq!(line.send(Exec::new("Set").arguments("A=one, \"two\" ${B}")).unwrap(), ok);
    assert_eq!(status(&mut line, "A"), "one, \"two\" ${B}", "nothing is substituted");
    for arguments in [None, Some("x")] {
        let missing = Exec::new("NoSuchApplication");
        let missing = arguments.map_or(missing, |arguments| missing.arguments(arguments));
        assert_eq!(line.send(missing).unwrap(), ExecOutcome::NoSuchApplication);
    }
    assert_eq!(line.send(Exec::new("Playback").arguments("no-such-file")).unwrap(), ok);
    assert_eq!(status(&mut line, "PLAYBACKSTATUS"), "FAILED");
    assert_eq!(line.send(Exec::new("Dial").args(&["Local/busy@far/n", "10"])).unwrap(), ok);
    assert_eq!(status(&mut line, "DIALSTATUS"), "BUSY");
    // -1, with the channel up
    assert_eq!(line.send(Exec::new("Busy").arguments("1")).unwrap(), ExecOutcome::Returned(-1));
    assert_eq!(line.send(ChannelStatus::new()).unwrap(), Some(ChannelState::Up));
    line.send(SetVariable::new("AGIEXECFULL", "yes")).unwrap();
    assert_eq!(line.send(Exec::new("Set").arguments("A=${EXTEN}")).unwrap(), ok);
    assert_eq!(status(&mut line, "A"), "run", "substituted, as the channel says");
    line.finish();
}

#[test]
fn where_the_dialplan_goes_on() {
    let mut line = Line::new();
    line.send(SetContext::new("elsewhere")).unwrap();
    line.send(SetExtension::new("there")).unwrap();
    let missing = usage(line.send(SetPriority::new("no-such-label")));
    assert!(missing.contains("priority"), "{missing}");
    line.send(SetPriority::new("1")).unwrap();
    assert_eq!(line.end().where_, Where::Elsewhere);

    let mut line = Line::new();
    line.send(SetContext::new("agi")).unwrap();
    line.send(SetExtension::new("run")).unwrap();
    line.send(SetPriority::new("after")).unwrap();
    assert_eq!(line.end().where_, Where::Next);

    // nothing is checked, and the call ends where nothing is
    let mut line = Line::new();
    let long = "n".repeat(80);
    line.send(RawCommand::new(&format!("SET CONTEXT {long}"))).unwrap();
    assert_eq!(line.send(GetVariable::new("CONTEXT")).unwrap().unwrap(), long[..79], "it is cut");
    line.send(SetContext::new("no such context")).unwrap();
    line.send(SetExtension::new("no such extension")).unwrap();
    line.send(SetPriority::new("1")).unwrap();
    assert_eq!(line.finish().where_, Where::Unknown);
}

#[test]
fn the_caller_gets_another_name() {
    for (name, number) in [
        ("Ann Lee", "100"),
        ("Ann \"the\" Lee", "+49301"),
        ("back\\slash", ""),
        ("", "100"),
        ("<a, b>", "1"),
        ("Änn (日本)", "1"),
    ] {
        let mut line = Line::with(|call| {
            call.caller_id("before", "000").report("CALLERID(name)").report("CALLERID(num)")
        });
        block_on(line.channel.set_caller_id(name, number)).unwrap();
        for (part, value) in [("CALLERID(name)", name), ("CALLERID(num)", number)] {
            assert_eq!(block_on(line.channel.get_variable_exact(part)).unwrap(), value, "{name} <{number}>");
        }
        let outcome = line.end();
        assert_eq!(outcome.variables["CALLERID(name)"], name.as_bytes());
        assert_eq!(outcome.variables["CALLERID(num)"], number.as_bytes());
    }
    // Asterisk writes a number as it thinks fit
    let mut line = Line::new();
    for (number, shrunk) in [("+49 (30) 1-2.3", "+4930123"), ("anna-lee (2.b)", "annalee2b")] {
        line.send(SetCallerId::new(number)).unwrap();
        assert_eq!(line.send(GetVariable::new("CALLERID(num)")).unwrap().unwrap(), shrunk);
    }
    line.end();
    let mut line = Line::with(|call| call.caller_id("before", "000").report("CALLERID(all)"));
    line.send(SetCallerId::new("200")).unwrap();
    assert_eq!(line.end().variables["CALLERID(all)"], b"\"\" <200>");
}

#[test]
fn music_starts_and_stops() {
    let mut line = Line::new();
    for class in [None, Some("default"), Some("no-such-class")] {
        let music = SetMusic::new(Music::On);
        line.send(class.map_or(music, |class| music.class(class))).unwrap();
        if class != Some("no-such-class") {
            line.call.wait_for(|event| event.is("MusicOnHoldStart"), TIME);
        }
        line.send(SetMusic::new(Music::Off)).unwrap();
        line.call.wait_for(|event| event.is("MusicOnHoldStop"), TIME);
    }
    for mode in [Tdd::Off, Tdd::On, Tdd::Mate, Tdd::Tdd] {
        assert!(!line.send(TddMode::new(mode)).unwrap());
    }
    line.finish();
}

/// No engine: "no" to all, with every option.
#[test]
fn no_speech_is_recognized() {
    let mut line = Line::new();
    assert!(!line.send(SpeechCreate::new().engine("none")).unwrap());
    let listen = SpeechRecognize::new("beep", 100 * MS).offset(10);
    assert_eq!(line.send(listen).unwrap(), Recognition::Nothing);
    line.finish();
}

//! STREAM FILE, CONTROL STREAM FILE, GET OPTION and what is said.

use std::time::{Duration, Instant};

use agi_proto::commands::playback::ControlledPlayback;
use agi_proto::commands::say::Case;
use agi_proto::commands::*;
use agi_proto::reply::{Playback, PlaybackEnd};
use agi_tests::asterisk::{Asterisk, LiveCall, Version};
use agi_tests::service::block_on;
use agi_tokio::{Command, Error};

use super::{Line, MS, NONE, TIME, failure, pressed, set};

const S: Duration = Duration::from_secs(1);

#[test]
fn a_file_is_played() {
    let mut line = Line::new();
    let beep = StreamFile::new("beep", NONE);
    let whole = Playback { ended: PlaybackEnd::Complete, samples: Some(3520) };
    assert_eq!(line.send(beep).unwrap(), whole);
    assert_eq!(line.send(beep.offset(3000)).unwrap(), whole);
    let began = Instant::now();
    let long = StreamFile::new(sound("half-a-minute", 30 * S), NONE);
    let whole_long = Playback { ended: PlaybackEnd::Complete, samples: Some(240_000) };
    assert_eq!(line.send(long.offset(239_000)).unwrap(), whole_long);
    assert_eq!(line.send(long.offset(u32::MAX)).unwrap(), whole_long);
    assert!(began.elapsed() < 20 * S, "there is little left to play: {:?}", began.elapsed());
    assert_eq!(line.during(StreamFile::new("beep", set("1")), |call| call.press("9")).unwrap(), whole);
    for (digits, key) in [("123", '1'), ("#", '#'), ("*", '*'), ("ABCD", 'C')] {
        let stopped = line.during(StreamFile::new("demo-congrats", set(digits)), |call| press(call, key));
        let stopped = stopped.unwrap();
        assert_eq!(stopped.ended, pressed(key));
        assert!((160..40_000).contains(&stopped.samples.unwrap()), "{stopped:?}");
    }
    let later =
        line.during(StreamFile::new("demo-congrats", set("1")).offset(80_000), |call| press(call, '1'));
    assert!((80_160..120_000).contains(&later.unwrap().samples.unwrap()));
    for missing in ["no-such-file", "", "beep&beep"] {
        assert_eq!(failure(line.send(StreamFile::new(missing, NONE))), "200 result=-1 endpos=0");
    }
    line.end();
}

#[test]
fn an_option_is_waited_for() {
    // one frame, so that a key can be pressed behind it
    let one_frame = sound("one-frame", 20 * MS);
    let mut line = Line::new();
    let option = GetOption::new("beep", set("12"), 100 * MS);
    let whole = Playback { ended: PlaybackEnd::Complete, samples: Some(3520) };
    assert_eq!(line.send(option).unwrap(), whole);
    let played =
        line.during(GetOption::new("demo-congrats", set("12"), TIME), |call| press(call, '2')).unwrap();
    assert!(played.ended == pressed('2') && played.samples.unwrap() < 40_000, "{played:?}");
    for (key, ended) in [('1', pressed('1')), ('9', PlaybackEnd::Complete)] {
        let waits = GetOption::new(one_frame, set("12"), None);
        let waited = line.during(waits, |call| press(call, key)).unwrap();
        assert_eq!(waited, Playback { ended, samples: Some(160) }, "{key} in the wait");
    }
    let missing = line.send(GetOption::new("no-such-file", set("1"), 100 * MS));
    assert_eq!(failure(missing), "200 result=-1 endpos=0");
    line.end();
}

#[test]
fn a_caller_moves_in_a_file() {
    let mut line = Line::new();
    let played = |ended, position| ControlledPlayback { ended, position };
    let congrats = ControlStreamFile::new("demo-congrats", set("0"));
    let mut at = |command: ControlStreamFile<'_>, keys: &str, from: Duration, to: Duration| {
        let stopped = line.during(command, |call| call.press(keys)).unwrap();
        assert_eq!(stopped.ended, pressed('0'), "{keys}");
        assert!((from..to).contains(&stopped.position.unwrap()), "{keys}: {stopped:?}");
    };
    at(congrats, "0", 10 * MS, 3 * S);
    // by the default keys and 3 seconds, and by others
    at(congrats, "#0", 3 * S, 6 * S);
    at(congrats.offset(10 * S), "*0", 6 * S, 9500 * MS);
    let keys = congrats.skip(5 * S).forward(set("9")).rewind(set("78")).pause(set("5"));
    at(keys, "90", 5 * S, 8 * S);
    at(keys.offset(10 * S), "80", 4 * S, 7500 * MS);
    at(congrats.offset(15 * S), "0", 15 * S, 18 * S);
    // beyond the end it moves back as far
    at(congrats.offset(15 * S).skip(20 * S), "#0", 8 * S, 14 * S);

    let beep = ControlStreamFile::new("beep", set("0"));
    assert_eq!(line.send(beep).unwrap(), played(PlaybackEnd::Complete, None));
    // counted from the end Asterisk goes behind it, whatever the format
    let began = Instant::now();
    assert_eq!(line.send(congrats.offset_from_end(5 * S)).unwrap(), played(PlaybackEnd::Complete, None));
    assert!(began.elapsed() < 4 * S, "{:?}", began.elapsed());
    assert_eq!(failure(line.send(ControlStreamFile::new("no-such-file", NONE))), "200 result=-1 endpos=-1");
    line.end();
}

/// The file lasts for three seconds: only a pause lets it still be there to be stopped later.
#[test]
fn a_caller_pauses_a_file() {
    let mut line = Line::new();
    let file = ControlStreamFile::new(sound("three-seconds", 3 * S), set("0")).pause(set("5"));
    let paused = line.during(file, |call| {
        call.press("5123");
        // not to wait for anything: it is the pause itself that lasts
        std::thread::sleep(4 * S);
        call.press("40");
    });
    let paused = paused.unwrap();
    assert_eq!(paused.ended, pressed('0'));
    assert!(paused.position.unwrap() <= 3 * S, "{paused:?}");
    for (name, value) in [("CPLAYBACKSTATUS", "USERSTOPPED"), ("CPLAYBACKSTOPKEY", "0")] {
        assert_eq!(line.send(GetVariable::new(name)).unwrap().unwrap(), value);
    }
    // on again, and to its end
    let went_on = line.during(file, |call| call.press("55")).unwrap();
    assert_eq!(went_on, ControlledPlayback { ended: PlaybackEnd::Complete, position: None });
    line.end();
}

#[test]
fn a_manager_stops_a_controlled_file() {
    let mut line = Line::new();
    let stopped = line.during(ControlStreamFile::new("demo-congrats", NONE), |call| {
        call.action("ControlPlayback", &[("Channel", &call.channel()), ("Control", "stop")]);
    });
    assert_eq!(stopped.unwrap().ended, PlaybackEnd::Complete);
    line.end();
}

#[test]
fn a_key_ends_what_is_said() {
    let mut line = Line::new();
    let ends = |line: &mut Line, name: &str, said: Result<PlaybackEnd, Error>| {
        assert_eq!(said.unwrap(), pressed('5'), "{name}");
        line.send(Noop::new()).unwrap();
    };
    let keys = set("59");
    macro_rules! say {
        ($($command:expr,)*) => {$(
            let said = line.during($command, |call| press(call, '5'));
            ends(&mut line, stringify!($command), said);
        )*};
    }
    say![
        SayAlpha::new("abcdefghijkl", keys),
        SayAlpha::new("aBcDeF", keys).case(Case::All),
        SayPhonetic::new("abcdefghijkl", keys),
        SayDigits::new("0123456789", keys),
        SayDigits::new("-0123456789", keys),
        SayNumber::new(999_999_999, keys),
        SayNumber::new(123_456, keys).gender("f"),
        SayDate::new(1_700_000_000, keys),
        SayTime::new(1_700_000_000, keys),
        SayDateTime::new(1_700_000_000, keys),
        SayDateTime::new(4_700_000_000, keys).format("ABdY"),
        SayDateTime::new(1_700_000_000, keys).time_zone("Europe/Berlin"),
    ];
    line.end();
}

#[test]
fn what_is_said_completes_or_fails() {
    let mut line = Line::new();
    for case in [Case::Lower, Case::None, Case::Upper] {
        assert_eq!(line.send(SayAlpha::new("a", NONE).case(case)).unwrap(), PlaybackEnd::Complete);
    }
    assert_eq!(line.send(SayAlpha::new("", NONE)).unwrap(), PlaybackEnd::Complete);
    assert_eq!(line.send(SayNumber::new(0, NONE).gender("f")).unwrap(), PlaybackEnd::Complete);
    let hour = SayDateTime::new(0, NONE).format("H").time_zone("UTC");
    assert_eq!(line.send(hour).unwrap(), PlaybackEnd::Complete);
    // the one number that Asterisk has no words for, and says so in its log only
    let began = Instant::now();
    assert_eq!(line.send(SayNumber::new(i32::MAX, set("1"))).unwrap(), PlaybackEnd::Complete);
    // as words it would take eight seconds
    assert!(began.elapsed() < 4 * S, "{:?}", began.elapsed());
    let missing = SayDateTime::new(0, NONE).format("'no-such-file'");
    assert_eq!(failure(line.send(missing)), "200 result=-1");
    line.end();
}

/// A call that is dropped leaves its command behind; the next command stops it and gets its own reply.
#[test]
fn a_dropped_command_stops() {
    let mut line = Line::new();
    abandon(&mut line, StreamFile::new("demo-congrats", NONE));
    abandon(&mut line, GetData::new("demo-congrats").timeout(None));
    abandon(&mut line, GetOption::new("demo-congrats", set("1"), None));
    abandon(&mut line, GetOption::new("one-frame-missing", set("1"), None));
    abandon(&mut line, WaitForDigit::new(None));
    line.end();
}

fn abandon<C: Command>(line: &mut Line, command: C) {
    let name = command.info().name;
    let began = Instant::now();
    // one poll writes the command
    let reply = block_on(async {
        let mut call = std::pin::pin!(line.channel.call(command));
        std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_ready())).await
    });
    assert!(!reply, "{name} was answered at once");
    line.call.wait_command(name);
    assert_eq!(line.send(GetFullVariable::new(name)).unwrap().unwrap(), name);
    assert!(began.elapsed() < 20 * S, "{name} ran on");
}

/// A silent sound file of its own, which lasts so long.
fn sound(name: &str, lasts: Duration) -> &str {
    let file = Asterisk::shared(Version::V22).sounds_dir().join(name).with_extension("sln");
    // 8,000 samples a second of 2 bytes
    std::fs::write(file, vec![0; lasts.as_millis() as usize * 16]).unwrap();
    name
}

fn press(call: &LiveCall, key: char) {
    call.press(key.encode_utf8(&mut [0; 4]));
}

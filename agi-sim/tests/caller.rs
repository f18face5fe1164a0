//! Scripted callers over each kind of line.
#![cfg(all(feature = "tokio", feature = "blocking", feature = "futures-io"))]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use agi_sim::{AsyncLine, CLASSES, Call, Caller, Line, Link, Segmentation, Status, hostile_values};

const URL: &str = "agi://localhost/pin?lang=en";

fn caller() -> Caller {
    Caller::new(URL).caller_id("Ada", "15551234567").arg("x")
}

macro_rules! pin {
    ($channel:ident $($await:tt)*) => {{
        for _ in 0..3 {
            let entered = $channel.get_data("enter-pin", Duration::from_secs(5), 4)$($await)*?;
            if entered.digits == "1234" {
                return $channel.set_variable("RESULT", "welcome")$($await)*;
            }
            $channel.stream_file("wrong-pin", "")$($await)*?;
        }
        $channel.set_variable("RESULT", "refused")$($await)*
    }};
}

fn link(channel: &mut Link) -> Result<(), agi_sim::Error> {
    pin!(channel)
}

fn blocking(channel: &mut agi_blocking::Channel<Line>) -> Result<(), agi_blocking::Error> {
    pin!(channel)
}

async fn tokio_pin(channel: &mut agi_tokio::Channel<AsyncLine>) -> Result<(), agi_tokio::Error> {
    pin!(channel.await)
}

async fn on_tokio(line: AsyncLine) -> Result<(), agi_tokio::Error> {
    let Some(mut channel) = agi_tokio::ChannelBuilder::new().start(line).await? else { return Ok(()) };
    let done = tokio_pin(&mut channel).await;
    channel.close().await?;
    done
}

async fn smol_pin(channel: &mut agi_smol::Channel<Line>) -> Result<(), agi_smol::Error> {
    pin!(channel.await)
}

fn on_smol(line: Line) -> Result<(), agi_smol::Error> {
    futures_lite::future::block_on(async {
        let Some(mut channel) = agi_smol::ChannelBuilder::new().start(line).await? else { return Ok(()) };
        let done = smol_pin(&mut channel).await;
        channel.close().await?;
        done
    })
}

/// The four services as one: what RESULT is, and how long the call took.
fn results(caller: &Caller) -> Vec<(Option<String>, Duration, Status)> {
    let link = caller.clone().run(|channel| link(channel).is_ok());
    let blocking = caller.clone().run_blocking(|channel| blocking(channel).is_ok());
    let tokio = caller.clone().run_tokio(on_tokio);
    let smol = caller.clone().run_stream(on_smol);
    let result = |channel: &agi_sim::Channel| channel.variable("RESULT").map(|value| value.to_string());
    vec![
        (result(link.at_end()), link.took(), link.status()),
        (result(blocking.at_end()), blocking.took(), blocking.status()),
        (result(tokio.at_end()), tokio.took(), tokio.status()),
        (result(smol.at_end()), smol.took(), smol.status()),
    ]
}

#[test]
fn a_pin_is_asked_for_on_every_line() {
    for (result, ..) in results(&caller().expect_play("enter-pin").press("1234#")) {
        assert_eq!(result.as_deref(), Some("welcome"));
    }
    let mut wrong = caller();
    for pin in ["1111", "2222", "3333"] {
        wrong = wrong.expect_play("enter-pin").press(pin).expect_play("wrong-pin");
    }
    for (result, ..) in results(&wrong) {
        assert_eq!(result.as_deref(), Some("refused"));
    }
    for (result, took, status) in results(&caller()) {
        assert_eq!((result.as_deref(), status), (Some("refused"), Status::Success));
        assert!(took.abs_diff(Duration::from_secs(33)) < Duration::from_millis(20), "{took:?}");
    }
    let gone = caller().expect_play("enter-pin").hang_up_after(Duration::from_secs(1));
    for (result, took, status) in results(&gone) {
        assert_eq!((result, status), (None, Status::Hangup));
        assert!(took < Duration::from_secs(2));
    }
}

/// Of this thread's own, which other work on the machine does not change.
#[cfg(unix)]
#[test]
fn the_test_of_a_service_takes_no_time() {
    let used =
        || Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)).unwrap();
    let before = used();
    a_pin_is_asked_for_on_every_line();
    let took = used() - before;
    assert!(took < Duration::from_millis(50), "16 calls, of two minutes together, took {took:?}");
}

#[test]
fn wherever_the_caller_leaves_the_service_ends() {
    let caller = caller().expect_play("enter-pin").press("99").await_play("wrong-pin").press_blindly("5");
    for segmentation in [Segmentation::Writes, Segmentation::Joined, Segmentation::Bytes] {
        let caller = caller.clone().segmented(segmentation);
        let links = caller.hang_up_everywhere(|caller| caller.run(link));
        let tokio = caller.hang_up_everywhere(|caller| caller.run_tokio(on_tokio));
        let blocking = caller.hang_up_everywhere(|caller| caller.run_blocking(blocking));
        let smol = caller.hang_up_everywhere(|caller| caller.run_stream(on_smol));
        assert!(links.len() > 40 * CLASSES.len() / 2, "only {} places", links.len());
        assert_eq!((tokio.len(), blocking.len(), smol.len()), (links.len(), links.len(), links.len()));
        for (result, transcript) in (links.into_iter().map(parts))
            .chain(tokio.into_iter().map(parts))
            .chain(smol.into_iter().map(parts))
            .chain(blocking.into_iter().map(parts).filter_map(|(result, text)| Some((result?, text))))
        {
            assert!(result.err().is_none_or(|error| error.is_hangup()), "{transcript}");
        }
    }
}

fn parts<T>(call: Call<T>) -> (T, String) {
    let transcript = call.transcript().to_string();
    (call.returned, transcript)
}

#[test]
fn bytes_may_be_cut_and_late() {
    for segmentation in [Segmentation::Joined, Segmentation::Bytes, Segmentation::Random(7)] {
        for seed in 0..20 {
            let caller = caller().segmented(segmentation).delayed(Duration::from_millis(30)).seed(seed);
            let caller = caller.expect_play("enter-pin").press("1234");
            let all = results(&caller);
            assert!(all.iter().all(|(result, ..)| result.as_deref() == Some("welcome")));
            assert_eq!(all, results(&caller), "the same seed makes the same call");
        }
    }
}

#[test]
fn what_is_unmet_is_told_with_what_happened() {
    let fails = |caller: Caller| {
        let hook = catch_unwind(AssertUnwindSafe(|| caller.run(|channel| link(channel).is_ok())));
        *hook.expect_err("it fails").downcast::<String>().unwrap()
    };
    let unmet = fails(caller().expect_play("enter-pin").press("1234").expect_play("goodbye"));
    assert!(
        unmet.starts_with("the call is over, and this did not happen: expect_play(\"goodbye\")"),
        "{unmet}"
    );
    assert!(unmet.contains("S>A  GET DATA") && unmet.contains("the caller presses 4"), "{unmet}");
    let other = fails(caller().expect_play("welcome"));
    assert!(other.starts_with("expect_play(\"welcome\"), but the caller heard the file \"enter-pin\""));
}

#[test]
fn a_service_that_panics_of_a_failed_call_does_not_hide_why_it_failed() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let message = |panic: std::thread::Result<()>| *panic.unwrap_err().downcast::<String>().unwrap();
    let all = |caller: &dyn Fn() -> Caller| {
        let each: [&dyn Fn(); 5] = [
            &|| drop(caller().run(|channel| link(channel).unwrap())),
            &|| drop(caller().run_blocking(|channel| blocking(channel).unwrap())),
            &|| drop(caller().run_stream(|line| on_smol(line).unwrap())),
            &|| drop(caller().run_tokio(|line| async { on_tokio(line).await.unwrap() })),
            &|| drop(runtime.block_on(caller().call_tokio(|line| async { on_tokio(line).await.unwrap() }))),
        ];
        each.map(|call| message(catch_unwind(AssertUnwindSafe(call))))
    };
    for failed in all(&|| caller().expect_play("welcome")) {
        assert!(failed.starts_with("expect_play(\"welcome\"), but the caller heard"), "{failed}");
        assert!(failed.contains("S>A  GET DATA"), "{failed}");
    }
    // what it panics of by itself is its own affair
    for failed in all(&|| caller().missing_sound("enter-pin").press("1")) {
        assert!(failed.starts_with("called `Result::unwrap()` on an `Err` value: Reply("), "{failed}");
    }
}

#[test]
fn what_no_phone_has_cannot_be_pressed() {
    for keys in ["12,3", "a", "1 2"] {
        let first: [&dyn Fn() -> Caller; 2] = [&|| caller().press(keys), &|| caller().press_blindly(keys)];
        for press in first {
            let failed = catch_unwind(AssertUnwindSafe(press)).map(drop).expect_err("it is no key");
            let failed = *failed.downcast::<String>().unwrap();
            assert!(failed.contains("is no key"), "{failed}");
        }
    }
    drop(caller().press("0123456789*#ABCD"));
}

#[test]
fn a_service_that_does_nothing_fails() {
    let caller = Caller::new(URL).patience(Duration::from_secs(60));
    let failed = catch_unwind(|| caller.run_stream(|mut line| line.read_to_end(&mut Vec::new()).is_err()));
    assert!(failed.unwrap_err().downcast::<String>().unwrap().starts_with("nothing has happened for 60s"));
}

#[test]
fn connections_break() {
    let reset = caller().expect_play("enter-pin").reset();
    assert!(reset.clone().run(link).returned.is_err());
    assert!(reset.clone().run_tokio(on_tokio).returned.is_err());
    assert!(reset.run_blocking(blocking).returned.unwrap().is_err());
    let half = caller().expect_play("enter-pin").half_close();
    assert!(half.run_tokio(on_tokio).returned.is_err());
    let silent = caller().expect_play("enter-pin").fall_silent().hang_up_after(Duration::from_secs(9));
    let silent = silent.run_tokio(|line| async {
        let mut channel = agi_tokio::ChannelBuilder::new().start(line).await.unwrap().unwrap();
        tokio::time::timeout(Duration::from_secs(30), tokio_pin(&mut channel)).await.is_err()
    });
    assert!(silent.returned);
}

/// What a service that listens reads behind its command, when the caller's side does something to the connection.
fn read_over_tcp(caller: Caller) -> (Result<usize, ErrorKind>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let service = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\n\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        stream.write_all(b"GET DATA enter-pin\n").unwrap();
        let read = stream.read(&mut [0; 100]).map_err(|error| error.kind());
        // what a half-closed connection still takes
        let _ = stream.write_all(b"NOOP\n");
        read
    });
    let call = caller.dial_at(address).unwrap();
    (service.join().unwrap(), call.transcript().to_string())
}

#[test]
fn connections_break_over_tcp_too() {
    let caller = || caller().expect_play("enter-pin");
    let (read, transcript) = read_over_tcp(caller().half_close().expect_command("noop"));
    assert_eq!(read, Ok(0), "{transcript}");
    assert!(transcript.contains("the PBX shuts its writing side"));
    let (read, transcript) = read_over_tcp(caller().reset());
    assert_eq!(read, Err(ErrorKind::ConnectionReset), "{transcript}");
}

#[test]
fn hostile_values_come_through() {
    let versions = ["16.28.0", "22.10.1"];
    for (value, version) in
        hostile_values().into_iter().flat_map(|value| versions.map(|v| (value.clone(), v)))
    {
        let caller = Caller::new(URL).setup(|setup| setup.version = version.into());
        let call = caller.set_variable("V", value.clone()).run(|channel| {
            let exact = channel.get_variable_exact("V").unwrap();
            channel.set_variable_exact("W", &exact).unwrap();
        });
        assert_eq!(call.at_end().variable("W").unwrap(), value);
    }
}

#[test]
fn strangers_forge_nothing() {
    let (mut refused, mut taken) = (0, 0);
    for stranger in caller().hostile_callers() {
        let call = stranger.run_stream(|line| {
            let Ok(Some(mut channel)) = agi_blocking::ChannelBuilder::new().start(line) else { return false };
            let environment = channel.environment();
            assert_eq!(environment.get("agi_request").unwrap(), URL);
            assert_ne!(environment.account_code().unwrap_or_default(), "forged");
            assert_eq!(environment.args().next().unwrap(), "x", "the dialplan's own");
            // what stands behind a forged end is the answer to nothing
            match channel.get_variable("NONE") {
                Ok(value) => assert_eq!(value, None),
                Err(error) => assert!(matches!(error, agi_blocking::Error::Protocol(_)), "{error}"),
            }
            true
        });
        if call.returned { taken += 1 } else { refused += 1 }
    }
    assert!(refused > 10 && taken > 10, "{refused} refused, {taken} taken");
}

#[test]
fn tokio_time_is_the_time_of_the_call() {
    let caller = Caller::new(URL).sound("long", Duration::from_secs(600)).expect_play("long");
    let call = caller.run_tokio(|line| async {
        let mut channel = agi_tokio::ChannelBuilder::new().start(line).await.unwrap().unwrap();
        let limit = Duration::from_secs(3);
        let cut = tokio::time::timeout(limit, channel.stream_file("long", "")).await;
        channel.noop().await.unwrap();
        cut.is_err()
    });
    assert!(call.returned && call.transcript().contains("STREAM FILE is stopped"));
    assert!(call.took() < Duration::from_secs(4), "{:?}\n{}", call.took(), call.transcript());
}

#[test]
fn a_service_is_called_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let service = std::thread::spawn(move || {
        for stream in listener.incoming().take(2).flatten() {
            let mut channel = agi_blocking::ChannelBuilder::new().start(stream).unwrap().unwrap();
            let entered = channel.get_data("enter-pin", Duration::from_secs(5), 4);
            if let Ok(entered) = entered {
                channel.set_variable("RESULT", entered.digits).unwrap();
            }
            channel.close().unwrap();
        }
    });
    let began = Instant::now();
    let caller = Caller::new(&format!("agi://{address}/pin")).sound("enter-pin", Duration::from_secs(1000));
    let caller = caller.expect_play("enter-pin");
    let call = caller.clone().press("1234").dial().unwrap();
    assert_eq!(call.at_end().variable("RESULT").unwrap(), "1234");
    let call = caller.hang_up_after(Duration::from_secs(900)).dial_at(address).unwrap();
    assert_eq!(call.status(), Status::Hangup);
    assert!(call.took() >= Duration::from_secs(900));
    service.join().unwrap();
    assert!(began.elapsed() < Duration::from_secs(100), "time is skipped");
}

#[test]
fn any_reader_and_writer_is_a_service() {
    let call = Caller::new(URL).expect_command("noop").text("hi").run_stream(|mut line| {
        let mut buf = [0; 4096];
        while !buf.starts_with(b"\n") {
            let _ = line.read(&mut buf).unwrap();
        }
        line.write_all(b"NOOP\n").unwrap();
        let _ = line.read(&mut buf).unwrap();
        line.write_all(b"RECEIVE TEXT 5000\n").unwrap();
        let read = line.read(&mut buf).unwrap();
        buf[..read].to_vec()
    });
    assert_eq!(call.returned, b"200 result=1 (hi)\n");
}

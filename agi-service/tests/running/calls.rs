//! Calls of a server on the loopback interface that end in every way. The server is the one of `adapter`, on
//! the runtime of `spawn` and `block_on`, which the test's root has; the callers know nothing of either.

use std::future::{pending, ready};
use std::io::{ErrorKind, Write};
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::sleep;
use std::time::{Duration, Instant};

use agi_tests::pbx::{LONG, Pbx};
use futures_lite::future::poll_once;

use crate::adapter::{CallOutcome, Channel, Error, Handler, Request, Server};
use crate::running::Running;
use crate::{block_on, spawn};

#[test]
fn every_call_ends_without_a_reset_however_its_handler_ended() {
    async fn handler(mut channel: Channel) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        channel.answer().await?;
        match channel.get_variable("HOW").await?.unwrap().to_string().as_str() {
            "return" => Ok(()),
            "fail" => Err("a handler's own error".into()),
            "panic" => panic!("a handler's panic"),
            "close" => Ok(channel.close().await?),
            "cut" => {
                // a call is dropped with the channel, and its reply is still to come
                let mut cut = pin!(channel.exec("Dial", "PJSIP/bob"));
                poll_once(cut.as_mut()).await;
                Ok(())
            }
            "pass on" => {
                spawn(async move { channel.noop().await.unwrap() });
                Ok(())
            }
            how => unreachable!("{how}"),
        }
    }
    let server = Running::start(handler);
    let counters = server.counters.clone();
    let cases = [
        ("return", "SUCCESS"),
        ("fail", "FAILED"),
        ("panic", "FAILED"),
        ("close", ""),
        ("cut", "SUCCESS"),
        ("pass on", "SUCCESS"),
    ];
    for (how, status) in cases {
        let mut pbx = Pbx::call(server.address);
        pbx.expect("ANSWER").respond("200 result=0");
        pbx.expect("GET VARIABLE \"HOW\"").respond(&format!("200 result=1 ({how})"));
        match how {
            "cut" => {
                pbx.expect("EXEC \"Dial\" \"PJSIP/bob\"");
                sleep(Duration::from_millis(20));
                pbx.respond("200 result=0")
            }
            "pass on" => pbx.expect("NOOP").respond("200 result=0"),
            _ => &mut pbx,
        };
        match status {
            "" => pbx.end(),
            status => pbx.end_with(status),
        }
    }
    server.stop();
    let counts = counters.counts();
    assert_eq!((counts.accepted(), counts.refused(), counts.active()), (6, 0, 0));
    let ended =
        [CallOutcome::Success, CallOutcome::Failed, CallOutcome::Panicked].map(|ending| counts.ended(ending));
    assert_eq!(ended, [4, 1, 1]);
}

#[test]
fn a_panic_before_the_first_await_is_a_call_s_own() {
    let server = Running::start(|_: Channel| -> std::future::Ready<Result<(), Error>> { panic!("at once") });
    for _ in 0..2 {
        Pbx::call(server.address).end_with("FAILED");
    }
    server.stop();
}

#[test]
fn shutdown_cancels_what_takes_too_long() {
    struct Dropped(mpsc::Sender<()>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (starts, started) = mpsc::channel();
    let (drops, dropped) = mpsc::channel();
    let handler = move |channel: Channel| {
        starts.send(()).unwrap();
        let guard = Dropped(drops.clone());
        async move {
            let _held = (guard, channel);
            pending::<Result<(), Error>>().await
        }
    };
    let server = Running::with(|server| server.shutdown_timeout(Duration::ZERO), handler);
    let mut silent = Pbx::connect(server.address);
    let call = Pbx::call(server.address);
    started.recv_timeout(LONG).unwrap();
    let done = server.tell_to_stop();
    dropped.recv_timeout(LONG).unwrap();
    call.end_with("FAILED");
    // a connection that sends no environment is not waited for either
    assert_eq!(silent.next_line(), None);
    drop(silent);
    done.recv_timeout(LONG).expect("it hangs");
}

/// They would be reset.
#[test]
fn who_is_in_the_queue_at_the_end_is_still_taken() {
    const MANY: usize = 300;
    let server = block_on(Server::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let (address, counters) = (server.local_addr().unwrap(), server.counters());
    for _ in 0..MANY {
        drop(Pbx::connect(address));
    }
    block_on(server.serve_until(async |channel: Channel| channel.close().await, ready(())));
    let counts = counters.counts();
    assert_eq!((counts.accepted(), counts.ended(CallOutcome::Probe)), (MANY, MANY));
}

#[test]
fn who_does_not_close_is_left_without_a_reset_in_the_end() {
    let server = Running::with(
        |server| server.linger(Duration::from_millis(20)).status_variable(None),
        async |channel: Channel| {
            drop(channel);
            Ok::<(), Error>(())
        },
    );
    let mut pbx = Pbx::call(server.address);
    pbx.respond("200 result=0");
    assert_eq!(pbx.next_line(), None);
    server.stop();
    // the server has closed its socket with our bytes read
    assert_eq!(pbx.stream.take_error().unwrap().map(|error| error.kind()), None);
}

/// There is always something to read from it, so that nothing of the server's would ever wait.
#[test]
fn who_never_stops_sending_is_let_go() {
    let server = Running::with(
        |server| server.linger(Duration::from_millis(20)).environment_timeout(Duration::from_millis(50)),
        async |mut channel: Channel| channel.answer().await,
    );
    for begins in [true, false] {
        let mut pbx = match begins {
            true => Pbx::call(server.address),
            false => Pbx::connect(server.address),
        };
        let flood = vec![b'\n'; 1 << 16];
        let began = Instant::now();
        let error = loop {
            if let Err(error) = pbx.stream.write_all(&flood) {
                break error;
            }
            assert!(began.elapsed() < LONG, "it reads on");
        };
        assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    }
    let mut pbx = Pbx::call(server.address);
    pbx.expect("ANSWER").respond("200 result=0");
    pbx.end_with("SUCCESS");
    server.stop();
}

#[test]
fn who_is_no_call_gets_no_handler() {
    let handled = Arc::new(AtomicUsize::new(0));
    let count = handled.clone();
    let handler = move |channel: Channel| {
        count.fetch_add(1, Ordering::Relaxed);
        async move { channel.close().await }
    };
    let server = Running::with(|server| server.environment_timeout(Duration::from_millis(50)), handler);
    drop(Pbx::connect(server.address));
    for nonsense in ["GET / HTTP/1.1\r\n\r\n", "agi_network: yes\n"] {
        let mut pbx = Pbx::connect(server.address);
        pbx.stream.write_all(nonsense.as_bytes()).unwrap();
        pbx.end();
    }
    Pbx::call(server.address).end();
    server.stop();
    assert_eq!(handled.load(Ordering::Relaxed), 1);
}

#[test]
fn a_handler_may_keep_the_stream() {
    let (give, kept) = mpsc::channel();
    let server = Running::start(move |channel: Channel| {
        give.send(channel.into_inner()).unwrap();
        async { Ok::<(), Error>(()) }
    });
    let mut pbx = Pbx::call(server.address);
    let stream = kept.recv_timeout(LONG).unwrap();
    server.stop();
    assert!(stream.nodelay().unwrap());
    #[cfg(unix)]
    assert!(rustix::net::sockopt::socket_keepalive(&stream).unwrap(), "who died is never noticed");
    pbx.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert_eq!(pbx.stream.peek(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(stream);
    pbx.stream.set_read_timeout(Some(LONG)).unwrap();
    assert_eq!(pbx.next_line(), None);
}

#[test]
fn handler_may_go_on_after_it_has_closed_the_channel() {
    let (goes_on, went_on) = mpsc::channel();
    let (end, ended) = async_channel::bounded::<()>(1);
    let server = Running::start(move |channel: Channel| {
        let (goes_on, ended) = (goes_on.clone(), ended.clone());
        async move {
            channel.close().await?;
            goes_on.send(()).unwrap();
            ended.recv().await.unwrap();
            Ok::<(), Error>(())
        }
    });
    Pbx::call(server.address).end();
    went_on.recv_timeout(LONG).unwrap();
    end.send_blocking(()).unwrap();
    server.stop();
}

/// A handler in an endless loop around calls that fail, which never waits for I/O.
#[test]
fn retry_loop_on_an_error_starves_no_call_and_ends_with_the_server() {
    let (loops, looping) = mpsc::channel();
    let server = Running::with(
        |server| server.shutdown_timeout(Duration::ZERO),
        move |mut channel: Channel| {
            let loops = loops.clone();
            async move {
                if channel.noop().await.is_err() {
                    loops.send(()).unwrap();
                    loop {
                        // refused arguments, an ended session, and waits for an end that has come
                        let refused = channel.set_variable("NAME", "a\nb").await;
                        assert!(refused.is_err());
                        assert!(channel.noop().await.is_err() && channel.resync().await.is_err());
                        channel.wait_for_hangup().await;
                    }
                }
                Ok::<(), Error>(())
            }
        },
    );
    let mut caught = Pbx::call(server.address);
    caught.expect("NOOP");
    drop(caught);
    looping.recv_timeout(LONG).unwrap();
    let mut other = Pbx::call(server.address);
    other.expect("NOOP").respond("200 result=0");
    other.end_with("SUCCESS");
    server.stop();
}

/// A custom type may be a handler, with state.
#[test]
fn a_handler_may_be_a_type() {
    struct Counter(AtomicUsize);
    impl Handler<Channel> for Counter {
        type Error = Error;

        async fn handle(&self, mut channel: Channel, _: Request) -> Result<(), Error> {
            let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            channel.set_variable("N", n.to_string()).await
        }
    }
    let server = Running::start(Counter(AtomicUsize::new(0)));
    for n in 1..=2 {
        let mut pbx = Pbx::call(server.address);
        pbx.expect(&format!("SET VARIABLE \"N\" \"{n}\"")).respond("200 result=1");
        pbx.end_with("SUCCESS");
    }
    server.stop();
}

//! Streams in memory go through a server's whole way of a call: admission, routes, handler, status variable, close.
#![allow(clippy::unwrap_used, reason = "a test may")]

use agi_sim::{AsyncLine, Call, Caller, Line};

const PEER: ([u8; 4], u16) = ([192, 0, 2, 7], 0);

fn caller(path: &str) -> Caller {
    Caller::new(&format!("agi://localhost/{path}"))
}

/// A service of one adapter, and a call over memory to it.
macro_rules! service {
    ($adapter:ident, $stream:ty, $run:expr) => {{
        use $adapter::{CallOutcome, Calls, Channel, Error, Options, Request, Router, Status};

        async fn menu(mut channel: Channel<$stream>, request: Request) -> Result<(), Error> {
            channel.set_variable("LANGUAGE", request.param("language").unwrap_or_default()).await
        }

        async fn panics(_: Channel<$stream>) -> Result<(), Error> {
            panic!("a handler's panic")
        }

        let admit = |peer: std::net::SocketAddr, request: &Request| match request.path() == "/closed" {
            true => Err(Status::Busy),
            false if peer == PEER.into() => Ok(()),
            false => Err(Status::Failed),
        };
        let routes: Router<$stream> =
            Router::new().route("/menu/{language}", menu).unwrap().route("/panic", panics).unwrap();
        let calls: Calls<$stream> = Calls::new(Options::default().admit(admit), routes);
        for (path, language, status) in [
            ("menu/de", Some("de"), "SUCCESS"),
            ("other", None, "NOT_FOUND"),
            ("panic", None, "FAILED"),
            ("closed", None, "BUSY"),
        ] {
            let call: Call<()> = $run(caller(path), &calls);
            let variable = |name| call.at_end().variable(name).map(|value| value.to_string());
            assert_eq!(variable("LANGUAGE").as_deref(), language, "{path}");
            assert_eq!(variable("AGI_SERVER_STATUS").as_deref(), Some(status), "{path}");
        }
        let counts = calls.counters().counts();
        assert_eq!((counts.accepted(), counts.refused(), counts.active()), (4, 1, 0));
        assert_eq!((counts.ended(CallOutcome::Success), counts.ended(CallOutcome::Panicked)), (1, 1));
    }};
}

#[test]
fn over_tokio() {
    service!(agi_tokio, AsyncLine, |caller: Caller, calls: &Calls<AsyncLine>| {
        caller.run_tokio(|line| calls.serve(line, PEER.into()))
    });
}

#[test]
fn over_smol() {
    service!(agi_smol, Line, |caller: Caller, calls: &Calls<Line>| {
        caller.run_stream(|line| futures_lite::future::block_on(calls.serve(line, PEER.into())))
    });
}

#[test]
fn over_async_std() {
    service!(agi_async_std, Line, |caller: Caller, calls: &Calls<Line>| {
        caller.run_stream(|line| futures_lite::future::block_on(calls.serve(line, PEER.into())))
    });
}

#[test]
fn on_threads() {
    use agi_blocking::{CallOutcome, Calls, Channel, Error, Options, Request, Router, Status};

    fn menu(channel: &mut Channel<Line>, request: &Request) -> Result<(), Error> {
        channel.set_variable("LANGUAGE", request.param("language").unwrap_or_default())
    }

    fn panics(_: &mut Channel<Line>) -> Result<(), Error> {
        panic!("a handler's panic")
    }

    let admit = |peer: std::net::SocketAddr, request: &Request| match request.path() == "/closed" {
        true => Err(Status::Busy),
        false if peer == PEER.into() => Ok(()),
        false => Err(Status::Failed),
    };
    let routes = Router::new().route("/menu/{language}", menu).unwrap().route("/panic", panics).unwrap();
    let calls = Calls::new(Options::default().admit(admit), routes).unwrap();
    for (path, language, status) in [
        ("menu/de", Some("de"), "SUCCESS"),
        ("other", None, "NOT_FOUND"),
        ("panic", None, "FAILED"),
        ("closed", None, "BUSY"),
    ] {
        let call = caller(path).run_stream(|line| calls.serve(line, PEER.into()));
        let variable = |name| call.at_end().variable(name).map(|value| value.to_string());
        assert_eq!(variable("LANGUAGE").as_deref(), language, "{path}");
        assert_eq!(variable("AGI_SERVER_STATUS").as_deref(), Some(status), "{path}");
    }
    let counts = calls.counters().counts();
    assert_eq!((counts.accepted(), counts.refused(), counts.active()), (4, 1, 0));
    assert_eq!((counts.ended(CallOutcome::Success), counts.ended(CallOutcome::Panicked)), (1, 1));
    calls.shutdown_handle().shutdown();
    calls.wait();
}

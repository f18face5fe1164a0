//! Whom a server serves, and by what: limits, admission, routes.

use std::sync::Arc;
use std::time::Duration;

use agi_tests::pbx::Pbx;

use crate::adapter::{
    AllowList, BoxHandler, Channel, Ending, Error, NotFound, Replaceable, Request, Router, Status, WhenFull,
    layer, with_state,
};
use crate::running::Running;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn answer(mut channel: Channel) -> Result<(), Error> {
    channel.answer().await
}

#[test]
fn a_call_too_many_is_told_so_at_once() {
    let server = Running::with(|server| server.max_calls(1), answer);
    let mut first = Pbx::call(server.address);
    first.expect("ANSWER");
    for _ in 0..3 {
        Pbx::call(server.address).end_with("BUSY");
    }
    first.respond("200 result=0");
    first.end_with("SUCCESS");
    // its place is free a moment after its end was seen
    while server.counters.counts().active() > 0 {
        std::thread::yield_now();
    }
    let mut next = Pbx::call(server.address);
    next.expect("ANSWER").respond("200 result=0");
    next.end_with("SUCCESS");
    let counters = server.counters.clone();
    server.stop();
    let counts = counters.counts();
    assert_eq!((counts.accepted(), counts.refused(), counts.ended(Ending::Success)), (5, 3, 2));
}

#[test]
fn or_it_waits() {
    let server = Running::with(|server| server.max_calls(1).when_full(WhenFull::Wait), answer);
    let mut first = Pbx::call(server.address);
    first.expect("ANSWER");
    let mut second = Pbx::call(server.address);
    second.stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(second.stream.peek(&mut [0]).is_err(), "it is served beside the first");
    second.stream.set_read_timeout(Some(agi_tests::pbx::LONG)).unwrap();
    first.respond("200 result=0");
    first.end_with("SUCCESS");
    second.expect("ANSWER").respond("200 result=0");
    second.end_with("SUCCESS");
    server.stop();
}

#[test]
fn who_may_not_connect_is_not_heard() {
    let elsewhere: AllowList = "192.0.2.0/24".parse().unwrap();
    let server = Running::with(|server| server.allow(elsewhere), answer);
    let mut pbx = Pbx::connect(server.address);
    assert_eq!(pbx.next_line(), None);
    assert_eq!(server.counters.counts().refused(), 1);
    server.stop();
}

#[test]
fn a_call_may_be_turned_away() {
    let admission = |_, request: &Request| match request.path() {
        path if *path == "/test" => Ok(()),
        path if *path == "/panic" => panic!("the admission's own"),
        _ => Err(Status::NotFound),
    };
    let server = Running::with(|server| server.admit(admission), answer);
    Pbx::call_for(server.address, "other").end_with("NOT_FOUND");
    Pbx::call_for(server.address, "panic").end_with("FAILED");
    let mut pbx = Pbx::call(server.address);
    pbx.expect("ANSWER").respond("200 result=0");
    pbx.end_with("SUCCESS");
    server.stop();
}

#[test]
fn a_router_chooses_and_can_be_replaced() {
    async fn menu(mut channel: Channel, request: Request, greeting: Arc<str>) -> Result<(), Error> {
        let seen = format!("{greeting} {}", request.param("name").unwrap());
        channel.set_variable("SEEN", seen).await
    }
    async fn counted(mut channel: Channel, request: Request, next: BoxHandler) -> Result<(), BoxError> {
        channel.noop().await?;
        next.run(channel, request).await
    }
    let greeting: Arc<str> = "hello".into();
    let routes = Router::new().route("/menu/{name}", with_state(greeting, menu)).unwrap();
    let routes = Replaceable::new(routes.route("/layered", layer(counted, answer)).unwrap());
    let server = Running::start(routes.clone());
    let mut pbx = Pbx::call_for(server.address, "menu/bob");
    pbx.expect("SET VARIABLE \"SEEN\" \"hello bob\"").respond("200 result=1");
    pbx.end_with("SUCCESS");
    let mut pbx = Pbx::call_for(server.address, "layered");
    pbx.expect("NOOP").respond("200 result=0");
    pbx.expect("ANSWER").respond("200 result=0");
    pbx.end_with("SUCCESS");
    Pbx::call_for(server.address, "nowhere").end_with("NOT_FOUND");

    routes.replace(|_: Channel, request: Request| async move {
        Err::<(), BoxError>(NotFound::new(request.path()).into())
    });
    Pbx::call_for(server.address, "layered").end_with("NOT_FOUND");
    server.stop();
}

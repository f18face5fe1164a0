//! What a conversation costs in allocations. A test of its own, for the allocator counts for the process.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use agi_proto::commands::{GetVariable, Noop, SetVariable, StreamFile};
use agi_proto::{Command, Environment, EscapeDigits, Event, Filled, Leniency, Session};
use agi_tests::pair::ENVIRONMENT;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        HELD.set(HELD.get().wrapping_add(layout.size()));
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        HELD.set(HELD.get().wrapping_sub(layout.size()).wrapping_add(size));
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn allocations<T>(of: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.get();
    let result = of();
    (COUNT.get() - before, result)
}

fn block() -> Vec<u8> {
    let lines = ENVIRONMENT.iter().map(|(name, value)| format!("{name}: {value}\n"));
    lines.chain(["agi_arg_1: one\nagi_arg_2: two\n\n".into()]).collect::<String>().into_bytes()
}

#[test]
fn an_environment_is_two_allocations() {
    let block = block();
    let (count, environment) = allocations(|| Environment::parse(&block, Leniency::default()));
    assert_eq!(environment.map(|environment| environment.args().count()), Ok(2));
    assert_eq!(count, 2);
}

#[test]
fn a_round_trip_without_text_allocates_nothing() {
    let mut session = Session::new(1);
    session.handle_input(&block(), Filled::No);
    assert!(matches!(session.poll_event(), Ok(Some(Event::Environment(_)))));
    let mut total = 0;
    for _ in 0..3 {
        let file = StreamFile::new("demo-congrats", EscapeDigits::ANY).offset(800);
        total = round_trip(&mut session, file, b"200 result=0 endpos=16000\n")
            + round_trip(&mut session, SetVariable::new("NAME", "a value"), b"200 result=1\n")
            + round_trip(&mut session, Noop::new(), b"200 result=0\n");
    }
    assert_eq!(total, 0, "once the buffers are there");
    let text = round_trip(&mut session, GetVariable::new("NAME"), b"200 result=1 (a value)\n");
    assert_eq!(text, 1, "the value itself; the counter does count");
}

#[test]
fn an_idle_session_holds_little() {
    let block = block();
    let before = HELD.get();
    let mut session = Session::new(1);
    assert_eq!(HELD.get() - before, 0, "before anything came");
    session.handle_input(&block, Filled::No);
    assert!(matches!(session.poll_event(), Ok(Some(Event::Environment(_)))));
    let environment = HELD.get() - before;
    // the block, eight bytes for each of its lines, and two counters of an `Arc` for each
    assert_eq!(environment, (block.len() - 1 + 16).next_multiple_of(8) + 24 * 8 + 16);
    round_trip(&mut session, GetVariable::new("NAME"), b"200 result=1 (a value)\n");
    let idle = HELD.get() - before - environment;
    assert!(idle <= 640, "{idle} bytes of buffers");
    let large = [b"200 result=1 (", &b"v".repeat(60_000)[..], b")\n"].concat();
    let pending = session.send(&GetVariable::new("NAME")).unwrap();
    let sent = session.poll_transmit().unwrap().len();
    session.transmitted(sent);
    session.handle_input(&large, Filled::No);
    // a long line may be one of several, and the session asks
    assert!(matches!(session.poll_event(), Ok(None)));
    let barrier = session.poll_transmit().unwrap();
    let token = barrier.strip_prefix(b"GET FULL VARIABLE \"").unwrap().strip_suffix(b"\"\n").unwrap();
    let (echo, sent) = ([b"200 result=1 (", token, b")\n"].concat(), barrier.len());
    session.transmitted(sent);
    session.handle_input(&echo, Filled::No);
    let Ok(Some(Event::Response(response))) = session.poll_event() else { panic!("the answer is whole") };
    pending.decode(response).unwrap();
    drop((large, echo));
    session.handle_input(b"", Filled::No);
    let idle = HELD.get() - before - environment;
    assert!(idle <= 640, "{idle} bytes of buffers once a large answer was taken");
}

fn round_trip<C: Command>(session: &mut Session, command: C, answer: &[u8]) -> usize {
    let (count, reply) = allocations(|| {
        let pending = session.send(&command).ok()?;
        let sent = session.poll_transmit()?.len();
        session.transmitted(sent);
        session.handle_input(answer, Filled::No);
        match session.poll_event() {
            Ok(Some(Event::Response(response))) => pending.decode(response).ok(),
            _ => None,
        }
    });
    assert!(reply.is_some());
    count
}

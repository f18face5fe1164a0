//! agi-proto and agi-ami on a machine that has nothing but an allocator.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};

struct Nothing;

// SAFETY: it never gives memory out.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Uses both sides, so that they are linked.
#[unsafe(no_mangle)]
pub extern "C" fn conversation() -> bool {
    let mut session = agi_proto::Session::new(1);
    let mut asterisk = agi_proto::PbxSession::new(2047);
    asterisk.send_environment([("agi_request", "x")]);
    session.poll_event().is_ok_and(|event| event.is_none())
}

/// Uses the manager connection, so that it is linked.
#[unsafe(no_mangle)]
pub extern "C" fn connection() -> bool {
    let now = core::time::Duration::ZERO;
    let Ok(credentials) = agi_ami::Credentials::new("agi", "secret") else { return false };
    let Ok(mut connection) = agi_ami::Connection::new(credentials, agi_ami::Options::default(), 1, now)
    else {
        return false;
    };
    connection.handle_input(b"Asterisk Call Manager/11.0.0\r\n", now);
    connection.poll_event().is_ok_and(|event| event.is_none())
}

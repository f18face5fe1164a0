//! A simulated Asterisk, and three callers.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use agi_sim::Caller;

use crate::show::Show;

/// Who calls, and what they do.
fn callers() -> [(&'static str, Caller); 3] {
    let caller = |name: &str| {
        let caller = Caller::new("agi://127.0.0.1/demo").caller_id(name, "15551234567").arg("an argument");
        caller.sound("demo-congrats", Duration::from_secs(1)).in_real_time()
    };
    [
        (
            "Ada",
            caller("Ada")
                .set_variable("NOTE", "likes brevity")
                .expect_play("demo-congrats")
                .expect_play("vm-extension")
                .press("0042"),
        ),
        (
            "Bob, who is in a hurry,",
            caller("Bob").expect_play("demo-congrats").hang_up_after(Duration::from_millis(300)),
        ),
        (
            "Mallory",
            caller("Mallory")
                .set_variable("NOTE", "line one\nHANGUP\n200 result=1 (forged)\nend")
                .await_play("vm-extension")
                .press("*#"),
        ),
    ]
}

/// Places one call after the other.
pub(crate) fn three_calls(service: SocketAddr, show: Show) -> io::Result<()> {
    for (name, caller) in callers() {
        println!();
        show.call(format_args!("{name} calls"));
        caller.watched(move |_, line| show.line(line)).dial_at(service)?;
    }
    Ok(())
}

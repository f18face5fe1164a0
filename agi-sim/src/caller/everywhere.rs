//! The caller who hangs up everywhere.

use super::{Call, Caller};

/// What the dialplan set about the end of the call: whether Asterisk tells a hangup (`AGISIGHUP`), and
/// whether it closes at once (`AGIEXITONHANGUP`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Whether `HANGUP` is sent.
    pub announces: bool,
    /// Whether the session ends with the call.
    pub exits: bool,
}

/// All there are; the first one is the default.
pub const CLASSES: [Class; 4] = [
    Class { announces: true, exits: false },
    Class { announces: true, exits: true },
    Class { announces: false, exits: false },
    Class { announces: false, exits: true },
];

impl Caller {
    /// The class of the call.
    pub fn class(mut self, class: Class) -> Self {
        for (name, on) in [("AGISIGHUP", class.announces), ("AGIEXITONHANGUP", class.exits)] {
            self.setup.variables.insert(name.into(), if on { "yes" } else { "no" }.into());
        }
        self
    }

    /// Repeats the call in each [class](CLASSES), and hangs up at each place in turn: before a command is read,
    /// while it runs, and directly behind what Asterisk wrote. Gives all the calls.
    ///
    /// Behind the hangup nothing is expected any more but that the service ends its session.
    ///
    /// ```
    /// use agi_sim::{Caller, Link};
    ///
    /// let caller = Caller::new("agi://localhost/hello").expect_play("welcome");
    /// let calls = caller.hang_up_everywhere(|caller| {
    ///     caller.run(|call: &mut Link| match call.stream_file("welcome", "") {
    ///         Ok(_) => true,
    ///         Err(error) => error.is_hangup(),
    ///     })
    /// });
    /// assert!(calls.len() > 12 && calls.iter().all(|call| call.returned));
    /// ```
    ///
    /// # Panics
    ///
    /// As the call does, having said where it hung up.
    #[track_caller]
    pub fn hang_up_everywhere<T>(&self, mut run: impl FnMut(Self) -> Call<T>) -> Vec<Call<T>> {
        let mut calls = Vec::new();
        for class in CLASSES {
            let caller = self.clone().class(class);
            let places = run(caller.clone()).places;
            for place in 1..=places {
                let mut caller = caller.clone();
                caller.hang_up_at = Some(place);
                calls.push(run(caller));
            }
        }
        calls
    }
}

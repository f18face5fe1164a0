//! The scripted caller.

mod call;
mod everywhere;
mod faults;
mod scripted;
mod step;
mod transcript;

use std::sync::Arc;
use std::time::Duration;

use agi_proto::BString;

pub use self::call::Call;
pub use self::everywhere::{CLASSES, Class};
use self::faults::Faults;
pub use self::faults::{Segmentation, hostile_values};
pub(crate) use self::scripted::Scripted;
use self::step::Step;
pub use self::transcript::Transcript;
use self::transcript::Watcher;
use crate::model::Setup;

/// How long a caller waits for a service that does nothing.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A caller with a script: what is expected of the service, and what the caller does, in this order.
///
/// ```
/// use agi_sim::{Caller, Link};
///
/// let call = Caller::new("agi://localhost/hello").expect_play("welcome").press("1").run(|call: &mut Link| {
///     let choice = call.stream_file("welcome", "0123456789").unwrap().digit().unwrap();
///     call.set_variable("CHOICE", choice.to_string()).unwrap();
/// });
/// assert_eq!(call.at_end().variable("CHOICE").unwrap(), "1");
/// ```
///
/// Steps before the first of which nothing has happened yet, such as variables, are there when the call
/// begins. A call that went otherwise panics with its transcript; a step that was not reached is such a call.
/// What a service does beyond the script is its own affair: a caller who has no steps left stays on the
/// line and does nothing.
///
/// Time is simulated: it passes only while the service waits for Asterisk, and then at once.
#[derive(Clone, Debug)]
#[must_use = "a caller calls when it is run"]
pub struct Caller {
    pub(crate) setup: Setup,
    steps: Vec<Step>,
    faults: Faults,
    patience: Duration,
    hang_up_at: Option<usize>,
    pub(crate) real_time: bool,
    watcher: Option<Watcher>,
}

impl Caller {
    /// A call to a URL such as `agi://localhost/pin?lang=en`, as `AGI()` in a dialplan takes it.
    pub fn new(url: &str) -> Self {
        Self::with(Setup::new(url))
    }

    /// A call that is like this.
    pub fn with(setup: Setup) -> Self {
        Self {
            setup,
            steps: Vec::new(),
            faults: Faults::default(),
            patience: PATIENCE,
            hang_up_at: None,
            real_time: false,
            watcher: None,
        }
    }

    // ---- what the call is like ----

    /// Changes what has no method of its own here.
    pub fn setup(mut self, change: impl FnOnce(&mut Setup)) -> Self {
        change(&mut self.setup);
        self
    }

    /// The caller's name and number, as they are shown.
    pub fn caller_id(mut self, name: impl Into<BString>, number: impl Into<BString>) -> Self {
        self.setup.caller_name = Some(name.into());
        self.setup.caller_number = Some(number.into());
        self
    }

    /// One more argument behind the URL.
    pub fn arg(mut self, argument: impl Into<BString>) -> Self {
        self.setup.arguments.push(argument.into());
        self
    }

    /// A sound file that lasts so long.
    pub fn sound(mut self, file: impl Into<BString>, lasts: Duration) -> Self {
        self.setup.sounds.insert(file.into(), lasts);
        self
    }

    /// A sound file that is missing.
    pub fn missing_sound(mut self, file: impl Into<BString>) -> Self {
        self.setup.missing_sounds.insert(file.into());
        self
    }

    /// An entry of Asterisk's database.
    pub fn database(mut self, family: &str, key: &str, value: impl Into<BString>) -> Self {
        self.setup.database.insert(format!("{family}/{key}").into(), value.into());
        self
    }

    /// Where nothing else is going to happen, the call fails after so long. One hour by default, simulated.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Over TCP: time passes as it does. By default what plays is over at once there too, which a service
    /// notices that cuts prompts short by a clock of its own.
    pub fn in_real_time(mut self) -> Self {
        self.real_time = true;
        self
    }

    /// Tells each line of the [`Transcript`] as it happens.
    pub fn watched(mut self, watcher: impl Fn(Duration, &str) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Watcher(Arc::new(watcher)));
        self
    }

    // ---- what is expected ----

    /// The next thing that the caller hears, behind what steps before this one named, is this file. The next step comes
    /// when it begins.
    pub fn expect_play(self, file: impl Into<BString>) -> Self {
        self.then(Step::Play(file.into()))
    }

    /// The next thing that the caller hears is this, said by one of the SAY commands.
    pub fn expect_say(self, text: impl Into<BString>) -> Self {
        self.then(Step::Say(text.into()))
    }

    /// Waits until the caller hears this file, whatever was heard before.
    pub fn await_play(self, file: impl Into<BString>) -> Self {
        self.then(Step::AwaitPlay(file.into()))
    }

    /// Waits for a command line that begins like this, in upper or lower case, whatever came before.
    pub fn expect_command(self, begin: impl Into<BString>) -> Self {
        self.then(Step::Command(begin.into()))
    }

    // ---- what the caller does ----

    /// Sets a channel variable; as the first step, before the call begins.
    pub fn set_variable(mut self, name: impl Into<BString>, value: impl Into<BString>) -> Self {
        if self.steps.is_empty() {
            self.setup.variables.insert(name.into(), value.into());
            return self;
        }
        self.then(Step::SetVariable(name.into(), value.into()))
    }

    /// Presses keys as people do: the first one 200 ms after a command has begun that takes it, and the others
    /// 100 ms after one another, whether or not somebody listens still.
    ///
    /// # Panics
    ///
    /// For a key that no phone has: there are `0` to `9`, `*`, `#`, and `A` to `D`.
    #[track_caller]
    pub fn press(self, keys: &str) -> Self {
        self.then(Step::press(keys, false))
    }

    /// Presses keys at once, whether or not anybody listens: Asterisk loses digits that no command takes.
    ///
    /// # Panics
    ///
    /// As [`press`](Self::press) does.
    #[track_caller]
    pub fn press_blindly(self, keys: &str) -> Self {
        self.then(Step::press(keys, true))
    }

    /// Listens until what plays is over.
    pub fn listen_to_the_end(self) -> Self {
        self.then(Step::Listen)
    }

    /// Does nothing for so long.
    pub fn wait(self, time: Duration) -> Self {
        self.then(Step::Wait(time))
    }

    /// Sends a text as soon as a command waits for one.
    pub fn text(self, text: impl Into<BString>) -> Self {
        self.then(Step::Text(text.into()))
    }

    /// Says something as soon as the speech engine listens behind its prompt.
    pub fn speak(self, text: impl Into<BString>) -> Self {
        self.then(Step::Speak(text.into()))
    }

    /// Hangs up.
    pub fn hang_up(self) -> Self {
        self.then(Step::HangUp)
    }

    /// Hangs up so long after the step before.
    pub fn hang_up_after(self, time: Duration) -> Self {
        self.wait(time).hang_up()
    }

    // ---- faults ----

    /// Cuts Asterisk's bytes on their way.
    pub fn segmented(mut self, segmentation: Segmentation) -> Self {
        self.faults.segmentation = segmentation;
        self
    }

    /// Delays each piece of Asterisk's by a random time up to this.
    pub fn delayed(mut self, most: Duration) -> Self {
        self.faults.delay = most;
        self
    }

    /// What random cuts and delays depend on. The same seed makes the same call.
    pub fn seed(mut self, seed: u64) -> Self {
        self.faults.seed = seed;
        self
    }

    /// The connection is reset.
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    /// The PBX ends its direction and still reads, which Asterisk never does.
    pub fn half_close(self) -> Self {
        self.then(Step::HalfClose)
    }

    /// The PBX says no more, and keeps the connection.
    pub fn fall_silent(self) -> Self {
        self.then(Step::FallSilent)
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

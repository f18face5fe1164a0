//! What a caller does and expects, one step after the other.

use std::fmt;
use std::time::Duration;

use agi_proto::{BStr, BString, Digit};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Play(BString),
    AwaitPlay(BString),
    Say(BString),
    Command(BString),
    Listen,
    Wait(Duration),
    Press { keys: String, blindly: bool },
    Text(BString),
    Speak(BString),
    SetVariable(BString, BString),
    HangUp,
    Reset,
    HalfClose,
    FallSilent,
}

impl Step {
    #[track_caller]
    pub(super) fn press(keys: &str, blindly: bool) -> Self {
        if let Some(key) = keys.chars().find(|key| Digit::new(*key).is_none()) {
            panic!("{key:?} in {keys:?} is no key");
        }
        Self::Press { keys: keys.into(), blindly }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Play(file) => write!(f, "expect_play({:?})", BStr::new(file)),
            Self::AwaitPlay(file) => write!(f, "await_play({:?})", BStr::new(file)),
            Self::Say(text) => write!(f, "expect_say({:?})", BStr::new(text)),
            Self::Command(line) => write!(f, "expect_command({:?})", BStr::new(line)),
            Self::Listen => f.write_str("listen_to_the_end()"),
            Self::Wait(time) => write!(f, "wait({time:?})"),
            Self::Press { keys, blindly: false } => write!(f, "press({keys:?})"),
            Self::Press { keys, blindly: true } => write!(f, "press_blindly({keys:?})"),
            Self::Text(text) => write!(f, "text({:?})", BStr::new(text)),
            Self::Speak(text) => write!(f, "speak({:?})", BStr::new(text)),
            Self::SetVariable(name, _) => write!(f, "set_variable({:?}, ..)", BStr::new(name)),
            Self::HangUp => f.write_str("hang_up()"),
            Self::Reset => f.write_str("reset()"),
            Self::HalfClose => f.write_str("half_close()"),
            Self::FallSilent => f.write_str("fall_silent()"),
        }
    }
}

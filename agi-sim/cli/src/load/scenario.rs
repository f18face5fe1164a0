//! What the callers do.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use agi_sim::agi_proto::Digit;
use agi_sim::{Setup, Unknown};
use clap::ValueEnum;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::at;

/// The scenarios that need no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BuiltIn {
    /// Commands are answered at once, and nobody presses a key.
    Short,
    /// Callers press keys wherever a command listens.
    Ivr,
    /// Callers hang up after a few commands, each after another number.
    Hangup,
    /// Every answer takes 50 ms, and comes in two pieces.
    Slow,
    /// Names and variables hold line ends and forged answers, and bytes come one by one.
    Hostile,
}

/// What the callers do, as a file in TOML says it. Everything may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Scenario {
    /// The arguments behind the URL.
    pub(super) arguments: Vec<String>,
    pub(super) caller_name: Option<String>,
    pub(super) caller_number: Option<String>,
    pub(super) language: Option<String>,
    /// The version that Asterisk says it has, and behaves like.
    pub(super) version: Option<String>,
    /// The channel's variables. AGISIGHUP and AGIEXITONHANGUP among them steer the session.
    pub(super) variables: BTreeMap<String, String>,
    /// What callers press wherever a command listens.
    #[serde(deserialize_with = "keys")]
    pub(super) keys: String,
    /// After how many commands callers hang up, in turn: 0 is before the first. None hangs up where it is empty.
    pub(super) hang_up_after: Vec<usize>,
    /// How long the second half of each answer waits.
    pub(super) delay_ms: u64,
    /// How many bytes are sent at once; 0 for all of them.
    pub(super) bytes_at_once: usize,
    /// Whether the variable NOTE holds line ends and forged answers, each call others.
    pub(super) hostile_values: bool,
}

fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let keys = String::deserialize(deserializer)?;
    match keys.chars().find(|key| Digit::new(*key).is_none()) {
        Some(key) => Err(D::Error::custom(format_args!("{key:?} is no key"))),
        None => Ok(keys),
    }
}

impl From<BuiltIn> for Scenario {
    fn from(scenario: BuiltIn) -> Self {
        let quiet = Self::default();
        match scenario {
            BuiltIn::Short => quiet,
            BuiltIn::Ivr => Self { keys: "1234#".into(), ..quiet },
            BuiltIn::Hangup => Self { hang_up_after: (1..=8).collect(), ..quiet },
            BuiltIn::Slow => Self { delay_ms: 50, ..quiet },
            BuiltIn::Hostile => Self { hostile_values: true, bytes_at_once: 1, ..quiet },
        }
    }
}

impl Scenario {
    pub(super) fn read(file: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(file).map_err(at(file.display()))?;
        let invalid = |error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is no scenario: {error}", file.display()))
        };
        toml::from_str(&text).map_err(invalid)
    }

    /// The call and its PBX, but for what differs from call to call.
    pub(super) fn setup(&self, url: &str) -> Setup {
        let mut setup = Setup::new(url);
        setup.arguments = self.arguments.iter().map(|argument| argument.as_str().into()).collect();
        setup.unknown_applications = Unknown::Accept;
        setup.unknown_functions = Unknown::Accept;
        let text = |given: &Option<String>| given.as_deref().map(Into::into);
        setup.caller_name = text(&self.caller_name).or(setup.caller_name);
        setup.caller_number = text(&self.caller_number).or(setup.caller_number);
        setup.language = text(&self.language).unwrap_or(setup.language);
        setup.version = text(&self.version).unwrap_or(setup.version);
        for (name, value) in &self.variables {
            setup.variables.insert(name.as_str().into(), value.as_str().into());
        }
        if self.hostile_values {
            // a forged environment is refused by good services, which is no call: so only values are hostile
            setup.account_code = b"caf\xe9 \xff".as_slice().into();
        }
        setup
    }

    /// After how many commands this call is hung up.
    pub(super) fn hang_up_after(&self, number: usize) -> Option<usize> {
        let turn = number.checked_rem(self.hang_up_after.len())?;
        self.hang_up_after.get(turn).copied()
    }

    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_callers_do() {
        let scenario: Scenario = toml::from_str(
            "arguments = [\"en\"]\ncaller_number = \"42\"\nkeys = \"1#\"\nhang_up_after = [0, 3]\ndelay_ms = 5\n\
             [variables]\nAGISIGHUP = \"no\"\n",
        )
        .expect("a scenario");
        let setup = scenario.setup("agi://localhost/x");
        assert_eq!((setup.arguments.len(), setup.caller_number), (1, Some("42".into())));
        assert_eq!(setup.variables.len(), 1);
        assert_eq!(setup.caller_name, Some("Ada".into()), "what is not said is as ever");
        let after: Vec<_> = (0..3).map(|number| scenario.hang_up_after(number)).collect();
        assert_eq!(after, [Some(0), Some(3), Some(0)]);
        assert_eq!(Scenario::default().hang_up_after(5), None);
    }

    #[test]
    fn a_word_that_means_nothing_is_an_error() {
        assert!(toml::from_str::<Scenario>("key = \"1\"").is_err());
        let error = toml::from_str::<Scenario>("keys = \"1x\"").expect_err("no phone has it");
        assert!(error.to_string().contains("'x' is no key"), "{error}");
    }
}

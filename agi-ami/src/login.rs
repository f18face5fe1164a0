//! Who logs in, and how the secret is proved.

use alloc::string::String;
use core::fmt;

use md5::{Digest, Md5};

use crate::action::{self, ActionError};

/// The user of `manager.conf` that a connection logs in as.
///
/// The least rights that do are `read = agi,call` and `write = agi,call`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) username: String,
    pub(crate) secret: String,
    pub(crate) plain: bool,
}

impl Credentials {
    /// Returns credentials whose secret does not travel: its MD5 hash with a challenge does.
    ///
    /// # Errors
    ///
    /// [`ActionError`] for a name or a secret that no header can carry.
    pub fn new(username: impl Into<String>, secret: impl Into<String>) -> Result<Self, ActionError> {
        let (username, secret) = (username.into(), secret.into());
        action::check("Login", "Username", username.as_bytes())?;
        action::check("Login", "Secret", secret.as_bytes())?;
        Ok(Self { username, secret, plain: false })
    }

    /// Sends the secret itself: for proxies that know no challenge.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// The answer to a challenge: the MD5 hash of the challenge and the secret, as Asterisk compares it.
    pub(crate) fn key(&self, challenge: &[u8]) -> String {
        let hash = Md5::new().chain_update(challenge).chain_update(&self.secret).finalize();
        hash.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect()
    }
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).expect("four bits are a hexadecimal digit")
}

/// Shows no secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { username, plain, .. } = self;
        f.debug_struct("Credentials")
            .field("username", username)
            .field("plain", plain)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_md5_of_challenge_and_secret() {
        let credentials = Credentials::new("agi", "sekret").expect("valid");
        // printf 193235648sekret | md5sum
        assert_eq!(credentials.key(b"193235648"), "91aa9b0dbc7aaf2c33d4e1e437e7d02a");
    }

    #[test]
    fn the_secret_is_not_shown() {
        let shown = alloc::format!("{:?}", Credentials::new("agi", "sekret").expect("valid"));
        assert!(shown.contains("agi") && !shown.contains("sekret"), "{shown}");
    }

    #[test]
    fn what_would_be_a_header_of_its_own_is_refused() {
        assert!(Credentials::new("agi\r\nEvents: off", "s").is_err());
        assert!(Credentials::new("agi", "s\nEvents: off").is_err());
    }
}

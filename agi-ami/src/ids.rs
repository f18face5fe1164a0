//! CommandIDs: whose command it is, of which call, and what it is for.
//!
//! ```text
//! id = [ ( "claim" / "ask" ) ":" service ":" ] nonce "-" call "-" number
//! ```
//!
//! They are unique over sessions and processes, because a command that was left in a channel's queue runs in the
//! *next* `agi:async` of that channel, and its result is told to every service.

use alloc::format;
use alloc::string::String;
use core::str;

/// The name of a call within one [`Connection`](crate::Connection), which never uses it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(crate) u64);

/// What a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A command of the application, a poke, the break.
    Command,
    /// The service wants the call, or says that it still has it.
    Claim,
    /// The service asks whether another one still has the call.
    Ask,
}

/// The command that a result belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// The call and the number of the command, if this connection sent it.
    pub(crate) own: Option<(CallId, u64)>,
    /// `Command` for whatever does not say so.
    pub(crate) purpose: Purpose,
}

/// Makes and reads CommandIDs.
#[derive(Debug)]
pub(crate) struct Ids {
    pub(crate) nonce: u64,
    pub(crate) service: Option<String>,
}

impl Ids {
    pub(crate) fn make(&self, call: CallId, number: u64, purpose: Purpose) -> String {
        let own = format!("{:016x}-{}-{number}", self.nonce, call.0);
        let service = self.service.as_deref().unwrap_or_default();
        match purpose {
            Purpose::Command => own,
            Purpose::Claim => format!("claim:{service}:{own}"),
            Purpose::Ask => format!("ask:{service}:{own}"),
        }
    }

    pub(crate) fn read(&self, id: Option<&[u8]>) -> Tag {
        let id = id.and_then(|id| str::from_utf8(id).ok()).unwrap_or_default();
        let (purpose, id) = match id.split_once(':') {
            Some(("claim", rest)) => (Purpose::Claim, rest),
            Some(("ask", rest)) => (Purpose::Ask, rest),
            _ => (Purpose::Command, id),
        };
        let own = id.rsplit_once(':').map_or(id, |(_, own)| own);
        Tag { own: self.own(own), purpose }
    }

    fn own(&self, id: &str) -> Option<(CallId, u64)> {
        let mut parts = id.split('-');
        let (nonce, call, number) = (parts.next()?, parts.next()?, parts.next()?);
        let is_own = nonce == format!("{:016x}", self.nonce) && parts.next().is_none();
        Some((CallId(call.parse().ok()?), number.parse().ok()?)).filter(|_| is_own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_whose_it_is_and_what_for() {
        let ids = Ids { nonce: 7, service: Some("a b".into()) };
        let other = Ids { nonce: 8, service: None };
        for purpose in [Purpose::Command, Purpose::Claim, Purpose::Ask] {
            let id = ids.make(CallId(3), 12, purpose);
            assert_eq!(ids.read(Some(id.as_bytes())), Tag { own: Some((CallId(3), 12)), purpose }, "{id}");
            assert_eq!(other.read(Some(id.as_bytes())), Tag { own: None, purpose }, "{id}");
        }
        assert_eq!(ids.make(CallId(3), 12, Purpose::Claim), "claim:a b:0000000000000007-3-12");
    }

    #[test]
    fn any_other_text_is_nobodys() {
        let ids = Ids { nonce: 7, service: None };
        let own = "0000000000000007";
        for id in
            ["", "7-3-12", "claim:", &format!("{own}-3"), &format!("{own}-3-1-1"), &format!("{own}-x-1")]
        {
            assert_eq!(ids.read(Some(id.as_bytes())).own, None, "{id}");
        }
        assert_eq!(ids.read(None), Tag { own: None, purpose: Purpose::Command });
        assert_eq!(ids.read(Some(b"\xff")), Tag { own: None, purpose: Purpose::Command });
    }
}

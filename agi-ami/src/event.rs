//! What a connection reports.

use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::CallId;
use crate::pipe::Cut;

/// What [`Connection::poll_event`](crate::Connection::poll_event) reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The login is done; calls come from now on.
    Ready,
    /// A call is this service's. [`Connection::send`](crate::Connection::send) takes its command lines.
    Started {
        /// The call.
        call: CallId,
        /// Its channel's Uniqueid.
        uniqueid: Vec<u8>,
        /// The environment block, its empty line included.
        environment: Vec<u8>,
    },
    /// The command that was sent has begun to run. Not reported where an `eventfilter` hides `AGIExecStart`.
    Begun {
        /// The call.
        call: CallId,
    },
    /// The whole reply to the command that was sent, its line ends included.
    Reply {
        /// The call.
        call: CallId,
        /// As over FastAGI; a 520 block, or GOSUB's `100` and `200`, in one piece.
        reply: Vec<u8>,
    },
    /// The reply to the command that was sent cannot be told whole. The command ran, and the call goes on.
    Cut {
        /// The call.
        call: CallId,
        /// Why, and the way out.
        cut: Cut,
    },
    /// The call is over for this service; nothing more is reported of it. Commands that had not been answered may or
    /// may not have run.
    Ended {
        /// The call.
        call: CallId,
        /// What ended it.
        end: End,
    },
    /// A call came and is not served.
    Refused {
        /// Its channel's Uniqueid.
        uniqueid: Vec<u8>,
        /// Why, and so what became of it.
        refusal: Refusal,
    },
    /// A call was found waiting that nobody serves. If it is adopted, [`Started`](Self::Started) follows.
    Orphan {
        /// Its channel's Uniqueid.
        uniqueid: Vec<u8>,
        /// What becomes of it.
        fate: Fate,
    },
    /// The manager user may not do this, so that the connection goes on without it; reported once for each action.
    Denied {
        /// The action.
        action: &'static str,
        /// What Asterisk said.
        message: String,
    },
    /// Asterisk closed the connection; reported once, after the end of each call.
    Closed,
}

/// What ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The caller hung up, or the channel was redirected.
    Hangup,
    /// `ASYNCAGI BREAK` was run: the dialplan goes on.
    Broke,
    /// A command failed on a living channel, which ends the session and lets the dialplan go on with
    /// `AGISTATUS=FAILURE`. STREAM FILE, CONTROL STREAM FILE and GET OPTION without their file do it, RECORD FILE that
    /// cannot write, RECEIVE CHAR that times out, and GOSUB without its label. FastAGI goes on then.
    Failed,
    /// The channel is not in Async AGI any more, and Asterisk did not say when it left: it was masqueraded away, as by
    /// the manager's `Bridge`, or it vanished.
    Gone,
    /// The connection was lost. The call may still wait in Asterisk; see [`Orphans`](crate::Orphans).
    Lost,
}

impl End {
    /// Returns what FastAGI's Asterisk says before it closes in this case, which an
    /// `agi_proto::Session` takes as the hangup.
    #[must_use]
    pub const fn agi_line(self) -> &'static [u8] {
        match self {
            Self::Hangup | Self::Broke | Self::Failed | Self::Gone => b"HANGUP\n",
            Self::Lost => b"",
        }
    }
}

/// Why a call is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There are [`max_calls`](crate::Options::max_calls) already. It is left to the other services if there is a
    /// claim, and broken out if not.
    Full,
    /// Its environment cannot be told whole. It is broken out.
    Environment(Cut),
    /// Its Uniqueid cannot stand in an action. It stays as it is.
    Uniqueid,
}

/// What becomes of a call that nobody serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It stays as it is.
    Left,
    /// It is broken out: the dialplan goes on.
    Broken,
    /// It is served from the beginning.
    Adopted,
}

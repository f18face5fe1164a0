//! What happens in a call, by the names that the guide gives it.

/// What happens in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// The script waits for nothing of Asterisk's when the channel is hung up.
    Idle,
    /// The same when the other party hangs up.
    IdleFar,
    /// The same, and the script asks now and then.
    Polled,
    /// The manager sends the channel elsewhere.
    Redirected,
    /// A command runs when the channel is hung up.
    Pending(Pending),
    /// The script sends one command after another, also at that moment.
    Busy,
    /// Commands follow the hangup.
    Commands,
    /// The script ends the conversation, nobody hangs up.
    End,
    /// The same after it dropped a command that runs on.
    EndDropped,
    /// The same after it dropped a command that stops.
    EndDroppedPrompt,
    /// The same with a reply that it did not read.
    EndUnread,
    /// The script ends the conversation after it dropped a command, and the channel is hung up.
    EndHungUp,
}

/// A command that runs when the channel is hung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    StreamFile,
    ControlStreamFile,
    WaitForDigit,
    GetData,
    GetOption,
    SayNumber,
    RecordFile,
    ReceiveChar,
    ReceiveText,
    ExecWait,
    ExecDial,
    Gosub,
}

impl Pending {
    const ALL: [Self; 12] = [
        Self::StreamFile,
        Self::ControlStreamFile,
        Self::WaitForDigit,
        Self::GetData,
        Self::GetOption,
        Self::SayNumber,
        Self::RecordFile,
        Self::ReceiveChar,
        Self::ReceiveText,
        Self::ExecWait,
        Self::ExecDial,
        Self::Gosub,
    ];

    /// Its name in the guide.
    pub fn name(self) -> &'static str {
        match self {
            Self::StreamFile => "STREAM FILE",
            Self::ControlStreamFile => "CONTROL STREAM FILE",
            Self::WaitForDigit => "WAIT FOR DIGIT",
            Self::GetData => "GET DATA",
            Self::GetOption => "GET OPTION",
            Self::SayNumber => "SAY NUMBER",
            Self::RecordFile => "RECORD FILE",
            Self::ReceiveChar => "RECEIVE CHAR",
            Self::ReceiveText => "RECEIVE TEXT",
            Self::ExecWait => "EXEC Wait",
            Self::ExecDial => "EXEC Dial",
            Self::Gosub => "GOSUB",
        }
    }

    /// How its line begins.
    pub fn start(self) -> &'static str {
        match self {
            Self::ExecWait | Self::ExecDial => "EXEC",
            _ => self.name(),
        }
    }
}

impl Scenario {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let pending = Pending::ALL.map(Self::Pending);
        let others = [
            Self::Idle,
            Self::IdleFar,
            Self::Polled,
            Self::Redirected,
            Self::Busy,
            Self::Commands,
            Self::End,
            Self::EndDropped,
            Self::EndDroppedPrompt,
            Self::EndUnread,
            Self::EndHungUp,
        ];
        others.into_iter().chain(pending)
    }

    /// Its row in the guide.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "hung up while idle",
            Self::IdleFar => "the far leg hung up while idle",
            Self::Polled => "hung up while idle, and polled",
            Self::Redirected => "the manager sends the channel elsewhere",
            Self::Pending(pending) => pending.name(),
            Self::Busy => "hung up while commands come one after another",
            Self::Commands => "commands after the hangup",
            Self::End => "the script ends",
            Self::EndDropped => "the script ends, a dropped `EXEC Wait` runs",
            Self::EndDroppedPrompt => "the script ends, a dropped `STREAM FILE` runs",
            Self::EndUnread => "the script ends, a reply is unread",
            Self::EndHungUp => "the script ends and the channel is hung up, a dropped `EXEC Wait` runs",
        }
    }
}

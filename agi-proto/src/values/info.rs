//! Facts about commands that the session needs to match replies to them.

/// What the conversation must know of a command to keep replies paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandInfo {
    /// The command's words, such as `STREAM FILE`.
    pub name: &'static str,
    /// Whether Asterisk still runs it on a channel that is hung up; all others are answered 511.
    pub on_dead_channel: bool,
    /// What happens to it when another command comes while it runs.
    pub when_interrupted: WhenInterrupted,
    /// What its `200` response may look like.
    pub format: ReplyFormat,
    /// Whether a result of -1 may mean that the channel was hung up. The session then asks Asterisk
    /// (by `CHANNEL STATUS`, which a dead channel answers 511) before it hands the response out.
    pub failure_may_be_hangup: bool,
    /// The part of it that no log and no error may show.
    pub secrecy: Secrecy,
    /// What it has to do with music on hold.
    pub music: MusicEffect,
}

/// What a command has to do with music on hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MusicEffect {
    /// Nothing.
    #[default]
    Ignores,
    /// It switches the music on.
    Starts,
    /// It stops the music: `SET MUSIC off`, and each command that plays a file.
    Stops,
    /// It must not run while the music plays, so it is refused then: `RECORD FILE`, which corrupts Asterisk's memory, or
    /// is never answered.
    Breaks,
}

/// The part of a command that no log and no error may show, because it may be a PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secrecy {
    /// Nothing is secret.
    #[default]
    Open,
    /// The words of the line after the first so many: 3 shows `SET VARIABLE "name"` and hides the value.
    Arguments(u8),
    /// The reply, unless it says that the command failed.
    Reply,
    /// Both.
    ArgumentsAndReply(u8),
}

impl Secrecy {
    /// Returns how many words of the line may be shown, if not all.
    pub const fn shown_words(self) -> Option<usize> {
        match self {
            Self::Arguments(words) | Self::ArgumentsAndReply(words) => Some(words as usize),
            Self::Open | Self::Reply => None,
        }
    }

    /// Returns whether the reply is secret.
    pub const fn hides_reply(self) -> bool {
        matches!(self, Self::Reply | Self::ArgumentsAndReply(_))
    }
}

/// What happens to a running command when another one comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenInterrupted {
    /// It runs to its end and is answered.
    Continues,
    /// It stops at once; as a rule it is not answered then.
    Stops,
    /// It stops at once in EAGI, without an answer, and runs on otherwise.
    StopsInEagi,
}

/// What a `200` response may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyFormat {
    /// One line.
    Line,
    /// `200 result=1 (value)`, where the raw value may hold line ends. It ends with a line that ends in `)`;
    /// where such a line may be one within the value, the session finds out which it is.
    Value,
    /// `200 result=1 (speech) ...`, where recognised text stands raw and may hold line ends: SPEECH RECOGNIZE. Nothing
    /// tells its last line, so the session finds out where it ends. Any other response is one line.
    Speech,
    /// One line, and after a result of exactly 1 a whole 520 block: EXEC, whose application's return
    /// value Asterisk also takes for its own verdict on the command.
    Exec,
}

impl CommandInfo {
    /// A command that needs a live channel, runs on when another comes, and is answered in one line.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            on_dead_channel: false,
            when_interrupted: WhenInterrupted::Continues,
            format: ReplyFormat::Line,
            failure_may_be_hangup: false,
            secrecy: Secrecy::Open,
            music: MusicEffect::Ignores,
        }
    }

    /// A command that Asterisk still runs on a channel that is hung up.
    pub const fn on_dead_channel(mut self) -> Self {
        self.on_dead_channel = true;
        self
    }

    /// A command whose -1 may mean that the channel was hung up.
    pub const fn failure_may_be_hangup(mut self) -> Self {
        self.failure_may_be_hangup = true;
        self
    }

    /// What happens to it when another command comes.
    pub const fn when_interrupted(mut self, when_interrupted: WhenInterrupted) -> Self {
        self.when_interrupted = when_interrupted;
        self
    }

    /// What its response looks like.
    pub const fn format(mut self, format: ReplyFormat) -> Self {
        self.format = format;
        self
    }

    /// A command of which no log and no error may show this part.
    pub const fn secrecy(mut self, secrecy: Secrecy) -> Self {
        self.secrecy = secrecy;
        self
    }

    /// A command that has this to do with music on hold.
    pub const fn music(mut self, music: MusicEffect) -> Self {
        self.music = music;
        self
    }
}

//! What a call is to do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::time::Duration;

/// What the other party of a call does. It always answers at once, save for the last two.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FarLeg {
    /// Is silent until hung up.
    Wait,
    /// Presses these keys after a while.
    Dtmf {
        /// The while.
        delay: Duration,
        /// The keys.
        digits: String,
    },
    /// Sends a tone of 440 Hz.
    Tone,
    /// Sends silence, where [`Wait`](Self::Wait) sends nothing.
    Silence,
    /// Sends back what it hears.
    Echo,
    /// Hangs up after a while.
    Hangup {
        /// The while.
        delay: Duration,
    },
    /// Sends a text message after a while.
    Text {
        /// The while.
        delay: Duration,
        /// The message.
        text: Vec<u8>,
    },
    /// Is busy. As the near leg runs AGI only when the far leg has answered, this and
    /// [`NoAnswer`](Self::NoAnswer) are for [`Call::called_leg`] and for `EXEC Dial "Local/busy@far/n"`.
    Busy,
    /// Rings for ever; `Local/noanswer@far/n`.
    NoAnswer,
}

/// A call to be placed with [`Asterisk::call`](super::Asterisk::call).
#[derive(Debug, Clone)]
pub struct Call {
    agi: Vec<Vec<u8>>,
    far_leg: FarLeg,
    called_leg: bool,
    settings: Vec<(String, Vec<u8>)>,
    reports: Vec<String>,
}

impl Call {
    /// A call whose near leg runs AGI with this request: a URL, or a program in
    /// [`Asterisk::agi_dir`](super::Asterisk::agi_dir).
    #[must_use]
    pub fn to(request: impl Into<Vec<u8>>) -> Self {
        Self {
            agi: vec![request.into()],
            far_leg: FarLeg::Wait,
            called_leg: false,
            settings: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// Another argument, `agi_arg_1` and so on.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.agi.push(arg.into());
        self
    }

    /// What the other party does; silently waits unless told.
    #[must_use]
    pub fn far_leg(mut self, far_leg: FarLeg) -> Self {
        self.far_leg = far_leg;
        self
    }

    /// `AGISIGHUP`, unset unless told.
    #[must_use]
    pub fn sighup(self, value: &str) -> Self {
        self.preset("AGISIGHUP", value)
    }

    /// `AGIEXITONHANGUP`, unset unless told.
    #[must_use]
    pub fn exit_on_hangup(self, value: &str) -> Self {
        self.preset("AGIEXITONHANGUP", value)
    }

    /// Name and number of the caller.
    #[must_use]
    pub fn caller_id(self, name: impl Into<Vec<u8>>, number: impl Into<Vec<u8>>) -> Self {
        self.preset("CALLERID(name)", name).preset("CALLERID(num)", number)
    }

    /// A channel variable (or dialplan function) set before AGI runs. Any bytes but NUL; what is
    /// longer than about 700 bytes is appended in pieces, which functions do not take.
    #[must_use]
    pub fn preset(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// A channel variable, or a function such as `CALLERID(num)`, whose value after AGI the outcome
    /// is to hold. Up to four.
    #[must_use]
    pub fn report(mut self, name: &str) -> Self {
        assert!(self.reports.len() < 4, "a call reports four variables at most");
        self.reports.push(name.into());
        self
    }

    /// Whether the dialplan answers before AGI runs. That changes something only with
    /// [`called_leg`](Self::called_leg): the near leg of a call is up by then.
    #[must_use]
    pub fn answer(self, answer: bool) -> Self {
        self.preset("T_ANSWER", if answer { "1" } else { "0" })
    }

    /// Runs EAGI instead of AGI: the program hears the channel at descriptor 3.
    #[must_use]
    pub fn eagi(self, eagi: bool) -> Self {
        self.preset("T_EAGI", if eagi { "1" } else { "0" })
    }

    /// AGI runs on the leg that is called, which is ringing then, not answered.
    #[must_use]
    pub fn called_leg(mut self, called_leg: bool) -> Self {
        self.called_leg = called_leg;
        self
    }

    /// How long the dialplan waits after AGI before it hangs up; not at all unless told.
    #[must_use]
    pub fn linger(self, time: Duration) -> Self {
        self.preset("T_LINGER", seconds(time))
    }

    /// Runs AGI once more in the `h` extension, when the channel is hung up.
    #[must_use]
    pub fn agi_in_h(self, request: impl Into<Vec<u8>>) -> Self {
        let request = escape(&request.into());
        self.preset("T_H", "1").preset("T_AGI_H", request)
    }

    pub(super) fn reports(&self) -> &[String] {
        &self.reports
    }

    pub(super) fn is_called_leg(&self) -> bool {
        self.called_leg
    }

    /// The headers of the action that places the call.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let (far, far_variable) = match &self.far_leg {
            FarLeg::Wait => ("wait", None),
            FarLeg::Dtmf { delay, digits } => ("dtmf", Some((delay, format!("FAR_DIGITS={digits}")))),
            FarLeg::Tone => ("tone", None),
            FarLeg::Silence => ("silence", None),
            FarLeg::Echo => ("echo", None),
            FarLeg::Hangup { delay } => ("hangup", Some((delay, String::new()))),
            FarLeg::Text { delay, text } => {
                ("text", Some((delay, format!("FAR_TEXT={}", BASE64.encode(text)))))
            }
            FarLeg::Busy => ("busy", None),
            FarLeg::NoAnswer => ("noanswer", None),
        };
        let (called, context, extension) = if self.called_leg {
            ("Local/run@agi/n".into(), "far", far)
        } else {
            (format!("Local/{far}@far/n"), "agi", "run")
        };
        let mut headers = vec![
            ("Channel", called),
            ("Context", context.into()),
            ("Exten", extension.into()),
            ("Priority", "1".into()),
            ("Async", "true".into()),
            ("Timeout", "600000".into()),
        ];
        let mut variable = |text: String| headers.push(("Variable", text));
        if let Some((delay, other)) = far_variable {
            variable(format!("__FAR_DELAY={}", seconds(*delay)));
            if !other.is_empty() {
                variable(format!("__{other}"));
            }
        }
        for index in 0..4 {
            let name = self.reports.get(index).map_or("T_NONE", |name| name);
            variable(format!("T_REPORT{}={name}", index + 1));
        }
        let agi = self.agi.iter().map(|word| escape(word)).collect::<Vec<_>>().join(&b',');
        let mut count = 0;
        for (name, value) in self.settings.iter().chain([&("T_AGI".into(), agi)]) {
            if value.is_empty() {
                variable(format!("{name}="));
            }
            for (piece, bytes) in value.chunks(690).enumerate() {
                let keep = if piece == 0 { "T_NONE" } else { name };
                variable(format!("T_NAME{count}={name}"));
                variable(format!("T_KEEP{count}={keep}"));
                variable(format!("T_VALUE{count}={}", BASE64.encode(bytes)));
                count += 1;
            }
        }
        variable(format!("T_COUNT={count}"));
        headers
    }
}

fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

/// A word as an application's argument: nothing in it may part or join arguments.
fn escape(word: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(word.len());
    for &byte in word {
        if b",\"\\()[]".contains(&byte) {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    escaped
}

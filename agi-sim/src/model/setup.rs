//! What a call is like, and the PBX that it comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use agi_proto::{BString, Environment, Leniency};
use bstr::ByteSlice;

/// FastAGI's port.
const PORT: u16 = 4573;

/// So many arguments a call has at most; the last one holds what is more.
const ARGUMENTS: usize = 127;

/// What stands behind `agi://` or `hagi://`, however they are spelled; `None`: it is a process, or async.
pub(crate) fn network(request: &[u8]) -> Option<&[u8]> {
    let [first, rest @ ..] = request else { return None };
    let scheme_less = if first.eq_ignore_ascii_case(&b'h') { rest } else { request };
    let (scheme, rest) = scheme_less.split_at_checked(b"agi://".len())?;
    scheme.eq_ignore_ascii_case(b"agi://").then_some(rest)
}

/// What a PBX does with an application or a function that it does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// As Asterisk does: an application gives -2, a function is not set.
    #[default]
    Error,
    /// The application gives 0, the function keeps what is written to it.
    Accept,
}

/// What a dialplan subroutine does, for GOSUB. Its values are substituted as in the dialplan, with its arguments as
/// `${ARG1}` and so on.
///
/// ```
/// use agi_sim::{Link, Caller, Subroutine};
///
/// let rate = Subroutine::returning("${ARG2} cents in ${ARG1}");
/// let caller = Caller::new("agi://localhost/").setup(|setup| {
///     setup.subroutines.insert("subs,rate,1".into(), rate);
/// });
/// let call = caller.run(|call: &mut Link| {
///     call.gosub("subs", "rate", "1").unwrap();
///     call.get_variable("GOSUB_RETVAL").unwrap()
/// });
/// assert_eq!(call.returned.unwrap(), " cents in ", "it got no arguments");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subroutine {
    /// How long it runs.
    pub takes: Duration,
    /// Variables that it sets.
    pub sets: Vec<(BString, BString)>,
    /// What it returns; `None` for one that ends without Return.
    pub returns: Option<BString>,
    /// It ends by hanging up.
    pub hangs_up: bool,
}

impl Subroutine {
    /// One that returns this at once.
    pub fn returning(value: impl Into<BString>) -> Self {
        Self { returns: Some(value.into()), ..Self::default() }
    }
}

/// What an application does, for EXEC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Application {
    /// How long it runs.
    pub takes: Duration,
    /// What it gives: 1 makes Asterisk send a usage text too.
    pub value: i32,
    /// Variables that it sets.
    pub sets: Vec<(BString, BString)>,
}

impl Application {
    /// One that gives this at once.
    pub fn giving(value: i32) -> Self {
        Self { value, ..Self::default() }
    }
}

/// What the far leg sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audio {
    /// Nothing at all.
    None,
    /// Silence, which ends a recording that waits for silence.
    #[default]
    Silence,
    /// Speech without a pause.
    Speech,
}

/// What becomes of EXEC Dial.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Callee {
    /// It is busy.
    Busy,
    /// It rings as long as the dialplan lets it.
    NoAnswer,
    /// It answers, talks so long, and hangs up.
    Answers(Duration),
}

/// What a call is like, and the PBX that it comes from. Made by [`Setup::new`]; then change what matters.
///
/// ```
/// let mut setup = agi_sim::Setup::new("agi://localhost/pin");
/// setup.version = "16.28.0".into();
/// setup.variables.insert("AGISIGHUP".into(), "no".into());
/// assert_eq!(setup.command_limit(), 2047);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setup {
    /// What stands in the dialplan's `AGI()`: a URL, or the name of a script.
    pub request: BString,
    /// The dialplan's arguments behind it.
    pub arguments: Vec<BString>,
    /// The version that Asterisk says it has, and behaves like.
    pub version: BString,
    /// The channel's name. Its part before the `/` is its type.
    pub channel: BString,
    /// The channel's unique id.
    pub unique_id: BString,
    /// The caller's name.
    pub caller_name: Option<BString>,
    /// The caller's number.
    pub caller_number: Option<BString>,
    /// How the caller's number may be shown: 0 as a rule, 67 where there is none.
    pub presentation: u8,
    /// The number that was called.
    pub dialled: Option<BString>,
    /// The channel's language.
    pub language: BString,
    /// Where the dialplan stands.
    pub context: BString,
    /// The extension that runs.
    pub extension: BString,
    /// The priority that runs.
    pub priority: u32,
    /// The channel's account code.
    pub account_code: BString,
    /// Whether the call is answered already.
    pub answered: bool,
    /// Whether the call is hung up already: AGI in the extension `h`.
    pub dead: bool,
    /// Whether the script gets audio: EAGI.
    pub enhanced: bool,
    /// What the far leg sends, and so what there is to record.
    pub audio: Audio,
    /// Whether the channel carries text.
    pub text: bool,
    /// Whether a speech engine is there.
    pub speech: bool,
    /// The channel's variables. AGISIGHUP and AGIEXITONHANGUP among them steer the session.
    pub variables: BTreeMap<BString, BString>,
    /// Asterisk's database, by `family/key`.
    pub database: BTreeMap<BString, BString>,
    /// The sound files that are there, and how long they last. What is recorded is there, too, from then on.
    pub sounds: BTreeMap<BString, Duration>,
    /// How long a sound lasts that is not among [`sounds`](Self::sounds); `None`: it is missing.
    pub unknown_sound: Option<Duration>,
    /// The sound files that are missing all the same.
    pub missing_sounds: BTreeSet<BString>,
    /// How long it takes to say one letter, digit or word.
    pub word: Duration,
    /// What becomes of applications that are not there.
    pub unknown_applications: Unknown,
    /// What becomes of functions that are not there.
    pub unknown_functions: Unknown,
    /// Applications beside the ones that the model knows, by name in lower case.
    pub applications: BTreeMap<BString, Application>,
    /// Subroutines by `context,extension,priority`.
    pub subroutines: BTreeMap<BString, Subroutine>,
    /// Who can be dialled, by the first argument of Dial. Others are not available.
    pub callees: BTreeMap<BString, Callee>,
    /// Labels that SET PRIORITY finds.
    pub labels: Vec<BString>,
    /// Other channels, and their states.
    pub channels: BTreeMap<BString, u8>,
    /// Folders that nothing can be recorded to.
    pub unwritable: Vec<BString>,
    /// The documentation of commands, for the 520; without an entry the model has a line of its own.
    pub usage: BTreeMap<BString, BString>,
    /// Whether Asterisk has its documentation. Without, a 520 is a single line.
    pub documented: bool,
    /// How many bytes the script's side takes unread; replies beyond are lost after 100 ms.
    pub window: Option<usize>,
    /// The time of day when the call begins, in seconds since 1970.
    pub epoch: u64,
}

impl Setup {
    /// An answered call of `Ada <15551234567>` over PJSIP from an Asterisk 22. All sounds are there, three
    /// seconds long.
    pub fn new(request: impl Into<BString>) -> Self {
        Self {
            request: request.into(),
            arguments: Vec::new(),
            version: "22.10.1".into(),
            channel: "PJSIP/100-00000001".into(),
            unique_id: "1700000000.1".into(),
            caller_name: Some("Ada".into()),
            caller_number: Some("15551234567".into()),
            presentation: 0,
            dialled: Some("100".into()),
            language: "en".into(),
            context: "default".into(),
            extension: "100".into(),
            priority: 1,
            account_code: BString::default(),
            answered: true,
            dead: false,
            enhanced: false,
            audio: Audio::Silence,
            text: true,
            speech: false,
            variables: BTreeMap::new(),
            database: BTreeMap::new(),
            sounds: BTreeMap::new(),
            unknown_sound: Some(Duration::from_secs(3)),
            missing_sounds: BTreeSet::new(),
            word: Duration::from_millis(500),
            unknown_applications: Unknown::Error,
            unknown_functions: Unknown::Error,
            applications: BTreeMap::new(),
            subroutines: BTreeMap::new(),
            callees: BTreeMap::new(),
            labels: Vec::new(),
            channels: BTreeMap::new(),
            unwritable: Vec::new(),
            usage: BTreeMap::new(),
            documented: true,
            window: None,
            epoch: 1_700_000_000,
        }
    }

    /// The longest command line with its LF that this version takes.
    pub fn command_limit(&self) -> usize {
        self.announced().version().command_limit()
    }

    /// Where the URL says that the service listens, as `host:port`; `None` where it is no `agi://` or `hagi://`. The
    /// host of a `hagi://` is not asked for in the DNS's way: it stands for itself.
    ///
    /// ```
    /// assert_eq!(agi_sim::Setup::new("agi://[::1]/pin").address().unwrap(), "[::1]:4573");
    /// ```
    pub fn address(&self) -> Option<String> {
        let rest = network(&self.request)?.to_str().ok()?;
        let host = rest.split('/').next().filter(|host| !host.is_empty())?;
        let (name, port) = match host.rsplit_once(':') {
            Some((name, _)) if name.contains(':') && !host.starts_with('[') => (format!("[{host}]"), ""),
            Some((name, port)) if !name.starts_with('[') || name.ends_with(']') => (name.to_owned(), port),
            _ => (host.to_owned(), ""),
        };
        let is_given = !port.trim_start_matches('0').is_empty();
        Some(if is_given { format!("{name}:{port}") } else { format!("{name}:{PORT}") })
    }

    /// The environment block that Asterisk begins with, line by line.
    pub fn environment(&self) -> Vec<(String, BString)> {
        let mut lines: Vec<(String, BString)> = Vec::new();
        let mut add = |name: &str, value: &[u8]| lines.push((format!("agi_{name}"), value.into()));
        if let Some(rest) = network(&self.request) {
            add("network", b"yes");
            let path = rest.iter().position(|&byte| byte == b'/').map_or(&b""[..], |at| &rest[at + 1..]);
            if !path.is_empty() {
                add("network_script", path);
            }
        }
        let unknown = |value: &Option<BString>| match value {
            Some(value) if !value.is_empty() => value.clone(),
            _ => "unknown".into(),
        };
        let kind = self.channel.split(|&byte| byte == b'/').next().unwrap_or_default();
        add("request", &self.request);
        add("channel", &self.channel);
        add("language", &self.language);
        add("type", kind);
        add("uniqueid", &self.unique_id);
        add("version", &self.version);
        add("callerid", &unknown(&self.caller_number));
        add("calleridname", &unknown(&self.caller_name));
        add("callingpres", self.presentation.to_string().as_bytes());
        add("callingani2", b"0");
        add("callington", b"0");
        add("callingtns", b"0");
        add("dnid", &unknown(&self.dialled));
        add("rdnis", b"unknown");
        add("context", &self.context);
        add("extension", &self.extension);
        add("priority", self.priority.to_string().as_bytes());
        add("enhanced", if self.enhanced { b"1.0" } else { b"0.0" });
        add("accountcode", &self.account_code);
        add("threadid", b"140022982756032");
        for (number, argument) in self.arguments.iter().take(ARGUMENTS - 1).enumerate() {
            add(&format!("arg_{}", number + 1), argument);
        }
        if let Some(rest @ [_, ..]) = self.arguments.get(ARGUMENTS - 1..) {
            add(&format!("arg_{ARGUMENTS}"), &bstr::join(",", rest));
        }
        lines
    }

    /// Whether this version has what came with these ones, each a branch's `(major, minor)`, the last one that of
    /// all branches since. A version that says nothing is taken for a new one.
    pub(crate) fn has(&self, branches: &[(u32, u32)]) -> bool {
        let Some(release) = self.announced().version().release() else { return true };
        let of_branch = |&(major, minor): &(u32, u32)| release.0 == major && release.1 >= minor;
        branches.last().is_none_or(|last| release >= *last) || branches.iter().any(of_branch)
    }

    fn announced(&self) -> Environment {
        let line = self.version.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let block = [b"agi_version: ", line, b"\n"].concat();
        Environment::parse(&block, Leniency::ALL).expect("one good line")
    }
}

//! Any command through the encoder and back through Asterisk's splitter.

use std::time::Duration;

use agi_proto::arguments::split;
use agi_proto::commands::control::Verbosity;
use agi_proto::commands::{
    Answer, ChannelStatus, Exec, GetData, GetFullVariable, GetVariable, HangUp, Noop, SetVariable,
    StreamFile, Verbose, WaitForDigit,
};
use agi_proto::{Command, CommandLine, EncodeError, EscapeDigits, Raw};
use arbitrary::{Result, Unstructured};

/// One command with arguments out of the input, the words that Asterisk must see, and whether a value
/// stands in it that Asterisk would misread.
struct Case {
    name: &'static str,
    written: std::result::Result<Vec<u8>, EncodeError>,
    words: Vec<Vec<u8>>,
    misread: bool,
}

impl Case {
    fn new<C: Command>(limit: usize, command: C, arguments: Vec<Vec<u8>>) -> Self {
        let name = command.info().name;
        let mut out = b"before".to_vec();
        let mut line = CommandLine::new(&mut out, name, limit);
        command.encode(&mut line);
        let result = line.finish();
        let after = out.strip_prefix(b"before").expect("what stood there stays").to_vec();
        assert!(result.is_ok() || after.is_empty(), "{name}: a refusal left something behind");
        let words = name.split(' ').map(|word| word.as_bytes().to_vec()).chain(arguments).collect();
        Self { name, written: result.map(|()| after), words, misread: false }
    }

    fn misread(self, misread: bool) -> Self {
        Self { misread, ..self }
    }
}

/// How a command is made of the input; the limit of the line comes along.
type Make = fn(&mut Unstructured<'_>, usize) -> Result<Case>;

/// One row a command: add those that join.
const COMMANDS: [Make; 13] = [
    |_, limit| Ok(Case::new(limit, Answer::new(), vec![])),
    |u, limit| {
        let channel = optional(u, text)?;
        let command = channel.iter().fold(ChannelStatus::new(), agi_proto::commands::ChannelStatus::channel);
        Ok(Case::new(limit, command, channel.clone().into_iter().collect()))
    },
    |u, limit| {
        let (application, arguments) = (text(u)?, optional(u, text)?);
        let command = Exec::new(&application);
        let command = arguments.iter().fold(command, agi_proto::commands::Exec::arguments);
        let words = [application.clone()].into_iter().chain(arguments.clone()).collect();
        Ok(Case::new(limit, command, words))
    },
    |u, limit| {
        let (file, timeout, most) =
            (text(u)?, optional(u, |u| optional(u, time))?, optional(u, u16_near_edge)?);
        let mut command = GetData::new(&file);
        let mut words = vec![file.clone()];
        if timeout.is_some() || most.is_some() {
            words.push(timeout.map_or(b"0".to_vec(), milliseconds));
        }
        if let Some(timeout) = timeout {
            command = command.timeout(timeout);
        }
        if let Some(most) = most {
            command = command.max_digits(most);
            words.push(most.to_string().into_bytes());
        }
        let misread = timeout.is_some_and(|time| time == Some(Duration::ZERO) || too_long(time))
            || most.is_some_and(|most| !(1..=1023).contains(&most));
        Ok(Case::new(limit, command, words).misread(misread))
    },
    |u, limit| {
        let (expression, channel) = (text(u)?, optional(u, text)?);
        let command = GetFullVariable::new(&expression);
        let command = channel.iter().fold(command, agi_proto::commands::GetFullVariable::channel);
        let words = [expression.clone()].into_iter().chain(channel.clone()).collect();
        Ok(Case::new(limit, command, words))
    },
    |u, limit| {
        let name = text(u)?;
        Ok(Case::new(limit, GetVariable::new(&name), vec![name.clone()]))
    },
    |u, limit| {
        let channel = optional(u, text)?;
        let command = channel.iter().fold(HangUp::new(), agi_proto::commands::HangUp::channel);
        Ok(Case::new(limit, command, channel.clone().into_iter().collect()))
    },
    |_, limit| Ok(Case::new(limit, Noop::new(), vec![])),
    |u, limit| {
        let (name, value) = (text(u)?, text(u)?);
        let case = Case::new(limit, SetVariable::new(&name, &value), vec![name.clone(), value.clone()]);
        Ok(case.misread(name.is_empty()))
    },
    |u, limit| {
        let (file, digits, offset) =
            (text(u)?, digits(u)?, optional(u, arbitrary::Unstructured::arbitrary::<u32>)?);
        let command = StreamFile::new(&file, digits);
        let command = offset.iter().fold(command, |command, samples| command.offset(*samples));
        let mut words = vec![file.clone(), digits.to_string().into_bytes()];
        words.extend(offset.map(|samples| samples.to_string().into_bytes()));
        Ok(Case::new(limit, command, words))
    },
    |u, limit| {
        let message = text(u)?;
        let levels = [Verbosity::Always, Verbosity::One, Verbosity::Two, Verbosity::Three, Verbosity::Four];
        let level = optional(u, |u| u.choose_index(levels.len()))?;
        let command = Verbose::new(&message);
        let command = level.iter().fold(command, |command, at| command.level(levels[*at]));
        let mut words = vec![message.clone()];
        words.extend(level.map(|at| at.to_string().into_bytes()));
        Ok(Case::new(limit, command, words))
    },
    |u, limit| {
        let timeout = optional(u, time)?;
        let command = WaitForDigit::new(timeout);
        Ok(Case::new(limit, command, vec![milliseconds(timeout)]).misread(too_long(timeout)))
    },
    |u, limit| {
        // written by the caller, who quotes himself: what he wrote is what is sent
        let line = text(u)?;
        let case = Case::new(limit, Raw::new(&line), vec![]);
        let begins = line.trim_ascii_start().to_ascii_lowercase();
        let misread = begins.starts_with(b"failure") || split(&line).is_empty();
        let words = split(&line).into_iter().map(Vec::from).collect();
        Ok(Case { words, ..case }.misread(misread))
    },
];

/// Whatever a command's arguments hold, its line is one line with just these words, or it is refused with
/// the reason: the argument at fault, or the limit that was passed.
pub fn command_roundtrip(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = run(&mut u);
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let limit = *u.choose(&[2047, 8191, 64])?;
    while !u.is_empty() {
        let make = u.choose(&COMMANDS)?;
        check(make(u, limit)?, limit);
    }
    Ok(())
}

fn check(case: Case, limit: usize) {
    let Case { name, written, words, misread } = case;
    let carries = |word: &Vec<u8>| !word.iter().any(|byte| matches!(byte, b'\0' | b'\n' | b'\r'));
    match written {
        Ok(line) => {
            assert!(line.len() <= limit && words.len() <= 127, "{name}");
            let line = line.strip_suffix(b"\n").expect("a line ends");
            assert!(carries(&line.to_vec()), "{name}: two lines");
            assert_eq!(split(line), words, "{name}");
            assert!(!misread, "{name}: Asterisk would misread {words:?}");
        }
        Err(error) => {
            assert!(refusal_names_an_argument(&error, name), "{name}: {error}");
            let justified = match error {
                EncodeError::ForbiddenByte { byte, .. } => {
                    words.iter().any(|word| word.contains(&byte)) || misread
                }
                EncodeError::InvalidArgument { .. } => misread,
                EncodeError::TooManyWords { words: counted, .. } => counted == words.len() && counted > 127,
                EncodeError::LineTooLong { length, limit: told, .. } => told == limit && length > limit,
                _ => false,
            };
            assert!(justified, "{name}: {error}, of {words:?}");
        }
    }
}

/// Whether an error says which command, and which argument where one is at fault.
pub fn refusal_names_an_argument(error: &EncodeError, name: &str) -> bool {
    match error {
        EncodeError::ForbiddenByte { command, argument, .. }
        | EncodeError::InvalidArgument { command, argument, .. } => *command == name && !argument.is_empty(),
        EncodeError::TooManyWords { command, .. } | EncodeError::LineTooLong { command, .. } => {
            *command == name
        }
        _ => false,
    }
}

// ---- arguments ----

fn optional<'a, T>(
    u: &mut Unstructured<'a>,
    make: impl Fn(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if u.arbitrary()? { make(u).map(Some) } else { Ok(None) }
}

/// Bytes out of the input, now and then so many that they pass a limit.
fn text(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut text: Vec<u8> = u.arbitrary()?;
    if u.ratio(1, 16)? {
        let near = *u.choose(&[64_usize, 2047, 8191])?;
        text.resize(near.saturating_sub(usize::from(u.arbitrary::<u8>()? / 4)), b'x');
    }
    Ok(text)
}

fn digits(u: &mut Unstructured<'_>) -> Result<EscapeDigits> {
    let bits: u16 = u.arbitrary()?;
    let text: String = EscapeDigits::ANY
        .iter()
        .enumerate()
        .filter(|(at, _)| bits >> at & 1 != 0)
        .map(|(_, digit)| digit.as_char())
        .collect();
    Ok(EscapeDigits::new(&text).expect("they are digits"))
}

fn time(u: &mut Unstructured<'_>) -> Result<Duration> {
    let edge = Duration::from_millis(2_147_483_647);
    Ok(match u.int_in_range(0..=4)? {
        0 => Duration::ZERO,
        1 => Duration::from_nanos(u.arbitrary()?),
        2 => edge.saturating_sub(Duration::from_nanos(u.arbitrary::<u32>()?.into())),
        3 => edge + Duration::from_nanos(u.arbitrary::<u8>()?.into()),
        _ => Duration::new(u.arbitrary()?, u.int_in_range(0..=999_999_999)?),
    })
}

fn u16_near_edge(u: &mut Unstructured<'_>) -> Result<u16> {
    if u.arbitrary()? { u.arbitrary() } else { Ok(*u.choose(&[0, 1, 1022, 1023, 1024, u16::MAX])?) }
}

fn milliseconds(time: Option<Duration>) -> Vec<u8> {
    let Some(time) = time else { return b"-1".to_vec() };
    let up = u128::from(time.subsec_nanos() % 1_000_000 != 0);
    (u128::from(time.as_secs()) * 1000 + u128::from(time.subsec_millis()) + up).to_string().into_bytes()
}

fn too_long(time: Option<Duration>) -> bool {
    time.is_some_and(|time| time > Duration::from_millis(2_147_483_647))
}

//! Every command, made of the input: one row each.

use std::time::Duration;

use agi_proto::arguments::split;
use agi_proto::commands::channel::{Music, Tdd};
use agi_proto::commands::control::Verbosity;
use agi_proto::commands::say::Case as Letters;
use agi_proto::commands::*;
use agi_proto::{EscapeDigits, RawCommand};
use arbitrary::{Result, Unstructured};

use super::Case;

/// How a command is made of the input; the limit of the line comes along.
pub(super) type Make = fn(&mut Unstructured<'_>, usize) -> Result<Case>;

/// A command whose arguments are all texts.
macro_rules! texts {
    ($command:ident) => {
        |_, limit| Ok(Case::new(limit, $command::new(), vec![]))
    };
    ($command:ident $($argument:ident)+) => {
        |u, limit| {
            $(let $argument = text(u)?;)+
            Ok(Case::new(limit, $command::new($(&$argument),+), vec![$($argument.clone()),+]))
        }
    };
}

/// A command with texts and one more that may be left out: `Command(text, ...) method`.
macro_rules! optional_text {
    ($command:ident($($argument:ident),*) $method:ident) => {
        |u, limit| {
            $(let $argument = text(u)?;)*
            let last = optional(u, text)?;
            let command = last.iter().fold($command::new($(&$argument),*), $command::$method);
            Ok(Case::new(limit, command, [$($argument.clone()),*].into_iter().chain(last.clone()).collect()))
        }
    };
}

pub(super) const COMMANDS: [Make; 50] = [
    texts!(Answer),
    texts!(AsyncAgiBreak),
    texts!(Noop),
    texts!(SpeechDestroy),
    texts!(DatabaseDel family key),
    texts!(DatabaseGet family key),
    texts!(DatabasePut family key value),
    texts!(GetVariable name),
    |u, limit| {
        let name = text(u)?;
        let case = Case::new(limit, SetContext::new(&name), vec![name.clone()]);
        Ok(case.misread(name.len() > 79))
    },
    |u, limit| {
        let name = text(u)?;
        let case = Case::new(limit, SetExtension::new(&name), vec![name.clone()]);
        Ok(case.misread(name.len() > 79))
    },
    |u, limit| {
        let priority = text(u)?;
        let command = SetPriority::new(&priority);
        Ok(Case::new(limit, command, vec![priority.clone()]).misread(ambiguous(&priority)))
    },
    texts!(SendImage image),
    texts!(SendText text_to_send),
    texts!(SpeechActivateGrammar grammar),
    texts!(SpeechDeactivateGrammar grammar),
    texts!(SpeechLoadGrammar grammar path),
    texts!(SpeechSet name value),
    texts!(SpeechUnloadGrammar grammar),
    optional_text!(ChannelStatus() channel),
    optional_text!(Hangup() channel),
    optional_text!(SpeechCreate() engine),
    optional_text!(Exec(application) arguments),
    |u, limit| {
        let (context, extension, priority, last) = (text(u)?, text(u)?, text(u)?, optional(u, text)?);
        let command = last.iter().fold(Gosub::new(&context, &extension, &priority), Gosub::arguments);
        let words = [&context, &extension, &priority].into_iter().chain(&last).cloned().collect();
        Ok(Case::new(limit, command, words).misread(ambiguous(&priority)))
    },
    optional_text!(GetFullVariable(expression) channel),
    |u, limit| {
        let name = text(u)?;
        let expression = [b"${", &name[..], b"}"].concat();
        Ok(Case::new(limit, GetFullVariable::new(Expression::variable(&name)), vec![expression]))
    },
    |u, limit| {
        let (application, list): (_, Vec<String>) = (text(u)?, u.arbitrary()?);
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let joined = list.iter().map(|argument| escape_argument(argument)).collect::<Vec<_>>().join(",");
        let words = vec![application.clone(), joined.into_bytes()];
        Ok(Case::new(limit, Exec::new(&application).args(&list), words))
    },
    |u, limit| {
        let (family, tree) = (text(u)?, optional(u, text)?);
        let command = tree.iter().fold(DatabaseDelTree::new(&family), DatabaseDelTree::key_tree);
        let words: Vec<_> = [family.clone()].into_iter().chain(tree.clone()).collect();
        let misread = words.iter().any(|word| word.is_empty() || word.contains(&b'%'));
        Ok(Case::new(limit, command, words).misread(misread))
    },
    |u, limit| {
        let (name, value) = (text(u)?, text(u)?);
        let case = Case::new(limit, SetVariable::new(&name, &value), vec![name.clone(), value.clone()]);
        Ok(case.misread(name.is_empty()))
    },
    |u, limit| {
        let (name, number) = (optional(u, text)?, text(u)?);
        let command = name.iter().fold(SetCallerId::new(&number), SetCallerId::name);
        let mut word = Vec::new();
        if let Some(name) = &name {
            let quote =
                |byte: &u8| if matches!(byte, b'"' | b'\\') { vec![b'\\', *byte] } else { vec![*byte] };
            let quoted: Vec<u8> = name.iter().flat_map(quote).collect();
            word = [b"\"", &quoted[..], b"\" "].concat();
        }
        word.extend_from_slice(&[b"<", &number[..], b">"].concat());
        let misread = word.len() > 255 || number.iter().any(|byte| matches!(byte, b'<' | b'>' | b'"'));
        Ok(Case::new(limit, command, vec![word]).misread(misread))
    },
    |u, limit| {
        let (on, class) = (u.arbitrary()?, optional(u, text)?);
        let command =
            class.iter().fold(SetMusic::new(if on { Music::On } else { Music::Off }), SetMusic::class);
        let word = if on { b"on".to_vec() } else { b"off".to_vec() };
        Ok(Case::new(limit, command, [word].into_iter().chain(class.clone()).collect()))
    },
    |u, limit| {
        let modes = [(Tdd::Off, "off"), (Tdd::On, "on"), (Tdd::Mate, "mate"), (Tdd::Tdd, "tdd")];
        let (mode, word) = *u.choose(&modes)?;
        Ok(Case::new(limit, TddMode::new(mode), vec![word.into()]))
    },
    |u, limit| {
        let after = optional(u, time)?;
        let (word, misread) = match after.map(thousandths) {
            None => ("0".to_owned(), false),
            Some(n) if n % 1000 == 0 => ((n / 1000).to_string(), n == 0 || n > 0xffff_ffff_ffff),
            Some(n) => (format!("{}.{:03}", n / 1000, n % 1000), n > 0xffff_ffff_ffff),
        };
        Ok(Case::new(limit, SetAutohangup::new(after), vec![word.into()]).misread(misread))
    },
    |u, limit| {
        let message = text(u)?;
        let levels = [Verbosity::Always, Verbosity::One, Verbosity::Two, Verbosity::Three, Verbosity::Four];
        let level = optional(u, |u| u.choose_index(levels.len()))?;
        let command = level.iter().fold(Verbose::new(&message), |command, at| command.level(levels[*at]));
        let words = [message.clone()].into_iter().chain(level.map(number)).collect();
        Ok(Case::new(limit, command, words))
    },
    |u, limit| {
        let (file, timeout, most) = (text(u)?, optional(u, |u| optional(u, time))?, optional(u, near_edge)?);
        let mut command = GetData::new(&file);
        let wait = timeout.map_or(b"0".to_vec(), milliseconds);
        let words = vec![file.clone(), wait, number(most.unwrap_or(1023))];
        if let Some(timeout) = timeout {
            command = command.timeout(timeout);
        }
        if let Some(most) = most {
            command = command.max_digits(most);
        }
        let misread = timeout.is_some_and(|time| time == Some(Duration::ZERO) || too_long(time))
            || most.is_some_and(|most| !(1..=1023).contains(&most));
        Ok(Case::new(limit, command, words).misread(misread))
    },
    |u, limit| {
        let (file, digits, timeout) = (text(u)?, digits(u)?, optional(u, time)?);
        let words = vec![file.clone(), word(digits), milliseconds(timeout)];
        Ok(Case::new(limit, GetOption::new(&file, digits, timeout), words).misread(too_long(timeout)))
    },
    |u, limit| {
        let timeout = optional(u, time)?;
        let command = WaitForDigit::new(timeout);
        Ok(Case::new(limit, command, vec![milliseconds(timeout)]).misread(too_long(timeout)))
    },
    |u, limit| {
        let timeout = optional(u, time)?;
        let command = ReceiveChar::new(timeout);
        Ok(Case::new(limit, command, vec![milliseconds(timeout)]).misread(too_long(timeout)))
    },
    |u, limit| {
        let timeout = optional(u, time)?;
        let command = ReceiveText::new(timeout);
        Ok(Case::new(limit, command, vec![milliseconds(timeout)]).misread(too_long(timeout)))
    },
    |u, limit| {
        let (file, digits, offset) = (text(u)?, digits(u)?, optional(u, Unstructured::arbitrary)?);
        let command = offset.into_iter().fold(StreamFile::new(&file, digits), StreamFile::offset);
        let words = [file.clone(), word(digits)].into_iter().chain(offset.map(number::<u32>)).collect();
        Ok(Case::new(limit, command, words))
    },
    |u, limit| {
        let (file, stop, skip) = (text(u)?, digits(u)?, optional(u, time)?);
        let [forward, rewind, pause] = [optional(u, digits)?, optional(u, digits)?, optional(u, digits)?];
        let (offset, from_end) = (optional(u, time)?, u.arbitrary()?);
        let mut command = ControlStreamFile::new(&file, stop);
        command = skip.into_iter().fold(command, ControlStreamFile::skip);
        command = forward.into_iter().fold(command, ControlStreamFile::forward);
        command = rewind.into_iter().fold(command, ControlStreamFile::rewind);
        command = pause.into_iter().fold(command, ControlStreamFile::pause);
        let set = if from_end { ControlStreamFile::offset_from_end } else { ControlStreamFile::offset };
        command = offset.into_iter().fold(command, set);
        let at = offset.map(|time| match from_end {
            true => [b"-", &number(time.as_millis().max(1))[..]].concat(),
            false => milliseconds(Some(time)),
        });
        // the last that was given brings the defaults of those before it along
        let given = [
            skip.map(|time| milliseconds(Some(time))),
            forward.map(word),
            rewind.map(word),
            pause.map(word),
            at,
        ];
        let last = given.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let defaults = [&b"3000"[..], b"#", b"*", b"", b""];
        let pairs = given.into_iter().zip(defaults).take(last);
        let mut words = vec![file.clone(), word(stop)];
        words.extend(pairs.map(|(given, default)| given.unwrap_or(default.to_vec())));
        let empty = [forward, rewind].contains(&Some(EscapeDigits::NONE));
        let far = match from_end {
            true => offset.is_some_and(|time| time.as_millis() > 2_147_483_647),
            false => offset.is_some_and(|time| too_long(Some(time))),
        };
        let misread = empty || far || skip.is_some_and(|time| too_long(Some(time)));
        Ok(Case::new(limit, command, words).misread(misread))
    },
    |u, limit| {
        let (file, format, digits, timeout) = (text(u)?, text(u)?, digits(u)?, optional(u, time)?);
        let (offset, beep, silence) =
            (optional(u, Unstructured::arbitrary)?, u.arbitrary()?, optional(u, time)?);
        let mut command = RecordFile::new(&file, &format, digits, timeout);
        let mut words = vec![file.clone(), format.clone(), word(digits), milliseconds(timeout)];
        command = offset.into_iter().fold(command, RecordFile::offset);
        words.extend(offset.map(number::<u32>));
        if beep {
            command = command.beep();
            words.push(b"BEEP".to_vec());
        }
        if let Some(silence) = silence {
            command = command.silence(silence);
            words.push([b"s=", &number(seconds(silence))[..]].concat());
        }
        let misread =
            too_long(timeout) || silence.is_some_and(|time| !(1..=2_147_483).contains(&seconds(time)));
        Ok(Case::new(limit, command, words).misread(misread))
    },
    |u, limit| {
        let (prompt, timeout, offset) = (text(u)?, time(u)?, optional(u, Unstructured::arbitrary)?);
        let command =
            offset.into_iter().fold(SpeechRecognize::new(&prompt, timeout), SpeechRecognize::offset);
        let words = [prompt.clone(), number(seconds(timeout))];
        let words = words.into_iter().chain(offset.map(number::<u32>)).collect();
        Ok(Case::new(limit, command, words).misread(timeout.is_zero() || seconds(timeout) > 2_147_483_647))
    },
    |u, limit| {
        let (text, digits) = (text(u)?, digits(u)?);
        let cases = [(Letters::All, "a"), (Letters::Lower, "l"), (Letters::None, "n"), (Letters::Upper, "u")];
        let case = optional(u, |u| u.choose(&cases).copied())?;
        let command =
            case.iter().fold(SayAlpha::new(&text, digits), |command, (case, _)| command.case(*case));
        let words = [text.clone(), word(digits)].into_iter();
        Ok(Case::new(limit, command, words.chain(case.map(|(_, word)| word.into())).collect()))
    },
    |u, limit| {
        let (text, digits) = (text(u)?, digits(u)?);
        Ok(Case::new(limit, SayPhonetic::new(&text, digits), vec![text.clone(), word(digits)]))
    },
    |u, limit| {
        let (text, digits) = (text(u)?, digits(u)?);
        let unsigned = text.strip_prefix(b"+").or(text.strip_prefix(b"-")).unwrap_or(&text);
        let misread = !unsigned.first().is_some_and(u8::is_ascii_digit);
        let words = vec![text.clone(), word(digits)];
        Ok(Case::new(limit, SayDigits::new(&text, digits), words).misread(misread))
    },
    |u, limit| {
        let (n, digits, gender): (i32, _, _) = (u.arbitrary()?, digits(u)?, optional(u, text)?);
        let command = gender.iter().fold(SayNumber::new(n, digits), SayNumber::gender);
        let words = [number(n), word(digits)].into_iter().chain(gender.clone()).collect();
        Ok(Case::new(limit, command, words))
    },
    |u, limit| {
        let (at, digits) = (moment(u)?, digits(u)?);
        let case = Case::new(limit, SayDate::new(at, digits), vec![number(at), word(digits)]);
        Ok(case.misread(i32::try_from(at).is_err()))
    },
    |u, limit| {
        let (at, digits) = (moment(u)?, digits(u)?);
        let case = Case::new(limit, SayTime::new(at, digits), vec![number(at), word(digits)]);
        Ok(case.misread(i32::try_from(at).is_err()))
    },
    |u, limit| {
        let (at, digits, format, zone) = (moment(u)?, digits(u)?, optional(u, text)?, optional(u, text)?);
        let command = format.iter().fold(SayDateTime::new(at, digits), SayDateTime::format);
        let command = zone.iter().fold(command, SayDateTime::time_zone);
        let default = zone.as_ref().map(|_| SayDateTime::FORMAT.as_bytes().to_vec());
        let words = [number(at), word(digits)].into_iter();
        let words = words.chain(format.clone().or(default)).chain(zone.clone()).collect();
        Ok(Case::new(limit, command, words))
    },
    |u, limit| {
        // written by the caller, who quotes himself: what he wrote is what is sent
        let line = text(u)?;
        let case = Case::new(limit, RawCommand::new(&line), vec![]);
        let begins = line.trim_ascii_start().to_ascii_lowercase();
        let misread = begins.starts_with(b"failure") || split(&line).is_empty();
        let words = split(&line).into_iter().map(Vec::from).collect();
        Ok(Case { words, ..case }.misread(misread))
    },
];

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

fn near_edge(u: &mut Unstructured<'_>) -> Result<u16> {
    if u.arbitrary()? { u.arbitrary() } else { Ok(*u.choose(&[0, 1, 1022, 1023, 1024, u16::MAX])?) }
}

fn moment(u: &mut Unstructured<'_>) -> Result<i64> {
    let edges = [i64::from(i32::MIN) - 1, i32::MIN.into(), i32::MAX.into(), i64::from(i32::MAX) + 1];
    if u.arbitrary()? { u.arbitrary() } else { Ok(*u.choose(&edges)?) }
}

/// Whether Asterisk takes a priority for another number, or a label for one.
fn ambiguous(priority: &[u8]) -> bool {
    let shown = String::from_utf8_lossy(priority);
    let number = shown.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let number = number.strip_prefix(['-', '+']).unwrap_or(number);
    let is_number = shown.chars().all(|c| c.is_ascii_digit());
    let digits = shown.trim_start_matches('0');
    let wraps = digits.len() > 10 || digits.len() == 10 && digits > "2147483647";
    number.starts_with(|c: char| c.is_ascii_digit()) && (!is_number || wraps)
}

// ---- how they must be written ----

fn word(digits: EscapeDigits) -> Vec<u8> {
    digits.to_string().into_bytes()
}

fn number<N: ToString>(number: N) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// Of a second, rounded up.
fn thousandths(time: Duration) -> u128 {
    let up = u128::from(time.subsec_nanos() % 1_000_000 != 0);
    u128::from(time.as_secs()) * 1000 + u128::from(time.subsec_millis()) + up
}

fn milliseconds(time: Option<Duration>) -> Vec<u8> {
    time.map_or(b"-1".to_vec(), |time| number(thousandths(time)))
}

fn seconds(time: Duration) -> u128 {
    u128::from(time.as_secs()) + u128::from(time.subsec_nanos() != 0)
}

fn too_long(time: Option<Duration>) -> bool {
    time.is_some_and(|time| time > Duration::from_millis(2_147_483_647))
}

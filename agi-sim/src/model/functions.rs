//! The dialplan's functions.

use agi_proto::BString;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bstr::ByteSlice;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::channel::{Channel, UP};

/// What URIENCODE leaves as it is.
const URI: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A variable, or what a function gives.
pub(crate) fn lookup(channel: &mut Channel, name: &[u8]) -> Option<BString> {
    match split(name) {
        Some((function, arguments)) => read(channel, function, arguments),
        None => channel.variable(name),
    }
}

/// `FUNCTION(arguments)`, taken apart.
pub(crate) fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let (open, close) = (name.find_byte(b'(')?, name.rfind_byte(b')')?);
    Some((&name[..open], name.get(open + 1..close)?))
}

/// What a function gives; `None` where there is no such function, or it fails.
pub(crate) fn read(channel: &mut Channel, function: &[u8], arguments: &[u8]) -> Option<BString> {
    Some(match function {
        b"LEN" => arguments.len().to_string().into(),
        b"BASE64_ENCODE" if channel.cuts_base64 => {
            STANDARD.encode(&arguments[..arguments.len() - arguments.len() % 3]).into()
        }
        b"BASE64_ENCODE" => STANDARD.encode(arguments).into(),
        b"BASE64_DECODE" => STANDARD.decode(arguments).unwrap_or_default().into(),
        b"URIENCODE" => percent_encode(arguments, URI).to_string().into(),
        b"URIDECODE" => percent_decode(arguments).collect::<Vec<u8>>().into(),
        b"SHA1" => sha1_smol::Sha1::from(arguments).digest().to_string().into(),
        b"TOUPPER" => arguments.to_ascii_uppercase().into(),
        b"TOLOWER" => arguments.to_ascii_lowercase().into(),
        b"CALLERID" => caller_id(channel, arguments)?,
        b"CHANNEL" => facts(channel, arguments)?,
        b"DB" => channel.database.get(arguments.as_bstr()).cloned().unwrap_or_default(),
        b"DB_EXISTS" => u8::from(channel.database.contains_key(arguments.as_bstr())).to_string().into(),
        b"EXISTS" => u8::from(!arguments.is_empty()).to_string().into(),
        b"SET" => {
            let (name, value) = arguments.split_once_str("=")?;
            // leading white space is lost, so this is no way to write any byte
            let blank = value.iter().take_while(|&&byte| byte <= b' ').count();
            channel.set(name, &value[blank..]);
            value[blank..].into()
        }
        b"REPLACE" => replace(channel, arguments)?,
        b"CUT" => cut(channel, arguments)?,
        b"STRFTIME" => time(channel, arguments)?,
        _ => channel.variables.get([function, b"(", arguments, b")"].concat().as_bstr()).cloned()?,
    })
}

/// Writes to a function. `false`: there is no such function, or it cannot be written.
pub(crate) fn write(channel: &mut Channel, function: &[u8], arguments: &[u8], value: &[u8]) -> bool {
    match (function, &arguments.to_ascii_lowercase()[..]) {
        (b"CALLERID", b"name") => channel.caller_name = value.into(),
        (b"CALLERID", b"num" | b"number") => channel.caller_number = value.into(),
        (b"CALLERID", b"all") => channel.set_caller_id(value),
        (b"CHANNEL", b"language") => channel.language = value.into(),
        (b"DB", _) => {
            channel.database.insert(arguments.into(), value.into());
        }
        _ => return false,
    }
    true
}

/// A number at the beginning of a text, as C reads it.
pub(crate) fn leading(text: &[u8]) -> Option<i64> {
    let text = text.trim_start();
    let (sign, digits) = match text.first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = digits[..length].to_str().ok().filter(|digits| !digits.is_empty())?;
    Some(sign * digits.parse().unwrap_or(i64::from(i32::MAX)))
}

/// A number with a fraction at the beginning of a text, as C reads it; its exponent is left out.
pub(crate) fn fraction(text: &[u8]) -> Option<f64> {
    let text = text.trim_start();
    let sign = usize::from(text.first().is_some_and(|byte| b"+-".contains(byte)));
    let rest = text.get(sign..)?;
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    text[..sign + length].to_str().ok()?.parse().ok()
}

/// As C's `atoi`: what is no number is zero.
pub(crate) fn number(text: &[u8]) -> i64 {
    leading(text).unwrap_or(0)
}

fn caller_id(channel: &Channel, what: &[u8]) -> Option<BString> {
    Some(match &what.to_ascii_lowercase()[..] {
        b"num" | b"number" => channel.caller_number.clone(),
        b"name" => channel.caller_name.clone(),
        b"all" => channel.caller_id(),
        b"ani" | b"dnid" | b"rdnis" | b"tag" => BString::default(),
        _ => return None,
    })
}

fn facts(channel: &Channel, what: &[u8]) -> Option<BString> {
    Some(match what {
        b"state" => if channel.state == UP { "Up" } else { "Ring" }.into(),
        b"name" => channel.name.clone(),
        b"language" => channel.language.clone(),
        b"channeltype" => channel.name.split(|&byte| byte == b'/').next()?.into(),
        b"context" => channel.context.clone(),
        b"exten" => channel.extension.clone(),
        b"uniqueid" => channel.unique_id.clone(),
        b"checkhangup" => u8::from(channel.hung_up).to_string().into(),
        _ => return None,
    })
}

/// `REPLACE(variable,bytes[,byte])`: the bytes one by one.
fn replace(channel: &mut Channel, arguments: &[u8]) -> Option<BString> {
    let mut parts = arguments.splitn(3, |&byte| byte == b',');
    let value = lookup(channel, parts.next()?).unwrap_or_default();
    let (find, with) = (parts.next()?, parts.next().and_then(<[u8]>::first));
    let replaced = value.iter().filter_map(|byte| if find.contains(byte) { with } else { Some(byte) });
    Some(replaced.copied().collect::<Vec<u8>>().into())
}

/// `CUT(variable,delimiter,field)`, the field a single number.
fn cut(channel: &Channel, arguments: &[u8]) -> Option<BString> {
    let mut parts = arguments.splitn(3, |&byte| byte == b',');
    let value = channel.variable(parts.next()?)?;
    let delimiter = parts.next()?;
    let delimiter = *delimiter.strip_prefix(b"\\").unwrap_or(delimiter).first()?;
    let field = usize::try_from(number(parts.next()?)).ok()?.checked_sub(1)?;
    value.split(|&byte| byte == delimiter).nth(field).map(BString::from)
}

/// `STRFTIME(epoch,zone,format)`, in UTC, with the parts that need no tables.
fn time(channel: &Channel, arguments: &[u8]) -> Option<BString> {
    let mut parts = arguments.splitn(3, |&byte| byte == b',');
    let epoch = parts.next().and_then(leading).unwrap_or(channel.epoch as i64);
    let format = parts.nth(1)?;
    let (days, seconds) = (epoch.div_euclid(86_400), epoch.rem_euclid(86_400));
    // days since 1 March of year 0, in eras of 400 years
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let mut out = format.replace("%Y", year.to_string());
    for (what, value) in
        [("%m", month), ("%d", day), ("%H", seconds / 3600), ("%M", seconds / 60 % 60), ("%S", seconds % 60)]
    {
        out = out.replace(what, format!("{value:02}"));
    }
    Some(out.replace("%s", epoch.to_string()).into())
}

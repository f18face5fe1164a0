//! Commands that say something in the channel's language.
//!
//! All give [`PlaybackEnd`]: complete, or the escape digit that ended it. Failure (-1) of each: a sound file that
//! it needs is missing, or the channel was hung up (which the session finds out).

use bstr::BStr;

use crate::codec::command::Command;
use crate::codec::encode::CommandEncoder;
use crate::codec::reply::{self, PlaybackEnd};
use crate::codec::response::Response;
use crate::values::digit::EscapeDigits;
use crate::values::error::ReplyError;
use crate::values::info::{CommandInfo, WhenInterrupted};

/// Defines the [`Command`] of a value that says something: its words, what a new command does to it, and
/// how its arguments are written.
macro_rules! say {
    ($command:ty, $words:literal, $when_interrupted:ident, |$self:ident, $line:ident| $encode:expr) => {
        impl Command for $command {
            type Reply = PlaybackEnd;
            const INFO: CommandInfo = CommandInfo::new($words)
                .when_interrupted(WhenInterrupted::$when_interrupted)
                .failure_may_be_hangup();

            fn encode(&self, line: &mut CommandEncoder<'_>) {
                let ($self, $line) = (self, line.words($words));
                $encode;
            }

            fn decode(response: &Response<'_>) -> Result<PlaybackEnd, ReplyError> {
                reply::ended(response)
            }
        }
    };
}

/// `SAY ALPHA`: spells a text: letters, digits and signs.
///
/// In EAGI a new command stops it; elsewhere it runs on.
#[derive(Clone, Copy, Debug)]
pub struct SayAlpha<'a> {
    text: &'a BStr,
    escape_digits: EscapeDigits,
    case: Option<Case>,
}

/// Of which letters [`SayAlpha`] says whether they are small or capital (Asterisk 12 and later).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Of all.
    All,
    /// Of small ones.
    Lower,
    /// Of none, which is what Asterisk does when not told.
    None,
    /// Of capital ones.
    Upper,
}

impl<'a> SayAlpha<'a> {
    /// The text to spell, and the digits that end it.
    pub fn new<T: AsRef<[u8]> + ?Sized>(text: &'a T, escape_digits: EscapeDigits) -> Self {
        Self { text: BStr::new(text), escape_digits, case: None }
    }

    /// Says of these letters whether they are small or capital.
    pub fn case(mut self, case: Case) -> Self {
        self.case = Some(case);
        self
    }
}

say!(SayAlpha<'_>, "SAY ALPHA", StopsInEagi, |this, line| {
    let case = this.case.map(|case| match case {
        Case::All => "a",
        Case::Lower => "l",
        Case::None => "n",
        Case::Upper => "u",
    });
    line.argument("text", this.text).escape_digits(this.escape_digits).optional_argument("case", case)
});

/// `SAY PHONETIC`: spells a text in the phonetic alphabet: Alpha, Bravo, Charlie.
///
/// In EAGI a new command stops it; elsewhere it runs on.
#[derive(Clone, Copy, Debug)]
pub struct SayPhonetic<'a> {
    text: &'a BStr,
    escape_digits: EscapeDigits,
}

impl<'a> SayPhonetic<'a> {
    /// The text to spell, and the digits that end it.
    pub fn new<T: AsRef<[u8]> + ?Sized>(text: &'a T, escape_digits: EscapeDigits) -> Self {
        Self { text: BStr::new(text), escape_digits }
    }
}

say!(SayPhonetic<'_>, "SAY PHONETIC", StopsInEagi, |this, line| {
    line.argument("text", this.text).escape_digits(this.escape_digits)
});

/// `SAY DIGITS`: says digit after digit; zeros in front count.
///
/// In EAGI a new command stops it; elsewhere it runs on.
#[derive(Clone, Copy, Debug)]
pub struct SayDigits<'a> {
    digits: &'a BStr,
    escape_digits: EscapeDigits,
}

impl<'a> SayDigits<'a> {
    /// The digits to say, and the digits that end it. Asterisk wants a digit at the beginning, behind a sign
    /// if need be; what else begins is refused.
    pub fn new<T: AsRef<[u8]> + ?Sized>(digits: &'a T, escape_digits: EscapeDigits) -> Self {
        Self { digits: BStr::new(digits), escape_digits }
    }
}

say!(SayDigits<'_>, "SAY DIGITS", StopsInEagi, |this, line| {
    if !matches!(**this.digits, [b'0'..=b'9', ..] | [b'+' | b'-', b'0'..=b'9', ..]) {
        line.refuse_argument("digits", "do not begin with a digit");
    }
    line.argument("digits", this.digits).escape_digits(this.escape_digits)
});

/// `SAY NUMBER`: says a number.
///
/// Asterisk has no words for 2,147,483,647 and for -2,147,483,648: it leaves them out, and answers as if it had
/// said them.
///
/// In EAGI a new command stops it; elsewhere it runs on.
#[derive(Clone, Copy, Debug)]
pub struct SayNumber<'a> {
    number: i32,
    escape_digits: EscapeDigits,
    gender: Option<&'a BStr>,
}

impl<'a> SayNumber<'a> {
    /// The number to say (32 bits are all that Asterisk takes), and the digits that end it.
    pub fn new(number: i32, escape_digits: EscapeDigits) -> Self {
        Self { number, escape_digits, gender: None }
    }

    /// The gender, in languages whose numbers have one: `f`, `m`, `n`, `c`, as the language's rules name it.
    pub fn gender<T: AsRef<[u8]> + ?Sized>(mut self, gender: &'a T) -> Self {
        self.gender = Some(BStr::new(gender));
        self
    }
}

say!(SayNumber<'_>, "SAY NUMBER", StopsInEagi, |this, line| {
    line.number(this.number.into()).escape_digits(this.escape_digits).optional_argument("gender", this.gender)
});

/// `SAY DATE`: says a date in Asterisk's time zone. It runs on when another command comes.
#[derive(Clone, Copy, Debug)]
pub struct SayDate {
    time: i64,
    escape_digits: EscapeDigits,
}

impl SayDate {
    /// The date, in seconds since 1970 began (UTC), and the digits that end it. Asterisk reads 32 bits, so
    /// what is before 1901 or after January 2038 is refused; [`SayDateTime`] takes more.
    pub fn new(time: i64, escape_digits: EscapeDigits) -> Self {
        Self { time, escape_digits }
    }
}

say!(SayDate, "SAY DATE", Continues, |this, line| {
    short_time(line, this.time).escape_digits(this.escape_digits)
});

/// `SAY TIME`: says a time of day in Asterisk's time zone. It runs on when another command comes.
#[derive(Clone, Copy, Debug)]
pub struct SayTime {
    time: i64,
    escape_digits: EscapeDigits,
}

impl SayTime {
    /// The time, in seconds since 1970 began (UTC), and the digits that end it; bounded as [`SayDate`]'s.
    pub fn new(time: i64, escape_digits: EscapeDigits) -> Self {
        Self { time, escape_digits }
    }
}

say!(SayTime, "SAY TIME", Continues, |this, line| {
    short_time(line, this.time).escape_digits(this.escape_digits)
});

/// A time that Asterisk reads as a C `int`.
fn short_time<'l, 'a>(line: &'l mut CommandEncoder<'a>, time: i64) -> &'l mut CommandEncoder<'a> {
    if i32::try_from(time).is_err() {
        line.refuse_argument("time", "is not within 1901 to 2038, all that Asterisk reads here");
    }
    line.number(time)
}

/// `SAY DATETIME`: says a date and a time, in a format and time zone of choice. It runs on when another
/// command comes.
#[derive(Clone, Copy, Debug)]
pub struct SayDateTime<'a> {
    time: i64,
    escape_digits: EscapeDigits,
    format: Option<&'a BStr>,
    time_zone: Option<&'a BStr>,
}

impl<'a> SayDateTime<'a> {
    /// The format that Asterisk takes when not told another (in German it is `A dBY HMS`).
    pub const FORMAT: &'static str = "ABdY 'digits/at' IMp";

    /// The time, in seconds since 1970 began (UTC), and the digits that end it.
    pub fn new(time: i64, escape_digits: EscapeDigits) -> Self {
        Self { time, escape_digits, format: None, time_zone: None }
    }

    /// What to say, as in `voicemail.conf`: `A` or `a` weekday, `B`, `b` or `h` month, `d` or `e` day of the
    /// month, `Y` year, `I` or `l` hour of 12, `H` or `k` of 24, `M` minute, `P` or `p` am or pm, `Q`
    /// "today", "yesterday" or the date, `q` the same without "today", `R` hour and minute of 24, `S`
    /// second, and the name of a sound file in single quotes.
    pub fn format<T: AsRef<[u8]> + ?Sized>(mut self, format: &'a T) -> Self {
        self.format = Some(BStr::new(format));
        self
    }

    /// The time zone by its name, such as `Europe/Berlin`, instead of Asterisk's own. Without a
    /// [`format`](Self::format) it brings [`FORMAT`](Self::FORMAT) along.
    pub fn time_zone<T: AsRef<[u8]> + ?Sized>(mut self, time_zone: &'a T) -> Self {
        self.time_zone = Some(BStr::new(time_zone));
        self
    }
}

say!(SayDateTime<'_>, "SAY DATETIME", Continues, |this, line| {
    let format = this.format.or(this.time_zone.map(|_| BStr::new(SayDateTime::FORMAT)));
    line.number(this.time)
        .escape_digits(this.escape_digits)
        .optional_argument("format", format)
        .optional_argument("time zone", this.time_zone)
});

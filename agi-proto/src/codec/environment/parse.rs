//! From the block's bytes to the index.
//!
//! ```text
//! block = *( name ":" [ SP ] value [ CR ] LF ) [ [ CR ] LF ]
//! name  = ( ALPHA / "_" ) *( ALPHA / DIGIT / "_" )
//! value = *( any byte but LF )
//! ```

use alloc::sync::Arc;

use memchr::memchr;

use super::names::Names;
use super::{Environment, Line};
use crate::values::error::EnvironmentError;
use crate::values::limits::Leniency;

/// The variables that Asterisk 1.6 to 23 send, in their fixed order; `agi_arg_N` follow.
const KNOWN: [&str; 22] = [
    "agi_network",
    "agi_network_script",
    "agi_request",
    "agi_channel",
    "agi_language",
    "agi_type",
    "agi_uniqueid",
    "agi_version",
    "agi_callerid",
    "agi_calleridname",
    "agi_callingpres",
    "agi_callingani2",
    "agi_callington",
    "agi_callingtns",
    "agi_dnid",
    "agi_rdnis",
    "agi_context",
    "agi_extension",
    "agi_priority",
    "agi_enhanced",
    "agi_accountcode",
    "agi_threadid",
];
/// One bit for each of them that always comes: the first two come with FastAGI only.
const ALWAYS: u32 = (1 << KNOWN.len()) - 1 - 0b11;

pub(super) fn parse(block: &[u8], leniency: Leniency) -> Result<Environment, EnvironmentError> {
    let block = match block.strip_suffix(b"\n\r\n").or(block.strip_suffix(b"\n\n")) {
        Some(lines) => &block[..=lines.len()],
        None if matches!(block, b"\n" | b"\r\n") => b"",
        None => block,
    };
    if u32::try_from(block.len()).is_err() {
        return Err(EnvironmentError::TooLong { limit: u32::MAX as usize });
    }
    // one allocation of the right size, which collecting from an iterator without `repeat_n` is not
    let mut lines: Arc<[Line]> = core::iter::repeat_n(Line::default(), count_lines(block)).collect();
    let slots = Arc::get_mut(&mut lines).expect("nobody else has the index yet");
    let mut check = Order { leniency, ..Order::default() };
    let mut at = 0;
    for slot in slots {
        let rest = &block[at..];
        let expected = check.expected(rest);
        let searched = expected.unwrap_or(0);
        let length = memchr(b'\n', &rest[searched..]).map_or(rest.len(), |more| searched + more);
        let line = &rest[..length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = match expected {
            Some(colon) => colon,
            None => check.unexpected(line)?,
        };
        // the block's length fits, so all places in it do
        *slot = Line { name: at as u32, colon: (at + colon) as u32 };
        at += length + 1;
    }
    check.complete()?;
    Ok(Environment { block: block.into(), lines, tolerated: check.tolerated })
}

/// How many lines there are, whether or not the last one is ended.
fn count_lines(block: &[u8]) -> usize {
    // a compiler makes wide instructions of sums of bytes, if they are few enough for a byte
    let ends = |chunk: &[u8]| chunk.iter().map(|&byte| u8::from(byte == b'\n')).sum::<u8>();
    let ended: usize = block.chunks(192).map(|chunk| usize::from(ends(chunk))).sum();
    ended + usize::from(block.last().is_some_and(|&last| last != b'\n'))
}

fn is_identifier(name: &[u8]) -> bool {
    name.first().is_some_and(|first| !first.is_ascii_digit())
        && name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The number of an argument as Asterisk writes it: from 1, without leading zeros.
pub(super) fn argument_number(digits: &[u8]) -> Option<u32> {
    let number = digits.iter().try_fold(0_u32, |number, &byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u32::from(byte - b'0')),
        _ => None,
    });
    number.filter(|_| matches!(digits.first(), Some(b'1'..=b'9')))
}

/// What came so far, and so what may come next.
#[derive(Default)]
struct Order<'a> {
    /// One bit for each of [`KNOWN`] that came.
    seen: u32,
    /// The lowest of [`KNOWN`] that may still come, behind all that came: none once an argument came.
    next: usize,
    /// The number of the last `agi_arg_N`; all from 1 up to it came.
    arg: u32,
    /// All other names that came.
    others: Names<'a>,
    leniency: Leniency,
    tolerated: Leniency,
}

enum Problem {
    Duplicate,
    OutOfOrder,
}

impl<'a> Order<'a> {
    /// The place of the colon if the very line follows that should come. Most do, and are recognised by
    /// one comparison.
    fn expected(&mut self, rest: &[u8]) -> Option<usize> {
        let name = KNOWN.get(self.next)?;
        if rest.get(name.len()) != Some(&b':') || !rest.starts_with(name.as_bytes()) {
            return None;
        }
        self.seen |= 1 << self.next;
        self.next += 1;
        Some(name.len())
    }

    /// The place of the colon in any other line, if it may come. Rare, and so kept out of the loop.
    #[inline(never)]
    fn unexpected(&mut self, line: &'a [u8]) -> Result<usize, EnvironmentError> {
        let colon = memchr(b':', line).ok_or_else(|| EnvironmentError::NoColon(line.into()))?;
        let name = &line[..colon];
        let digits = name.strip_prefix(b"agi_arg_");
        let number = digits.and_then(argument_number);
        if number.is_none() && !is_identifier(name) {
            return Err(EnvironmentError::BadName(line.into()));
        }
        let admitted = if digits.is_some() {
            self.admit_argument(name, number)
        } else if let Some(rank) = KNOWN.iter().position(|known| known.as_bytes() == name) {
            self.admit_known(rank)
        } else if self.others.insert(name) {
            Ok(())
        } else {
            Err(Problem::Duplicate)
        };
        admitted.or_else(|problem| self.tolerate(problem, line))?;
        Ok(colon)
    }

    fn admit_known(&mut self, rank: usize) -> Result<(), Problem> {
        if self.seen & (1 << rank) != 0 {
            return Err(Problem::Duplicate);
        }
        self.seen |= 1 << rank;
        if rank < self.next {
            return Err(Problem::OutOfOrder);
        }
        self.next = rank + 1;
        Ok(())
    }

    /// Whatever begins with `agi_arg_` counts as an argument, so another spelling would move the true ones.
    fn admit_argument(&mut self, name: &'a [u8], number: Option<u32>) -> Result<(), Problem> {
        let follows = number.is_some_and(|number| number - 1 == self.arg);
        let in_place = self.next == KNOWN.len() || self.leniency.incomplete;
        if follows && in_place && !self.others.contains(name) {
            self.arg += 1;
            self.next = KNOWN.len();
            return Ok(());
        }
        let came = number.is_some_and(|number| number <= self.arg) || !self.others.insert(name);
        Err(if came { Problem::Duplicate } else { Problem::OutOfOrder })
    }

    fn tolerate(&mut self, problem: Problem, line: &[u8]) -> Result<(), EnvironmentError> {
        let (allowed, tolerated) = match problem {
            Problem::Duplicate => (self.leniency.duplicates, &mut self.tolerated.duplicates),
            Problem::OutOfOrder => (self.leniency.any_order, &mut self.tolerated.any_order),
        };
        *tolerated = true;
        match problem {
            _ if allowed => Ok(()),
            Problem::Duplicate => Err(EnvironmentError::Duplicate(line.into())),
            Problem::OutOfOrder => Err(EnvironmentError::OutOfOrder(line.into())),
        }
    }

    fn complete(&mut self) -> Result<(), EnvironmentError> {
        let missing = ALWAYS & !self.seen;
        if missing != 0 && !self.leniency.incomplete {
            return Err(EnvironmentError::Incomplete(KNOWN[missing.trailing_zeros() as usize]));
        }
        self.tolerated.incomplete = missing != 0;
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

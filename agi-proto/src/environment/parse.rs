//! From the block's bytes to the index.
//!
//! ```text
//! block = *( name ":" [ SP ] value [ CR ] LF ) [ [ CR ] LF ]
//! name  = ( ALPHA / "_" ) *( ALPHA / DIGIT / "_" )
//! value = *( any byte but LF )
//! ```

use alloc::sync::Arc;

use bstr::{BString, ByteSlice};
use memchr::{memchr, memchr_iter};

use super::{Environment, Line};
use crate::limits::Leniency;

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
/// The first two come with FastAGI only; all others always.
const FIRST_ALWAYS: usize = 2;

/// The environment block is not one that Asterisk sends. Somebody forged lines through a value that
/// holds a line feed, or the peer is no Asterisk. Final: the session ends before it began.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// A line without a `:`.
    #[error("a line without a colon: {0:?}")]
    NoColon(BString),
    /// What stands before the `:` is no identifier.
    #[error("what stands before the colon is no name: {0:?}")]
    BadName(BString),
    /// A name that came before. See [`Leniency::duplicates`].
    #[error("a name that came before: {0:?}")]
    Duplicate(BString),
    /// A variable that is not where Asterisk puts it. See [`Leniency::any_order`].
    #[error("a variable that is not in its place: {0:?}")]
    OutOfOrder(BString),
    /// The blank line came before this variable, which Asterisk always sends. See
    /// [`Leniency::incomplete`].
    #[error("the block ended before {0}")]
    Incomplete(&'static str),
    /// The stream ended inside the block.
    #[error("the stream ended inside the block")]
    Truncated,
    /// More bytes than [`Limits::environment_bytes`](crate::Limits::environment_bytes).
    #[error("more than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// More lines than [`Limits::environment_variables`](crate::Limits::environment_variables).
    #[error("more than {limit} variables")]
    TooManyVariables {
        /// The limit.
        limit: usize,
    },
}

pub(super) fn parse(block: &[u8], leniency: Leniency) -> Result<Environment, EnvironmentError> {
    let block = match block.strip_suffix(b"\n\r\n").or(block.strip_suffix(b"\n\n")) {
        Some(lines) => &block[..=lines.len()],
        None if matches!(block, b"\n" | b"\r\n") => b"",
        None => block,
    };
    if u32::try_from(block.len()).is_err() {
        return Err(EnvironmentError::TooLong { limit: u32::MAX as usize });
    }
    let unended = usize::from(block.last().is_some_and(|&last| last != b'\n'));
    let count = memchr_iter(b'\n', block).count() + unended;
    // one allocation of the right size, which collecting from an iterator without `repeat_n` is not
    let mut lines: Arc<[Line]> = core::iter::repeat_n(Line::default(), count).collect();
    let slots = Arc::get_mut(&mut lines).expect("nobody else has the index yet");
    let mut check = Order { leniency, ..Order::default() };
    let mut at = 0;
    for n in 0..slots.len() {
        let end = memchr(b'\n', &block[at..]).map_or(block.len(), |len| at + len);
        let (line, rank) = parse_line(block, at, end, check.next)?;
        slots[n] = line;
        let name = &block[at..line.colon as usize];
        if let Err(problem) = check.admit(rank, name, || slots[..n].iter().map(|line| line.name_in(block))) {
            check.tolerate(problem, &block[at..line.end as usize])?;
        }
        at = end + 1;
    }
    check.complete()?;
    Ok(Environment { block: block.into(), lines, tolerated: check.tolerated })
}

/// Takes one line apart. `expected` is the known variable that should come: most lines are
/// recognised by one comparison.
fn parse_line(
    block: &[u8],
    at: usize,
    end: usize,
    expected: usize,
) -> Result<(Line, Option<usize>), EnvironmentError> {
    let line = &block[at..end];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let guess = KNOWN
        .get(expected)
        .filter(|name| line.get(name.len()) == Some(&b':') && line.starts_with(name.as_bytes()));
    let (colon, rank) = match guess {
        Some(name) => (name.len(), Some(expected)),
        None => {
            let colon = memchr(b':', line).ok_or_else(|| EnvironmentError::NoColon(line.into()))?;
            if !is_identifier(&line[..colon]) {
                return Err(EnvironmentError::BadName(line.into()));
            }
            (colon, KNOWN.iter().position(|name| name.as_bytes() == &line[..colon]))
        }
    };
    let value = colon + 1 + usize::from(line.get(colon + 1) == Some(&b' '));
    let offset = |within: usize| u32::try_from(at + within).expect("the block's length fits");
    Ok((Line { name: offset(0), colon: offset(colon), value: offset(value), end: offset(line.len()) }, rank))
}

fn is_identifier(name: &[u8]) -> bool {
    name.first().is_some_and(|first| !first.is_ascii_digit())
        && name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Line {
    fn name_in<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        &block[self.name as usize..self.colon as usize]
    }
}

/// What came so far, and so what may come next.
#[derive(Default)]
struct Order {
    /// One bit for each of [`KNOWN`] that came.
    seen: u32,
    /// The lowest of [`KNOWN`] that may still come.
    next: usize,
    /// The number of the last `agi_arg_N`.
    arg: u32,
    leniency: Leniency,
    tolerated: Leniency,
}

enum Problem {
    Duplicate,
    OutOfOrder,
}

impl Order {
    fn admit<'a, I: Iterator<Item = &'a [u8]>>(
        &mut self,
        rank: Option<usize>,
        name: &[u8],
        earlier: impl Fn() -> I,
    ) -> Result<(), Problem> {
        if let Some(rank) = rank {
            if self.seen & (1 << rank) != 0 {
                return Err(Problem::Duplicate);
            }
            self.seen |= 1 << rank;
            if rank < self.next || self.arg > 0 {
                return Err(Problem::OutOfOrder);
            }
            self.next = rank + 1;
            return Ok(());
        }
        let Some(number) = name.strip_prefix(b"agi_arg_") else {
            return if earlier().any(|other| other == name) { Err(Problem::Duplicate) } else { Ok(()) };
        };
        // whatever is called so counts as an argument, so another spelling would move the true ones
        let number = Some(number).filter(|n| !n.starts_with(b"0"));
        let number = number.and_then(|n| n.to_str().ok()?.parse::<u32>().ok()).unwrap_or(0);
        let in_place = self.next == KNOWN.len() || self.leniency.incomplete;
        if number.checked_sub(1) == Some(self.arg) && in_place {
            self.arg = number;
            return Ok(());
        }
        if earlier().any(|other| other == name) {
            return Err(Problem::Duplicate);
        }
        self.arg = self.arg.max(number);
        Err(Problem::OutOfOrder)
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
        let missing = (FIRST_ALWAYS..KNOWN.len()).find(|rank| self.seen & (1 << rank) == 0);
        match missing {
            Some(rank) if !self.leniency.incomplete => Err(EnvironmentError::Incomplete(KNOWN[rank])),
            _ => {
                self.tolerated.incomplete = missing.is_some();
                Ok(())
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

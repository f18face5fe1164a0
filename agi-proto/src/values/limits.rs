//! How much a peer may make us keep, and which oddities of a foreign sender are let pass.

/// Bounds on what one session keeps of its peer's bytes.
///
/// They are there from the first byte on, because callers can shape values and Asterisk itself sets
/// no bound on a reply. The defaults take whatever Asterisk sends of its own accord.
///
/// ```
/// let mut limits = agi_proto::Limits::default();
/// limits.response_bytes = 1 << 20; // this service reads large values from the database
/// # let _ = limits;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the whole environment block. Default 65,536: eight times what a dialplan
    /// application's arguments can hold (8,192 bytes).
    pub environment_bytes: usize,
    /// Lines of the environment block. Default 256: Asterisk sends 22 variables and at most 127
    /// arguments.
    pub environment_variables: usize,
    /// Bytes of one response, all its lines together. Default 65,536: eight times the longest
    /// command that Asterisk takes (8,192 bytes).
    pub response_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { environment_bytes: 65_536, environment_variables: 256, response_bytes: 65_536 }
    }
}

/// Which departures from Asterisk's own environment block are let pass. By default none is.
///
/// A caller's name or number can carry a line feed (`%0a` in a SIP user part is enough), and with it
/// forged lines. So the block is held to what Asterisk 1.6 and later send: each variable once, in
/// the fixed order, all of them, `agi_threadid` and the arguments last. What a leniency let pass
/// is never silent: [`Environment::tolerated`](crate::Environment::tolerated) tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leniency {
    /// A block that ends before every variable that Asterisk always sends has come: Asterisk before
    /// 1.6, other switches, hand-written clients.
    pub incomplete: bool,
    /// A name that comes twice. [`Environment::get`](crate::Environment::get) gives the first.
    pub duplicates: bool,
    /// Known variables in another order, and arguments that do not count up from 1.
    pub any_order: bool,
}

impl Leniency {
    /// Everything that can be let pass: for peers that are no Asterisk, on a network without
    /// strangers.
    pub const ALL: Self = Self { incomplete: true, duplicates: true, any_order: true };
}

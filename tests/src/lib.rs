//! Support for the tests of the whole: two sides joined in memory, recorded conversations, and a real
//! Asterisk with services for it.

pub mod ami;
pub mod asterisk;
pub mod fuzz;
pub mod pair;
pub mod pbx;
#[cfg(feature = "asterisk")]
pub mod script;
#[cfg(feature = "asterisk")]
pub mod service;
pub mod trace;

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The guide's code compiles.
#[cfg(all(doctest, feature = "programs"))]
#[doc = include_str!("../../docs/hangup.md")]
struct HangupGuide;

/// As does that of the page about services.
#[cfg(all(doctest, unix, feature = "programs"))]
#[doc = include_str!("../../docs/service.md")]
struct ServiceGuide;

//! Actions: what is sent, so that no value can become a header or an action of its own.

use alloc::vec::Vec;

/// Bytes of a line without its end; Asterisk refuses longer ones.
const LINE_BYTES: usize = 1_022;

/// Bytes that an AGI command may have: a line less `Command: `.
///
/// Over FastAGI it is 2,046 or 8,190 bytes.
pub const COMMAND_BYTES: usize = LINE_BYTES - "Command: ".len();

/// A value cannot be sent over the manager interface. Nothing was sent, and one may go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// A value holds CR, LF or NUL, which end the line: the rest would be headers of their own, or lost.
    #[error("{action}: {header} holds the byte {byte:#04x} at {at}, which no header can carry")]
    ForbiddenByte {
        /// The action.
        action: &'static str,
        /// The header at fault.
        header: &'static str,
        /// The byte.
        byte: u8,
        /// Its position in the value.
        at: usize,
    },
    /// The line would have more than the 1,022 bytes that Asterisk reads.
    #[error("{action}: {header} has {length} bytes, more than the {limit} that Asterisk reads of it")]
    TooLong {
        /// The action.
        action: &'static str,
        /// The header at fault.
        header: &'static str,
        /// The length of the value.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A value is empty or begins with a blank, which Asterisk strips; or a service's name holds what ends it.
    #[error("{action}: {header} {reason}")]
    Invalid {
        /// The action.
        action: &'static str,
        /// The header at fault.
        header: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Checks a value that comes from outside.
///
/// # Errors
///
/// [`ActionError`], for which the header cannot carry it.
pub(crate) fn check(action: &'static str, header: &'static str, value: &[u8]) -> Result<(), ActionError> {
    if let Some(at) = value.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(ActionError::ForbiddenByte { action, header, byte: value[at], at });
    }
    let limit = LINE_BYTES - header.len() - ": ".len();
    if value.len() > limit {
        return Err(ActionError::TooLong { action, header, length: value.len(), limit });
    }
    match value.first() {
        None => Err(ActionError::Invalid { action, header, reason: "is empty" }),
        Some(b' ') => Err(ActionError::Invalid { action, header, reason: "begins with a blank" }),
        Some(_) => Ok(()),
    }
}

/// Appends a whole action, or nothing.
///
/// # Errors
///
/// As [`check`].
pub(crate) fn write(
    out: &mut Vec<u8>,
    action: &'static str,
    headers: &[(&'static str, &[u8])],
) -> Result<(), ActionError> {
    headers.iter().try_for_each(|(header, value)| check(action, header, value))?;
    for (header, value) in [("Action", action.as_bytes())].iter().chain(headers) {
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_its_headers_and_an_empty_line() {
        let mut out = b"before".to_vec();
        write(&mut out, "AGI", &[("ActionID", b"1"), ("Command", b"NOOP \xff: x")]).expect("valid");
        assert_eq!(out, b"beforeAction: AGI\r\nActionID: 1\r\nCommand: NOOP \xff: x\r\n\r\n");
    }

    #[test]
    fn nothing_can_be_injected() {
        for byte in [b'\r', b'\n', 0] {
            let mut out = Vec::new();
            let value = [b'N', byte, b'A'];
            let error = write(&mut out, "AGI", &[("ActionID", b"1"), ("Command", &value)]);
            assert_eq!(
                error,
                Err(ActionError::ForbiddenByte { action: "AGI", header: "Command", byte, at: 1 })
            );
            assert_eq!(out, b"", "nothing is written of an action that is refused");
        }
    }

    #[test]
    fn a_line_ends_at_1022_bytes() {
        assert_eq!(COMMAND_BYTES, 1_013);
        assert_eq!(check("AGI", "Command", &[b'x'; COMMAND_BYTES]), Ok(()));
        let error = check("AGI", "Command", &[b'x'; COMMAND_BYTES + 1]).expect_err("a byte more");
        assert_eq!(
            error,
            ActionError::TooLong { action: "AGI", header: "Command", length: 1_014, limit: 1_013 }
        );
        assert_eq!(check("AGI", "CommandID", &[b'x'; 1_011]), Ok(()));
        assert!(check("AGI", "CommandID", &[b'x'; 1_012]).is_err());
    }

    #[test]
    fn what_asterisk_would_strip_is_refused() {
        assert!(check("Login", "Secret", b"").is_err());
        assert!(check("Login", "Secret", b" s").is_err());
        assert_eq!(check("Login", "Secret", b"s "), Ok(()));
    }
}

//! What Asterisk says to a command that it knows and does not run.

use agi_proto::BString;
use bstr::ByteSlice;

use crate::model::setup::Setup;

/// The answer to a command that needs a live channel.
pub(crate) fn dead(setup: &Setup) -> Vec<u8> {
    let short = b"511 Command Not Permitted on a dead channel";
    let since = setup.has(&[(13, 14), (14, 3), (15, 0)]);
    let rest: &[u8] = if since { b" or intercept routine\n" } else { b"\n" };
    [short, rest].concat()
}

/// The answer to wrong arguments, as Asterisk writes it.
pub(crate) fn block(setup: &Setup, name: &'static str) -> Vec<Vec<u8>> {
    if !setup.documented {
        return vec![b"520 Invalid command syntax.  Proper usage not available.\n".to_vec()];
    }
    let own = || BString::from(format!("The simulated Asterisk takes {name} with other words."));
    let text = setup.usage.get(name.as_bytes().as_bstr()).cloned().unwrap_or_else(own);
    // older versions forgot the line end before the end marker
    let since = setup.has(&[(13, 17), (14, 6), (15, 0)]);
    let end: &[u8] = if since { b"\n" } else { b"" };
    vec![
        b"520-Invalid command syntax.  Proper usage follows:\n".to_vec(),
        [&text[..], end].concat(),
        b"520 End of proper usage.\n".to_vec(),
    ]
}

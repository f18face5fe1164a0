//! The environment of a call that was found waiting, from what `Status` says of its channel.

use alloc::vec::Vec;

use crate::message::Message;

/// Returns whether the channel waits in Async AGI.
pub(crate) fn is_waiting(status: Message<'_>) -> bool {
    let application = status.get("Application").unwrap_or_default();
    application.eq_ignore_ascii_case(b"AGI") && arguments(status).is_some()
}

/// Returns the environment block that `AGI(agi:async)` would have begun with. `version` is Asterisk's, which `Status`
/// does not say; nor does it know the ANI, the RDNIS and the thread.
pub(crate) fn environment(status: Message<'_>, version: &[u8]) -> Vec<u8> {
    let of = |header| status.get(header).unwrap_or_default();
    let known = |header| match of(header) {
        b"" | b"<unknown>" => &b"unknown"[..],
        value => value,
    };
    let mut block = Vec::new();
    let mut line = |name: &str, value: &[u8]| {
        block.extend_from_slice(name.as_bytes());
        block.extend_from_slice(b": ");
        block.extend_from_slice(value);
        block.push(b'\n');
    };
    line("agi_request", b"async");
    line("agi_channel", of("Channel"));
    line("agi_language", of("Language"));
    line("agi_type", of("Type"));
    line("agi_uniqueid", of("Uniqueid"));
    line("agi_version", version);
    line("agi_callerid", known("CallerIDNum"));
    line("agi_calleridname", known("CallerIDName"));
    line("agi_callingpres", b"0");
    line("agi_callingani2", b"0");
    line("agi_callington", b"0");
    line("agi_callingtns", b"0");
    line("agi_dnid", known("DNID"));
    line("agi_rdnis", b"unknown");
    line("agi_context", of("Context"));
    line("agi_extension", of("Exten"));
    line("agi_priority", of("Priority"));
    line("agi_enhanced", b"0.0");
    line("agi_accountcode", of("AccountCode"));
    line("agi_threadid", b"0");
    let arguments = arguments(status).unwrap_or_default();
    for (at, argument) in arguments.split(|&byte| byte == b',').enumerate().skip(1) {
        line(&alloc::format!("agi_arg_{at}"), argument);
    }
    block.push(b'\n');
    block
}

/// What stands behind `agi:async`, from the comma on.
fn arguments(status: Message<'_>) -> Option<&[u8]> {
    let data = status.get("Data")?;
    let (scheme, rest) = data.split_at_checked("agi:async".len())?;
    scheme.eq_ignore_ascii_case(b"agi:async").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &[u8] = b"Event: Status\r\nChannel: Local/wait@far-1;1\r\nCallerIDNum: 12\r\n\
        CallerIDName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\nContext: h\r\nExten: plain\r\nPriority: 2\r\n\
        Uniqueid: 1.2\r\nType: Local\r\nDNID: \r\nApplication: AGI\r\nData: agi:async,arg1,arg two\r\n\r\n";

    #[test]
    fn the_environment_is_as_at_the_start() {
        assert!(is_waiting(Message(STATUS)));
        let block = environment(Message(STATUS), b"22.10.1");
        assert_eq!(
            alloc::string::String::from_utf8(block).as_deref(),
            Ok("agi_request: async\nagi_channel: Local/wait@far-1;1\nagi_language: en\nagi_type: Local\n\
                agi_uniqueid: 1.2\nagi_version: 22.10.1\nagi_callerid: 12\nagi_calleridname: unknown\n\
                agi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: unknown\n\
                agi_rdnis: unknown\nagi_context: h\nagi_extension: plain\nagi_priority: 2\nagi_enhanced: 0.0\n\
                agi_accountcode: \nagi_threadid: 0\nagi_arg_1: arg1\nagi_arg_2: arg two\n\n")
        );
    }

    #[test]
    fn another_application_does_not_wait() {
        for (application, data) in
            [("Wait", "agi:async"), ("AGI", "agi://h/agi:async"), ("AGI", ""), ("(null)", "")]
        {
            let text = alloc::format!("Application: {application}\r\nData: {data}\r\n\r\n");
            assert!(!is_waiting(Message(text.as_bytes())), "{application}({data})");
        }
    }
}

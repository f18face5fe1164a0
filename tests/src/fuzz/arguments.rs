//! Any line through Asterisk's splitter.

use agi_proto::arguments::split;
use agi_proto::{BString, CommandEncoder, PbxEvent, PbxSession};

/// * Nothing panics; words hold no more than the line does, and blanks stand in them only if quoted.
/// * Words written as arguments are split into the same words again.
/// * A PBX that gets the bytes cuts them into lines of at most its limit, and loses none.
pub fn arguments(data: &[u8]) {
    let words = split(data);
    assert!(words.iter().map(|word| word.len()).sum::<usize>() <= data.len());
    assert!(words.len() <= data.len());
    let quoting = |byte: &u8| matches!(byte, b'"' | b'\\');
    if !data.iter().any(quoting) {
        let plain = data.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
        assert!(words.iter().map(|word| &word[..]).eq(plain));
    }
    again(&words);
    lines(data);
}

fn again(words: &[BString]) {
    let mut line = Vec::new();
    let mut writer = CommandEncoder::new(&mut line, "X", usize::MAX);
    writer.words("X");
    for word in words {
        writer.argument("word", word);
    }
    let can_stand = |word: &BString| !word.iter().any(|byte| matches!(byte, b'\0' | b'\n' | b'\r'));
    let fits = words.len() < 127 && words.iter().all(can_stand);
    assert_eq!(writer.finish().is_ok(), fits);
    if fits {
        let back = split(line.strip_suffix(b"\n").expect("a line ends"));
        assert_eq!(back[0], "X");
        assert_eq!(back[1..], *words);
    } else {
        assert_eq!(line, b"");
    }
}

fn lines(data: &[u8]) {
    let limit = data.first().map_or(1, |&byte| usize::from(byte % 64) + 1);
    let mut asterisk = PbxSession::new(limit);
    let mut bytewise = PbxSession::new(limit);
    asterisk.handle_input(data);
    asterisk.handle_eof();
    let mut whole = Vec::new();
    collect(&mut asterisk, &mut whole);
    let mut dribbled = Vec::new();
    for byte in data {
        bytewise.handle_input(&[*byte]);
        collect(&mut bytewise, &mut dribbled);
    }
    bytewise.handle_eof();
    collect(&mut bytewise, &mut dribbled);
    assert_eq!(whole, dribbled);
    assert!(whole.iter().flatten().all(|line| line.len() <= limit && !line.contains(&b'\n')));
    assert_eq!(whole.iter().filter(|line| line.is_none()).count(), 1, "the end is told once");
    let without_ends = |bytes: &[u8]| bytes.iter().copied().filter(|&byte| byte != b'\n').collect::<Vec<_>>();
    assert_eq!(without_ends(&whole.into_iter().flatten().collect::<Vec<_>>().concat()), without_ends(data));
}

fn collect(asterisk: &mut PbxSession, lines: &mut Vec<Option<Vec<u8>>>) {
    while let Some(event) = asterisk.poll_event() {
        lines.push(match event {
            PbxEvent::Command(invocation) => Some(invocation.line().to_vec()),
            PbxEvent::Closed => None,
            other => panic!("an event that the tests do not know: {other:?}"),
        });
    }
}

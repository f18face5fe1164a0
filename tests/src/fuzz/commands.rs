//! Any command through the encoder and back through Asterisk's splitter.

mod rows;

use agi_proto::arguments::split;
use agi_proto::{Command, CommandEncoder, EncodeError};
use arbitrary::{Result, Unstructured};

use self::rows::COMMANDS;

/// One command with arguments out of the input, the words that Asterisk must see, and whether a value
/// stands in it that Asterisk would misread.
struct Case {
    name: &'static str,
    written: std::result::Result<Vec<u8>, EncodeError>,
    words: Vec<Vec<u8>>,
    misread: bool,
}

impl Case {
    fn new<C: Command>(limit: usize, command: C, arguments: Vec<Vec<u8>>) -> Self {
        let name = command.info().name;
        let mut out = b"before".to_vec();
        let mut line = CommandEncoder::new(&mut out, name, limit);
        command.encode(&mut line);
        let result = line.finish();
        let after = out.strip_prefix(b"before").expect("what stood there stays").to_vec();
        assert!(result.is_ok() || after.is_empty(), "{name}: a refusal left something behind");
        let words = name.split(' ').map(|word| word.as_bytes().to_vec()).chain(arguments).collect();
        Self { name, written: result.map(|()| after), words, misread: false }
    }

    fn misread(self, misread: bool) -> Self {
        Self { misread, ..self }
    }
}

/// Whatever a command's arguments hold, its line is one line with just these words, or it is refused with
/// the reason: the argument at fault, or the limit that was passed.
pub fn command_roundtrip(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = run(&mut u);
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let limit = *u.choose(&[2047, 8191, 64])?;
    while !u.is_empty() {
        let make = u.choose(&COMMANDS)?;
        check(make(u, limit)?, limit);
    }
    Ok(())
}

fn check(case: Case, limit: usize) {
    let Case { name, written, words, misread } = case;
    let carries = |word: &Vec<u8>| !word.iter().any(|byte| matches!(byte, b'\0' | b'\n' | b'\r'));
    match written {
        Ok(line) => {
            assert!(line.len() <= limit && words.len() <= 127, "{name}");
            let line = line.strip_suffix(b"\n").expect("a line ends");
            assert!(carries(&line.to_vec()), "{name}: two lines");
            assert_eq!(split(line), words, "{name}");
            assert!(!misread, "{name}: Asterisk would misread {words:?}");
        }
        Err(error) => {
            assert!(refusal_names_an_argument(&error, name), "{name}: {error}");
            let justified = match error {
                EncodeError::ForbiddenByte { byte, .. } => {
                    words.iter().any(|word| word.contains(&byte)) || misread
                }
                EncodeError::InvalidArgument { .. } => misread,
                EncodeError::TooManyWords { words: counted, .. } => counted == words.len() && counted > 127,
                EncodeError::LineTooLong { length, limit: told, .. } => told == limit && length > limit,
                _ => false,
            };
            assert!(justified, "{name}: {error}, of {words:?}");
        }
    }
}

/// Whether an error says which command, and which argument where one is at fault.
pub fn refusal_names_an_argument(error: &EncodeError, name: &str) -> bool {
    match error {
        EncodeError::ForbiddenByte { command, argument, .. }
        | EncodeError::InvalidArgument { command, argument, .. } => *command == name && !argument.is_empty(),
        EncodeError::TooManyWords { command, .. } | EncodeError::LineTooLong { command, .. } => {
            *command == name
        }
        _ => false,
    }
}

//! Asterisk's own splitting of a command line into words.
//!
//! ```text
//! line   = *( blank ) *( word 1*( blank ) )
//! blank  = SP / TAB
//! word   = 1*( plain / quoted / escape )
//! quoted = DQUOTE *( any / escape ) [ DQUOTE ]      ; an open quote runs to the end of the line
//! escape = "\" any                                  ; the next byte as it is, in and out of quotes
//! ```
//!
//! Quotes do not end a word, only blanks do: `a"b c"d` is the word `ab cd`, `""` an empty one. A lone
//! backslash at the end is dropped. CR is an ordinary byte.

use alloc::vec::Vec;

use bstr::BString;

/// The words of a command line (without its LF), as Asterisk sees them.
///
/// ```
/// let words = agi_proto::arguments::split(br#"STREAM FILE "two words" """#);
/// assert_eq!(words, ["STREAM", "FILE", "two words", ""]);
/// ```
pub fn split(line: &[u8]) -> Vec<BString> {
    let mut words = Vec::new();
    let mut word: Option<BString> = None;
    let mut quoted = false;
    let mut bytes = line.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            b' ' | b'\t' if !quoted => words.extend(word.take()),
            b'\\' => {
                if let Some(&next) = bytes.next() {
                    word.get_or_insert_default().push(next);
                }
            }
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_what_asterisk_sees() {
        let cases: &[(&str, &[&str])] = &[
            ("  lead  two", &["lead", "two"]),
            (r#"a "" b"#, &["a", "", "b"]),
            (r#"a"b c"d"#, &["ab cd"]),
            (r#""x"y z"#, &["xy", "z"]),
            (r#"a "b""c" d"#, &["a", "bc", "d"]),
            (r#""a\"b""#, &["a\"b"]),
            (r#""a\\b""#, &["a\\b"]),
            (r"a\ b c", &["a b", "c"]),
            (r"a\nb", &["anb"]),
            (r#"\"a b"#, &["\"a", "b"]),
            (r#""abc"#, &["abc"]),
            (r"x\", &["x"]),
            (r"\ ", &[" "]),
            (r#"" ""#, &[" "]),
            ("'a b'", &["'a", "b'"]),
            ("", &[]),
            ("   \t", &[]),
            ("NOOP\r", &["NOOP\r"]),
            (r#""NOOP""#, &["NOOP"]),
            (r#""GET VARIABLE" X"#, &["GET VARIABLE", "X"]),
        ];
        for (line, words) in cases {
            assert_eq!(&split(line.as_bytes()), words, "{line}");
        }
    }
}

//! Any bytes as a response.

use agi_proto::{BStr, Response};

/// * Nothing panics, and only three digits with a blank, a `-` or the end behind them are a response.
/// * Every part is a piece of the input, and the parts say together what the whole says.
/// * The value runs to the last parenthesis and the tag to the first, so one begins with the other.
pub fn response(data: &[u8]) {
    let Some(response) = Response::parse(data) else {
        assert!(!starts_like_one(data), "refused");
        return;
    };
    assert!(starts_like_one(data), "believed");
    assert!((100..=999).contains(&response.status()));
    assert_eq!(response.status().to_string().as_bytes(), &data[..3]);
    assert_eq!(response.is_provisional(), response.status() < 200);
    assert_eq!(*response.raw(), *data);
    let within = |part: &BStr| {
        let (whole, part) = (data.as_ptr_range(), part.as_ptr_range());
        assert!(part.is_empty() || whole.start <= part.start && part.end <= whole.end, "not of the input");
    };
    within(response.text());
    within(response.tail());
    if let Some(result) = response.result() {
        within(result);
        assert!(!result.contains(&b' '));
        let end = b"result=".len() + result.len();
        assert_eq!(*response.text()[..end], *[b"result=", &**result].concat());
        assert!(matches!(response.text().get(end), None | Some(b' ')));
        let blank = usize::from(response.text().len() > end);
        assert_eq!(response.text()[end + blank..], **response.tail());
    }
    if let Some(code) = response.code() {
        let result = response.result().expect("a code is a result");
        assert_eq!(result.to_string().parse(), Ok(code));
    }
    match (response.value(), response.tag()) {
        (None, None) => {}
        (Some(value), Some(tag)) => {
            within(value);
            within(tag);
            assert!(value.starts_with(tag) && !tag.contains(&b')'));
            let tail = response.tail();
            assert!(tail.starts_with(&[b"(", &**value, b")"].concat()));
            assert!(!tail[value.len() + 2..].contains(&b')'));
        }
        other => panic!("one of value and tag only: {other:?}"),
    }
    let mut before = data.as_ptr();
    for (name, value) in response.fields() {
        within(name);
        within(value);
        assert!(!name.contains(&b' ') && !name.contains(&b'='));
        assert!(name.as_ptr() >= before && value.as_ptr() > name.as_ptr(), "the fields overlap");
        before = value.as_ptr_range().end;
        if let Ok(name) = std::str::from_utf8(name) {
            let first = response.field(name).expect("it was just seen");
            assert!(first.as_ptr() <= value.as_ptr());
            assert_eq!(response.number(name), super::number(&first.to_string()));
        }
    }
    if let Some(usage) = response.usage() {
        within(usage);
        assert!(data.starts_with(b"520-"));
    }
}

fn starts_like_one(data: &[u8]) -> bool {
    let digits = data.iter().take(3).filter(|byte| byte.is_ascii_digit()).count();
    digits == 3 && data[0] != b'0' && matches!(data.get(3), None | Some(b' ' | b'-'))
}

//! Routes: from paths to handlers.

use std::borrow::Cow;

use bstr::BStr;
use percent_encoding::percent_decode_str;

use agi_proto::Request;

/// Routes by the path of a script's URL, to handlers of any type.
///
/// A pattern is a path in which `{name}` captures one segment, or a part of one, and `{*name}` at its end
/// captures the rest. The more literal pattern wins, segment by segment and for good: beside `/{a}.agi/x`, a path
/// such as `/m.agi/y` is no other route's, not even that of `/{a}/{b}`. What is captured is never empty.
///
/// ```
/// use agi_service::Routes;
/// use agi_proto::{Environment, Leniency, Request};
///
/// let mut router = Routes::new();
/// router.insert("/menu/{language}", "the menu")?;
/// router.insert("/files/{*name}", "the files")?;
///
/// let block = b"agi_network_script: menu/pt%2DBR\n";
/// let mut request = Request::new(&Environment::parse(block, Leniency::ALL)?);
/// assert_eq!(router.find(&mut request), Some(&"the menu"));
/// assert_eq!(request.param("language").unwrap(), "pt-BR");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Routes<H> {
    /// The index of each route's handler.
    routes: matchit::Router<usize>,
    handlers: Vec<H>,
    fallback: Option<H>,
}

/// A pattern that cannot be a route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the route {pattern}: {reason}")]
pub struct RouteError {
    pattern: String,
    reason: String,
}

impl<H> Default for Routes<H> {
    fn default() -> Self {
        Self { routes: matchit::Router::new(), handlers: Vec::new(), fallback: None }
    }
}

impl<H> Routes<H> {
    /// Without any route.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route. The `/` at the beginning of the pattern may be left out.
    ///
    /// # Errors
    ///
    /// [`RouteError`] where the pattern is malformed, or a route that is there already takes the same paths.
    pub fn insert(&mut self, pattern: &str, handler: H) -> Result<(), RouteError> {
        let slash = if pattern.starts_with('/') { "" } else { "/" };
        let pattern = [slash, pattern].concat();
        match self.routes.insert(&pattern, self.handlers.len()) {
            Ok(()) => self.handlers.push(handler),
            Err(error) => return Err(RouteError { pattern, reason: error.to_string() }),
        }
        Ok(())
    }

    /// What handles the paths that no route takes.
    pub fn set_fallback(&mut self, handler: H) {
        self.fallback = Some(handler);
    }

    /// The handler of the request's path, and into the request what its route captures.
    pub fn find(&self, request: &mut Request) -> Option<&H> {
        let path = text(request.path()).into_owned();
        let Ok(found) = self.routes.at(&path) else {
            request.set_params([]);
            return self.fallback.as_ref();
        };
        let decode = |(name, value): (&str, &str)| {
            (name.to_string(), percent_decode_str(value).collect::<Vec<u8>>().into())
        };
        request.set_params(found.params.iter().map(decode));
        self.handlers.get(*found.value)
    }

    /// Changes every handler, the fallback's too.
    pub fn map<T>(self, mut change: impl FnMut(H) -> T) -> Routes<T> {
        let Self { routes, handlers, fallback } = self;
        let handlers = handlers.into_iter().map(&mut change).collect();
        Routes { routes, handlers, fallback: fallback.map(change) }
    }
}

/// A path as text. Bytes that are none, such as a name in Latin-1, are escaped, and a capture of them is
/// decoded to what they were.
fn text(path: &BStr) -> Cow<'_, str> {
    let mut escaped = String::new();
    for chunk in path.utf8_chunks() {
        if chunk.valid().len() == path.len() {
            return Cow::Borrowed(chunk.valid());
        }
        escaped.push_str(chunk.valid());
        for &byte in chunk.invalid() {
            escaped.push_str(percent_encoding::percent_encode_byte(byte));
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use bstr::ByteSlice;

    use super::*;
    use agi_proto::{Environment, Leniency};

    fn request(path: &[u8]) -> Request {
        let block = [b"agi_network_script: ", path, b"\n"].concat();
        Request::new(&Environment::parse(&block, Leniency::ALL).expect("one good line"))
    }

    #[test]
    fn literal_segments_win_and_captures_are_decoded_after_the_split() {
        let mut router = Routes::new();
        for pattern in ["/menu/main", "menu/{name}", "/menu/{name}/{digit}", "/{*rest}", "/file-{name}.agi"] {
            router.insert(pattern, pattern).expect("a good pattern");
        }
        type Case<'a> = (&'a [u8], &'a str, &'a [(&'a str, &'a [u8])]);
        let cases: [Case<'_>; 7] = [
            (b"menu/main?x=1", "/menu/main", &[]),
            (b"menu/a%2Fb%20c", "menu/{name}", &[("name", b"a/b c")]),
            (b"menu/a/%23", "/menu/{name}/{digit}", &[("name", b"a"), ("digit", b"#")]),
            (b"menu/J\xfcrgen", "menu/{name}", &[("name", b"J\xfcrgen")]),
            (b"file-x.agi", "/file-{name}.agi", &[("name", b"x")]),
            (b"a/b/c", "/{*rest}", &[("rest", b"a/b/c")]),
            (b"bad%zz", "/{*rest}", &[("rest", b"bad%zz")]),
        ];
        for (path, pattern, params) in cases {
            let mut request = request(path);
            assert_eq!(router.find(&mut request), Some(&pattern), "{:?}", path.as_bstr());
            let found: Vec<_> = request.params().map(|(name, value)| (name, value.as_bytes())).collect();
            assert_eq!(found, params);
        }
    }

    #[test]
    fn the_more_literal_segment_is_chosen_for_good() {
        let mut router = Routes::new();
        for pattern in ["/{a}.agi/x", "/{a}/{b}"] {
            router.insert(pattern, pattern).expect("a good pattern");
        }
        assert_eq!(router.find(&mut request(b"m.agi/x")), Some(&"/{a}.agi/x"));
        assert_eq!(router.find(&mut request(b"m/y")), Some(&"/{a}/{b}"));
        assert_eq!(router.find(&mut request(b"m.agi/y")), None);
    }

    #[test]
    fn what_no_route_takes_falls_back() {
        let mut router = Routes::new();
        router.insert("/a/{b}", 1).expect("a good pattern");
        let mut other = request(b"b");
        assert_eq!(router.find(&mut other), None);
        router.set_fallback(2);
        let router = router.map(|handler| handler * 10);
        assert_eq!(router.find(&mut other), Some(&20));
        assert_eq!(router.find(&mut request(b"a/x")), Some(&10));
        // `AGI(agi://host)`
        assert_eq!(router.find(&mut request(b"")), Some(&20));
    }

    #[test]
    fn a_route_must_be_one_and_another_one() {
        let mut router = Routes::new();
        router.insert("/a/{b}", ()).expect("a good pattern");
        for pattern in ["/a/{c}", "/{", "/{*rest}/x", "a/{b}"] {
            let error = router.insert(pattern, ()).expect_err("no good pattern");
            assert!(error.to_string().starts_with("the route /"), "{error}");
        }
        assert_eq!(router.find(&mut request(b"a/1")), Some(&()));
    }
}

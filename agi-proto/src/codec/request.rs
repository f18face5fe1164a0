//! What the dialplan asked for: the URL behind `AGI()`, taken apart.

use alloc::string::String;
use alloc::vec::Vec;

use bstr::{BStr, BString, ByteSlice};
use percent_encoding::percent_decode;

use crate::codec::environment::Environment;

/// The script's path, its query and its arguments, from `AGI(agi://host/path?query,argument,...)`.
///
/// ```
/// use agi_proto::{Environment, Leniency, Request};
///
/// let block = b"agi_network_script: ivr/menu?lang=de&name=J%C3%BCrgen+K\nagi_arg_1: one\n";
/// let request = Request::new(&Environment::parse(block, Leniency::ALL)?);
/// assert_eq!(request.path(), "/ivr/menu");
/// assert_eq!(request.query("lang").unwrap(), "de");
/// assert_eq!(request.query("name").unwrap(), "Jürgen K");
/// assert_eq!(request.environment().arg(1).unwrap(), "one");
/// # Ok::<(), agi_proto::EnvironmentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    environment: Environment,
    path: BString,
    query: Vec<(BString, BString)>,
    params: Vec<(String, BString)>,
}

impl Request {
    /// Takes `agi_network_script` apart. Without one (`agi://host`, or a process) the path is `/`.
    pub fn new(environment: &Environment) -> Self {
        let script = environment.network_script().unwrap_or(BStr::new(""));
        let (path, query) = script.split_once_str("?").unwrap_or((script, b""));
        let mut with_slash = Vec::with_capacity(path.len() + 1);
        with_slash.push(b'/');
        with_slash.extend_from_slice(path.strip_prefix(b"/").unwrap_or(path));
        let query = query.split_str("&").filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once_str("=").unwrap_or((pair, b""));
            (decode(name), decode(value))
        });
        Self {
            path: with_slash.into(),
            query: query.collect(),
            params: Vec::new(),
            environment: environment.clone(),
        }
    }

    /// What a router captured from the path, decoded; a second time takes the first one's place.
    pub fn set_params(&mut self, params: impl IntoIterator<Item = (String, BString)>) {
        self.params = params.into_iter().collect();
    }

    /// The environment that the request came with.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The path, beginning with `/`, up to the `?`; percent-escapes stay, so that an escaped `/` is
    /// no separator.
    pub fn path(&self) -> &BStr {
        self.path.as_bstr()
    }

    /// The first value of a query parameter, decoded (`%20` and `+` are blanks); empty where it has
    /// none (`?debug`).
    pub fn query(&self, name: impl AsRef<[u8]>) -> Option<&BStr> {
        let name = name.as_ref();
        self.query_pairs().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// All query parameters, decoded, in their order; a name may come more than once.
    pub fn query_pairs(&self) -> impl Iterator<Item = (&BStr, &BStr)> {
        self.query.iter().map(|(name, value)| (name.as_bstr(), value.as_bstr()))
    }

    /// What the route's `{name}` captured from the path, decoded after the path was split; `None` where the
    /// route has no such name, or no router was asked.
    pub fn param(&self, name: &str) -> Option<&BStr> {
        self.params().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// All that the route captured from the path, decoded, in its order.
    pub fn params(&self) -> impl Iterator<Item = (&str, &BStr)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_bstr()))
    }

    /// The arguments of the dialplan's `AGI()` behind the URL.
    pub fn args(&self) -> impl Iterator<Item = &BStr> {
        self.environment.args()
    }

    /// The first argument of the dialplan's `AGI()` as it was written: the whole URL or the script's
    /// name.
    pub fn as_given(&self) -> &BStr {
        self.environment.request().unwrap_or(BStr::new(""))
    }
}

fn decode(text: &[u8]) -> BString {
    percent_decode(&text.replace("+", " ")).collect::<Vec<u8>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::limits::Leniency;

    fn request(script: &str) -> Request {
        let block = [b"agi_network_script: ", script.as_bytes(), b"\n"].concat();
        Request::new(&Environment::parse(&block, Leniency::ALL).expect("one good line"))
    }

    #[test]
    fn the_path_keeps_its_escapes_and_ends_at_the_query() {
        assert_eq!(request("a/b%2Fc/d.agi#frag;semi").path(), "/a/b%2Fc/d.agi#frag;semi");
        assert_eq!(request("").path(), "/");
        assert_eq!(request("/x?y").path(), "/x");
        assert_eq!(request("?y=1").path(), "/");
        let none = Environment::parse(b"agi_request: hello.agi\n", Leniency::ALL).expect("one good line");
        assert_eq!(Request::new(&none).path(), "/");
        assert_eq!(Request::new(&none).as_given(), "hello.agi");
    }

    #[test]
    fn the_query_is_a_decoded_multi_map() {
        let request = request("x?a=1&a=2&&flag&=v&b=%ff%3d%26&c=d=e&bad=%zz%4");
        let all: Vec<(&BStr, &BStr)> = request.query_pairs().collect();
        let wanted: [(&[u8], &[u8]); 7] = [
            (b"a", b"1"),
            (b"a", b"2"),
            (b"flag", b""),
            (b"", b"v"),
            (b"b", b"\xff=&"),
            (b"c", b"d=e"),
            (b"bad", b"%zz%4"),
        ];
        assert_eq!(all, wanted.map(|(name, value)| (name.as_bstr(), value.as_bstr())));
        assert_eq!(request.query("a").expect("it came"), "1");
        assert_eq!(request.query("none"), None);
    }
    #[test]
    fn a_request_knows_its_arguments_and_what_the_route_captured() {
        let block = b"agi_network_script: x\nagi_request: agi://host/x\nagi_arg_1: one\nagi_arg_2: two\n";
        let environment = Environment::parse(block, Leniency::ALL).expect("good lines");
        let mut request = Request::new(&environment);
        assert_eq!(request.as_given(), "agi://host/x");
        assert!(request.args().eq(["one", "two"]));
        assert_eq!((request.param("id"), request.params().count()), (None, 0));
        request.set_params([("gone".into(), "0".into())]);
        request.set_params([("lang".into(), "de".into()), ("id".into(), "7".into())]);
        assert_eq!(request.param("id").expect("captured"), "7");
        assert_eq!(request.param("gone"), None);
        let params: Vec<_> = request.params().collect();
        assert_eq!(params, [("lang", BStr::new("de")), ("id", BStr::new("7"))]);
        let none = Request::new(&Environment::parse(b"", Leniency::ALL).expect("nothing"));
        assert_eq!(none.as_given(), "");
    }
}

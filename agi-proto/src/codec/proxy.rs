//! The PROXY protocol, versions 1 and 2: how a TCP balancer says whose connection it passes on.
//!
//! ```text
//! v1 = "PROXY " ( "TCP4" / "TCP6" ) SP source SP destination SP port SP port CR LF
//!    / "PROXY UNKNOWN" *any CR LF                                      ; at most 107 bytes
//! v2 = signature %x20-21 family length addresses *any                  ; LOCAL is %x20, PROXY is %x21
//! ```
//!
//! The source is HAProxy's `proxy-protocol.txt`. A receiver must know that a header comes, and from whom: one that
//! guesses believes whoever sends one.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

use memchr::memchr;

/// The signature of version 2, which no text protocol begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header of version 1, its line end included.
const LONGEST_LINE: usize = 107;
/// The bytes of version 2 before its addresses.
const FIXED: usize = 16;

/// A header of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyHeader {
    /// The connection of somebody else is passed on.
    Proxied {
        /// The address that connected to the proxy.
        source: SocketAddr,
        /// The address that it connected to.
        destination: SocketAddr,
    },
    /// The proxy speaks for itself, as in a health check, or does not say for whom it speaks: `LOCAL` of version 2,
    /// `UNKNOWN` of version 1, and all families that are not TCP over IP.
    Local,
}

/// Bytes that are not a header of the PROXY protocol. Final: nothing after them can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The connection begins with something else.
    #[error("PROXY protocol: the connection does not begin with a header")]
    Missing,
    /// A line of version 1 that is not formed as it must be.
    #[error("PROXY protocol: invalid line of version 1")]
    InvalidLine,
    /// A header of version 2 with a version, a command or a length that does not exist.
    #[error("PROXY protocol: invalid header of version 2")]
    InvalidBinary,
    /// A header that is longer than [`ProxyHeader::LONGEST`].
    #[error("PROXY protocol: a header of more than {} bytes", ProxyHeader::LONGEST)]
    TooLong,
}

impl ProxyHeader {
    /// The most bytes that a header may have, extensions (TLVs) included. The protocol asks senders to stay within
    /// 536; HAProxy's longest, with a certificate's names, has some 400.
    pub const LONGEST: usize = 1024;

    /// Reads the header at the beginning of a connection, and returns its length with it. `None` means that more
    /// input is needed. Bytes after the header are not looked at.
    ///
    /// # Errors
    ///
    /// [`ProxyError`], as soon as the bytes cannot become a header.
    ///
    /// ```
    /// use agi_proto::proxy::ProxyHeader;
    ///
    /// let input = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 4573\r\nagi_network: yes\n";
    /// let (header, length) = ProxyHeader::parse(input)?.expect("it is whole");
    /// assert!(matches!(header, ProxyHeader::Proxied { source, .. } if source == "192.0.2.7:40000".parse().unwrap()));
    /// assert_eq!(&input[length..], b"agi_network: yes\n");
    /// # Ok::<(), agi_proto::proxy::ProxyError>(())
    /// ```
    pub fn parse(input: &[u8]) -> Result<Option<(Self, usize)>, ProxyError> {
        if begins(input, SIGNATURE) {
            return parse_binary(input);
        }
        if begins(input, b"PROXY ") {
            return parse_line(input);
        }
        Err(ProxyError::Missing)
    }
}

/// Whether `input` begins with `prefix`, or may once more of it has come.
fn begins(input: &[u8], prefix: &[u8]) -> bool {
    let common = input.len().min(prefix.len());
    input[..common] == prefix[..common]
}

fn parse_line(input: &[u8]) -> Result<Option<(ProxyHeader, usize)>, ProxyError> {
    let within = &input[..input.len().min(LONGEST_LINE)];
    let Some(end) = memchr(b'\n', within) else {
        return if within.len() < LONGEST_LINE { Ok(None) } else { Err(ProxyError::InvalidLine) };
    };
    let line = within[..end].strip_suffix(b"\r").and_then(|line| core::str::from_utf8(line).ok());
    let header = line.and_then(|line| line_header(line.strip_prefix("PROXY ")?));
    Ok(Some((header.ok_or(ProxyError::InvalidLine)?, end + 1)))
}

fn line_header(text: &str) -> Option<ProxyHeader> {
    let mut words = text.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(ProxyHeader::Local);
    }
    let mut address = || {
        let word = words.next()?;
        match family {
            "TCP4" => Ipv4Addr::from_str(word).ok().map(IpAddr::V4),
            "TCP6" => Ipv6Addr::from_str(word).ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let (source, destination) = (address()?, address()?);
    let mut port = || {
        let word = words.next()?;
        let is_plain =
            word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
        word.parse().ok().filter(|_| is_plain)
    };
    let (from, to) = (port()?, port()?);
    let header = ProxyHeader::Proxied {
        source: SocketAddr::new(source, from),
        destination: SocketAddr::new(destination, to),
    };
    words.next().is_none().then_some(header)
}

fn parse_binary(input: &[u8]) -> Result<Option<(ProxyHeader, usize)>, ProxyError> {
    let Some(&command) = input.get(SIGNATURE.len()) else { return Ok(None) };
    if !matches!(command, 0x20 | 0x21) {
        return Err(ProxyError::InvalidBinary);
    }
    let Some((fixed, rest)) = input.split_at_checked(FIXED) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if FIXED + length > ProxyHeader::LONGEST {
        return Err(ProxyError::TooLong);
    }
    let Some(addresses) = rest.get(..length) else { return Ok(None) };
    let header = match (command, fixed[13]) {
        (0x20, _) => Some(ProxyHeader::Local),
        (_, 0x11) => proxied::<4>(addresses, |octets| Ipv4Addr::from(octets).into()),
        (_, 0x21) => proxied::<16>(addresses, |octets| Ipv6Addr::from(octets).into()),
        // receivers must take what they do not know for a connection of the proxy's own
        _ => Some(ProxyHeader::Local),
    };
    Ok(Some((header.ok_or(ProxyError::InvalidBinary)?, FIXED + length)))
}

/// Reads two addresses of `N` bytes, and their ports. Extensions may follow.
fn proxied<const N: usize>(bytes: &[u8], address: fn([u8; N]) -> IpAddr) -> Option<ProxyHeader> {
    let (source, rest) = bytes.split_first_chunk::<N>()?;
    let (destination, rest) = rest.split_first_chunk::<N>()?;
    let (from, rest) = rest.split_first_chunk()?;
    let to = rest.first_chunk()?;
    Some(ProxyHeader::Proxied {
        source: SocketAddr::new(address(*source), u16::from_be_bytes(*from)),
        destination: SocketAddr::new(address(*destination), u16::from_be_bytes(*to)),
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn proxied(source: &str, destination: &str) -> ProxyHeader {
        let address = |text: &str| text.parse().expect("an address");
        ProxyHeader::Proxied { source: address(source), destination: address(destination) }
    }

    /// A header of version 2: its command, family, addresses and extensions.
    fn binary(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).expect("it is short").to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, body].concat()
    }

    const FOUR: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0x11, 0xdd];

    fn valid() -> Vec<(Vec<u8>, ProxyHeader)> {
        let four = proxied("192.0.2.7:40000", "198.51.100.1:4573");
        let six = proxied("[2001:db8::7]:40000", "[2001:db8::1]:4573");
        let mut addresses = Vec::new();
        addresses.extend_from_slice(&"2001:db8::7".parse::<Ipv6Addr>().expect("an address").octets());
        addresses.extend_from_slice(&"2001:db8::1".parse::<Ipv6Addr>().expect("an address").octets());
        addresses.extend_from_slice(&FOUR[8..]);
        let with_extensions = [&FOUR[..], b"\x03\0\x04\x12\x34\x56\x78\x05\0\x02id"].concat();
        std::vec![
            (b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 4573\r\n".to_vec(), four),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 4573\r\n".to_vec(), six),
            (b"PROXY UNKNOWN\r\n".to_vec(), ProxyHeader::Local),
            (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n".to_vec(), ProxyHeader::Local),
            (binary(0x21, 0x11, &FOUR), four),
            (binary(0x21, 0x11, &with_extensions), four),
            (binary(0x21, 0x21, &addresses), six),
            (binary(0x20, 0x00, b""), ProxyHeader::Local),
            (binary(0x20, 0x11, &FOUR), ProxyHeader::Local),
            (binary(0x21, 0x31, &[0; 216]), ProxyHeader::Local),
            (binary(0x21, 0x12, &FOUR), ProxyHeader::Local),
        ]
    }

    #[test]
    fn header_is_whole_at_its_last_byte_and_not_before() {
        for (header, wanted) in valid() {
            for cut in 0..header.len() {
                assert_eq!(ProxyHeader::parse(&header[..cut]), Ok(None), "{cut} bytes of {header:?}");
            }
            let followed = [&header[..], b"agi_network: yes\n"].concat();
            assert_eq!(ProxyHeader::parse(&followed), Ok(Some((wanted, header.len()))));
        }
    }

    #[test]
    fn other_beginnings_are_refused_at_the_first_byte_that_differs() {
        for (input, error) in [
            (&b"a"[..], ProxyError::Missing),
            (b"G", ProxyError::Missing),
            (b"PROXX", ProxyError::Missing),
            (b"p", ProxyError::Missing),
            (b"\r\n\r\n\0\r\nQUIT\r", ProxyError::Missing),
            (b"\r\n\r\n\0\r\nQUIT\n\x11", ProxyError::InvalidBinary),
            (b"\r\n\r\n\0\r\nQUIT\n\x22", ProxyError::InvalidBinary),
        ] {
            assert_eq!(ProxyHeader::parse(input), Err(error), "{input:?}");
            let shorter = &input[..input.len() - 1];
            assert_eq!(ProxyHeader::parse(shorter), Ok(None), "{shorter:?}");
        }
    }

    #[test]
    fn malformed_lines_are_refused() {
        for line in [
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000 4573\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000 4573 1\r\n",
            "PROXY TCP4  192.0.2.7 198.51.100.1 40000 4573\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 +40000 4573\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 040000 4573\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 65536 4573\r\n",
            "PROXY TCP4 192.0.2.007 198.51.100.1 40000 4573\r\n",
            "PROXY TCP4 2001:db8::7 2001:db8::1 40000 4573\r\n",
            "PROXY TCP6 192.0.2.7 198.51.100.1 40000 4573\r\n",
            "PROXY UDP4 192.0.2.7 198.51.100.1 40000 4573\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000 45\u{e9}\r\n",
            "PROXY \r\n",
        ] {
            assert_eq!(ProxyHeader::parse(line.as_bytes()), Err(ProxyError::InvalidLine), "{line:?}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let unended = |length: usize| [&b"PROXY UNKNOWN"[..], &std::vec![b'x'; length - 13][..]].concat();
        assert_eq!(ProxyHeader::parse(&unended(106)), Ok(None));
        assert_eq!(ProxyHeader::parse(&unended(107)), Err(ProxyError::InvalidLine));
        let longest = binary(0x21, 0x11, &[&FOUR[..], &[0; ProxyHeader::LONGEST - FIXED - 12]].concat());
        assert_eq!(longest.len(), ProxyHeader::LONGEST);
        assert!(matches!(ProxyHeader::parse(&longest), Ok(Some((_, ProxyHeader::LONGEST)))));
        let longer = binary(0x21, 0x11, &[0; ProxyHeader::LONGEST - FIXED + 1]);
        assert_eq!(ProxyHeader::parse(&longer[..FIXED]), Err(ProxyError::TooLong));
    }

    #[test]
    fn addresses_that_do_not_fit_the_length_are_refused() {
        for length in 0..12 {
            let short = binary(0x21, 0x11, &FOUR[..length]);
            assert_eq!(
                ProxyHeader::parse(&short),
                Err(ProxyError::InvalidBinary),
                "{length} bytes of addresses"
            );
        }
        assert_eq!(ProxyHeader::parse(&binary(0x21, 0x21, &[0; 35])), Err(ProxyError::InvalidBinary));
    }
}

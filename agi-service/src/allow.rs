//! The networks that calls are taken from.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// Networks from which calls are taken.
///
/// ```
/// use agi_service::AllowList;
///
/// let list: AllowList = "127.0.0.0/8, 2001:db8::/32, 192.0.2.7".parse()?;
/// assert!(list.allows([127, 0, 0, 1].into()));
/// assert!(!list.allows([192, 0, 2, 8].into()));
/// # Ok::<(), agi_service::AllowListError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowList {
    networks: Vec<IpNet>,
}

/// A text that is neither an address nor a network in CIDR notation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network such as 192.0.2.0/24")]
pub struct AllowListError(String);

impl AllowList {
    /// Returns whether an address is in one of the networks. An IPv4 address that was mapped into IPv6, as a socket that
    /// listens for both returns it, counts as an IPv4 address.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// Addresses and networks with commas or blanks between them. An empty text allows nobody.
impl FromStr for AllowList {
    type Err = AllowListError;

    fn from_str(text: &str) -> Result<Self, AllowListError> {
        let words = text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty());
        let network = |word: &str| {
            let network = word.parse().or_else(|_| word.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| AllowListError(word.into()))
        };
        Ok(Self { networks: words.map(network).collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_both_families_and_single_addresses() {
        let list: AllowList = "10.0.0.0/8 2001:db8::/32,192.0.2.7,\n::1".parse().expect("a list");
        for (address, allowed) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("::ffff:10.1.2.3", true),
            ("::ffff:11.1.2.3", false),
            ("2001:db8:1::5", true),
            ("2001:db9::5", false),
            ("192.0.2.7", true),
            ("192.0.2.6", false),
            ("::1", true),
            ("::2", false),
        ] {
            assert_eq!(list.allows(address.parse().expect("an address")), allowed, "{address}");
        }
    }

    #[test]
    fn an_empty_list_allows_nobody_and_nonsense_is_refused() {
        let nobody: AllowList = "".parse().expect("a list");
        assert!(!nobody.allows([127, 0, 0, 1].into()));
        for nonsense in ["localhost", "10.0.0.0/33", "10.0.0/8", "10.0.0.1:80"] {
            assert_eq!(nonsense.parse::<AllowList>(), Err(AllowListError(nonsense.into())));
        }
    }
}

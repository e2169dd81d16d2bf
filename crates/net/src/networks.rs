//! Which addresses may be asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Networks within the IPv4 addresses that are not reachable for all (IANA, "IPv4 Special-Purpose Address Registry"),
/// and one that every virtual machine at Azure reaches and nobody else.
const NOT_PUBLIC_V4: [Ipv4Net; 16] = [
    // "This network" and unspecified (RFC 791)
    v4([0, 0, 0, 0], 8),
    // Private use (RFC 1918)
    v4([10, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    // Shared by carriers (RFC 6598)
    v4([100, 64, 0, 0], 10),
    // Loopback (RFC 1122)
    v4([127, 0, 0, 0], 8),
    // Link-local (RFC 3927), with the metadata of clouds at 169.254.169.254
    v4([169, 254, 0, 0], 16),
    // IETF protocol assignments (RFC 6890)
    v4([192, 0, 0, 0], 24),
    // Documentation (RFC 5737)
    v4([192, 0, 2, 0], 24),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    // Relays of 6to4 (RFC 7526)
    v4([192, 88, 99, 0], 24),
    // Benchmarks (RFC 2544)
    v4([198, 18, 0, 0], 15),
    // Multicast (RFC 5771), reserved and broadcast (RFC 1112, RFC 919)
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    // The platform of Azure (Microsoft, "What is IP address 168.63.129.16?")
    v4([168, 63, 129, 16], 32),
];

/// The IPv6 addresses that are assigned for use by all (RFC 4291; IANA, "IPv6 Address Space"). Outside of it lie
/// loopback, link-local, unique local (with the metadata of clouds at `fd00:ec2::254`), multicast and translated ones.
const PUBLIC_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// What is special within [`PUBLIC_V6`] (IANA, "IPv6 Special-Purpose Address Registry").
const NOT_PUBLIC_V6: [Ipv6Net; 4] = [
    // IETF protocol assignments, Teredo among them (RFC 2928, RFC 4380)
    v6([0x2001, 0, 0], 23),
    // Documentation (RFC 3849, RFC 9637)
    v6([0x2001, 0xdb8, 0], 32),
    v6([0x3fff, 0, 0], 20),
    // 6to4, which carries an IPv4 address (RFC 3056)
    v6([0x2002, 0, 0], 16),
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6([a, b, c]: [u16; 3], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// Whether an address belongs to the internet: to no private, local, shared, reserved or documentation network. An IPv4
/// address that is written as an IPv6 one is judged as what it is.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            PUBLIC_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address))
        }
    }
}

/// Whether the host of a URL is this machine by its spelling: a loopback address, or a name that is reserved for one
/// (RFC 6761, section 6.3). What such a name resolves to is judged when it is connected to.
#[must_use]
pub fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(host) => literal(&host).is_some_and(is_loopback),
        None => false,
    }
}

/// Ends of names that lead nowhere in the public system of names: reserved for this machine, for one network or for tests
/// (RFC 6761, RFC 6762 with its appendix G, RFC 8375, and `internal` by the resolution of ICANN of 29 July 2024).
const RESERVED: [&str; 13] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "test",
    "example",
    "invalid",
    "onion",
];

/// Whether a name can be found only within a network: one without a dot, or one with a reserved end.
pub(crate) fn is_reserved_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    !name.contains('.') || RESERVED.iter().any(|end| name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.')))
}

/// The address that a host is, when it is no name.
pub(crate) fn literal(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        Host::Domain(_) => None,
    }
}

pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The networks that may be asked although they are not public: what the server's settings name.
#[derive(Clone, Debug, Default)]
pub struct Networks(Arc<[IpNet]>);

impl Networks {
    /// Public addresses, and these networks.
    #[must_use]
    pub fn new(allowed: &[IpNet]) -> Self {
        Self(allowed.into())
    }

    /// Every address there is.
    pub(crate) fn everywhere() -> Self {
        let all = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        Self(all.map(|address| IpNet::new_assert(address, 0)).into())
    }

    /// Whether an address may be asked.
    #[must_use]
    pub fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address was refused before anything was sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    /// It is not public, and its network is not among those allowed.
    #[error("the address is not public, and its network is not among those that are allowed")]
    Network,
    /// Plain HTTP to another machine.
    #[error("plain HTTP is used to this machine only: the address must start with https://")]
    Plain,
    /// Neither `http` nor `https`, or no host.
    #[error("the address must start with https:// and name a host")]
    Form,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_that_are_not_for_all_are_refused() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(ip(text)), "{text}");
            assert!(!Networks::default().allow(ip(text)), "{text}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_allowed() {
        for text in
            ["1.1.1.1", "20.190.128.0", "172.32.0.1", "100.128.0.1", "::ffff:1.1.1.1", "2603:1036::1", "2a01:111::"]
        {
            assert!(is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn a_network_that_the_settings_name_is_allowed_however_its_address_is_written() {
        let networks = Networks::new(&["10.1.0.0/16".parse().unwrap(), "::1/128".parse().unwrap()]);
        for (text, expected) in
            [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("10.2.0.1", false), ("::1", true), ("127.0.0.1", false)]
        {
            assert_eq!(networks.allow(ip(text)), expected, "{text}");
        }
    }

    #[test]
    fn hosts_of_this_machine_are_known_by_their_spelling() {
        for (url, expected) in [
            ("http://127.0.0.1:3000/graph", true),
            ("http://2130706433/", true),
            ("http://0x7f.1/", true),
            ("http://[::1]/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://localhost:9/", true),
            ("http://LOCALHOST./", true),
            ("http://graph.localhost/", true),
            ("http://0.0.0.0/", false),
            ("https://graph.microsoft.com/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("http://notlocalhost/", false),
        ] {
            assert_eq!(is_loopback_host(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    proptest! {
        #[test]
        fn an_address_is_judged_alike_in_both_its_spellings(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(is_public(IpAddr::V4(address)), is_public(IpAddr::V6(address.to_ipv6_mapped())));
        }

        #[test]
        fn nothing_private_by_the_standard_library_is_public(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_unspecified() || address.is_multicast() || address.is_broadcast()
                || address.is_documentation();
            prop_assert!(!(special && is_public(IpAddr::V4(address))));
        }
    }
}

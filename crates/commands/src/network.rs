//! The networks that an address may share with others of the same owner.
//!
//! One site of IPv6 has a network of 64 to 48 bits (RFC 6177; RIPE-690 advises /56 for homes and /48 for companies), and can
//! send from any address in it. Which it is cannot be seen from outside, so whatever is counted per network is counted in
//! each of them.

use std::net::{IpAddr, Ipv6Addr};

/// The networks of IPv6 that one site may have, in bits, the narrowest first.
const SITES: [u32; 3] = [64, 56, 48];

/// The networks of an address that one owner may have, the narrowest first: an address of IPv4 alone, or the /64, /56 and
/// /48 of IPv6.
pub fn networks(address: IpAddr) -> Vec<String> {
    match address.to_canonical() {
        IpAddr::V4(address) => vec![address.to_string()],
        IpAddr::V6(address) => SITES.iter().map(|bits| format!("{}/{bits}", masked(address, *bits))).collect(),
    }
}

/// The widest network of an address that one owner may have, by its first address.
pub fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => masked(address, SITES[SITES.len() - 1]).into(),
    }
}

fn masked(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & u128::MAX << (128 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        networks(text.parse().expect("an address"))
    }

    #[test]
    fn an_address_counts_in_every_network_that_its_owner_may_have() {
        assert_eq!(of("2001:db8:1:2ff::1"), ["2001:db8:1:2ff::/64", "2001:db8:1:200::/56", "2001:db8:1::/48"]);
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_eq!(of("2001:db8:1:2::1")[1..], of("2001:db8:1:3::1")[1..]);
        assert_eq!(of("2001:db8:1:2::1")[2..], of("2001:db8:1:ffff::1")[2..]);
        assert_ne!(of("2001:db8:1::1")[2], of("2001:db8:2::1")[2]);
    }

    #[test]
    fn an_address_of_ipv4_stands_for_itself_in_both_of_its_forms() {
        assert_eq!(of("192.0.2.1"), ["192.0.2.1"]);
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(site("::ffff:192.0.2.1".parse().expect("an address")).to_string(), "192.0.2.1");
        assert_eq!(site("2001:db8:1:2::1".parse().expect("an address")).to_string(), "2001:db8:1::");
    }
}

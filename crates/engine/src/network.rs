//! The networks that an address may share with others of the same owner.
//!
//! One site of IPv6 has a network of 64 to 48 bits (RFC 6177; RIPE-690 advises /56 for homes and /48 for companies), and can
//! send from any address in it.

use std::net::{IpAddr, Ipv6Addr};

/// The widest network of IPv6 that one site may have, in bits.
const WIDEST: u32 = 48;

/// The widest network of an address that one owner may have, by its first address.
pub(crate) fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => masked(address, WIDEST).into(),
    }
}

fn masked(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & u128::MAX << (128 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_in_the_widest_network_that_its_owner_may_have() {
        let of = |text: &str| site(text.parse().expect("an address")).to_string();
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("192.0.2.2"), "192.0.2.2");
        assert_eq!(of("2001:db8:1:2::1"), "2001:db8:1::");
    }
}

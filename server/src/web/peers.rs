//! How many connections, or requests under way, one peer has.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::counts::{Counted, Counts, networks};

/// Counts what each peer has. A peer is an IPv4 address, or a network of IPv6 as providers give one to a site.
#[derive(Debug)]
pub struct Peers {
    counts: Arc<Counts>,
    most: usize,
    shared: Arc<[IpNet]>,
}

impl Peers {
    /// Allows each peer `most`. Those in `shared` speak for many and are not counted.
    pub fn new(most: usize, shared: Arc<[IpNet]>) -> Self {
        Self { counts: Arc::default(), most, shared }
    }

    /// Counts one more, unless its peer has enough.
    pub fn count(&self, address: IpAddr) -> Option<Counted> {
        let address = address.to_canonical();
        if self.shared.iter().any(|net| net.contains(&address)) {
            return self.counts.count(&[]);
        }
        self.counts.count(&networks(address, self.most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_so_many_connections_and_those_who_speak_for_many_as_many_as_they_need() {
        let peers = Peers::new(2, ["127.0.0.0/8".parse().expect("a network")].into());
        let count = |address: &str| peers.count(address.parse().expect("an address"));
        let first = count("192.0.2.1");
        let second = count("::ffff:192.0.2.1");
        assert!(first.is_some() && second.is_some() && count("192.0.2.1").is_none(), "both forms are one peer");
        let other = count("192.0.2.2");
        assert!(other.is_some());
        drop(first);
        assert!(count("192.0.2.1").is_some(), "room again");
        let network: Vec<_> = ["2001:db8::1", "2001:db8::2"].map(count).into_iter().flatten().collect();
        assert!(network.len() == 2 && count("2001:db8::3").is_none(), "one network is one peer");
        assert!(count("2001:db8:0:1::1").is_some());
        let shared: Vec<_> = (0..100).map_while(|_| count("127.0.0.1")).collect();
        assert_eq!(shared.len(), 100);
        drop((second, other, network, shared));
        assert!(peers.counts.is_empty(), "nobody is remembered who has gone");
    }

    #[test]
    fn a_site_with_hundreds_of_networks_does_not_have_hundreds_of_shares() {
        let peers = Peers::new(10, Arc::default());
        let count = |network: u16| peers.count(format!("2001:db8:0:{network:x}::1").parse().expect("an address"));
        let of_one: Vec<_> = (0..100).map_while(|_| count(0)).collect();
        assert_eq!(of_one.len(), 10, "one network of 64 bits");
        let of_56: Vec<_> = (0..0x100).filter_map(count).collect();
        assert_eq!(of_one.len() + of_56.len(), 20, "256 networks of 64 bits in one of 56");
        let of_48: Vec<_> = (0..=u16::MAX).filter_map(count).collect();
        assert_eq!(of_one.len() + of_56.len() + of_48.len(), 40, "65,536 networks of 64 bits in one of 48");
        assert!(peers.count("2001:db8:1::1".parse().expect("an address")).is_some(), "another site has its own share");
        drop((of_one, of_56, of_48));
        assert!(peers.counts.is_empty());
    }
}

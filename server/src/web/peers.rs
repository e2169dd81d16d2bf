//! How many connections one peer has open.

use ipnet::{IpNet, Ipv6Net};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Counts the connections of each peer. A peer is an IPv4 address, or the network of 64 bits that one IPv6 subscriber
/// holds (RFC 6177).
pub struct Peers {
    open: Mutex<HashMap<IpAddr, usize>>,
    most: usize,
    shared: Arc<[IpNet]>,
}

/// A connection that is counted as long as this exists.
pub struct Counted {
    peers: Arc<Peers>,
    peer: Option<IpAddr>,
}

impl Peers {
    /// Allows each peer `most` connections. Those in `shared` speak for many and are not counted.
    pub fn new(most: usize, shared: Arc<[IpNet]>) -> Self {
        Self { open: Mutex::default(), most, shared }
    }

    /// Counts a connection, unless its peer has enough.
    pub fn count(self: &Arc<Self>, address: IpAddr) -> Option<Counted> {
        let address = address.to_canonical();
        if self.shared.iter().any(|net| net.contains(&address)) {
            return Some(Counted { peers: Arc::clone(self), peer: None });
        }
        let peer = peer_of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(peer).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Counted { peers: Arc::clone(self), peer: Some(peer) })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(peer) = self.peer else { return };
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&peer);
            }
        }
    }
}

fn peer_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Net::new(address, 64).map_or(address, |net| net.network()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_so_many_connections_and_those_who_speak_for_many_as_many_as_they_need() {
        let peers = Arc::new(Peers::new(2, ["127.0.0.0/8".parse().expect("a network")].into()));
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
        assert!(peers.open.lock().expect("whole").is_empty(), "nobody is remembered who has gone");
    }
}

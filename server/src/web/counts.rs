//! How many of something a network or a person has at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::{IpNet, Ipv6Net};
use tenantatlas_domain::ids::UserId;

/// The networks of IPv6 that count together, each with how many times as much as a network of 64 bits may have. A site gets
/// a network of 48 to 56 bits and not one of 64 (RFC 6177, section 2; RIPE-690, section 4.2), so whoever has a site has
/// hundreds or thousands of the small ones.
const V6_NETWORKS: [(u8, usize); 3] = [(64, 1), (56, 2), (48, 4)];

/// Whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// Of an address, or of a network.
    Network(IpNet),
    /// Of somebody who is signed in.
    Person(UserId),
}

/// The networks that an address counts to, with how many each may have where one address of IPv4 may have `most`.
pub fn networks(address: IpAddr, most: usize) -> Vec<(Whose, usize)> {
    match address.to_canonical() {
        IpAddr::V4(address) => vec![(Whose::Network(IpAddr::V4(address).into()), most)],
        IpAddr::V6(address) => {
            let network = |(bits, times)| {
                let network = Ipv6Net::new(address, bits).map_or_else(|_| address.into(), |network| network.trunc());
                (Whose::Network(network.into()), most.saturating_mul(times))
            };
            V6_NETWORKS.into_iter().map(network).collect()
        }
    }
}

/// How many there are of each.
#[derive(Debug, Default)]
pub struct Counts(Mutex<HashMap<Whose, usize>>);

/// One that is counted for as long as this exists.
#[derive(Debug)]
pub struct Counted {
    counts: Arc<Counts>,
    of: Vec<Whose>,
}

impl Counts {
    /// Counts one more for each of these, unless one of them has as many as it may have.
    pub fn count(self: &Arc<Self>, of: &[(Whose, usize)]) -> Option<Counted> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if of.iter().any(|(whose, most)| counts.get(whose).copied().unwrap_or_default() >= *most) {
            return None;
        }
        for (whose, _) in of {
            *counts.entry(*whose).or_default() += 1;
        }
        Some(Counted { counts: Arc::clone(self), of: of.iter().map(|(whose, _)| *whose).collect() })
    }

    /// Whether nobody is remembered.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        for whose in &self.of {
            if let Some(count) = counts.get_mut(whose) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(whose);
                }
            }
        }
    }
}

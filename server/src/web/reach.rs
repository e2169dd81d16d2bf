//! Who can reach the server at all, as far as its settings say.

use ipnet::IpNet;
use std::net::SocketAddr;

/// Who can reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Programs on this machine: it listens on a loopback address, and no proxy elsewhere is said to pass requests on.
    ThisMachine,
    /// Whoever reaches the address it listens on, or the proxy before it.
    Others,
}

impl Reach {
    /// Of a server that listens on this address behind these proxies.
    pub fn new(listening: SocketAddr, trusted_proxies: &[IpNet]) -> Self {
        if listening.ip().to_canonical().is_loopback() && trusted_proxies.is_empty() {
            Self::ThisMachine
        } else {
            Self::Others
        }
    }

    /// Whether nobody but programs on this machine can reach it.
    pub fn is_this_machine(self) -> bool {
        self == Self::ThisMachine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_for_this_machine_alone_only_on_loopback_and_without_proxies() {
        let reach = |address: &str, proxies: &[IpNet]| Reach::new(address.parse().expect("an address"), proxies);
        for alone in ["127.0.0.1:3000", "127.1.2.3:80", "[::1]:3000", "[::ffff:127.0.0.1]:3000"] {
            assert!(reach(alone, &[]).is_this_machine(), "{alone}");
        }
        for open in ["0.0.0.0:3000", "[::]:3000", "192.0.2.1:3000"] {
            assert!(!reach(open, &[]).is_this_machine(), "{open}");
        }
        assert!(!reach("127.0.0.1:3000", &["10.0.0.0/8".parse().expect("a network")]).is_this_machine());
    }
}

//! Where a request comes from, as far as that can be trusted: the peer of the connection, or what a trusted proxy says.
//!
//! A proxy adds the address it saw to the end of `X-Forwarded-For` (RFC 7239, section 5.2 describes the same list for
//! `Forwarded`). Read from the end, the first address that is no trusted proxy is the client; what stands before it
//! anybody may have written.

use super::State;
use axum::{
    extract::{ConnectInfo, Request, State as Extract},
    http::{HeaderMap, header, uri::Authority},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tenantatlas_app::scope::Client;

/// Headers by which a proxy shows that it is one.
const FORWARDING: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];

/// Finds out where the request comes from, for everything that answers it.
pub async fn identify(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    // Without a peer nobody is believed to be this machine or a proxy.
    let client = client(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), request.headers(), &state.trusted_proxies);
    request.extensions_mut().insert(client);
    next.run(request).await
}

fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    // A socket for both families shows an IPv4 peer as ::ffff:192.0.2.1.
    let peer = peer.to_canonical();
    let is_proxy = |address: IpAddr| address.is_loopback() || trusted.iter().any(|net| net.contains(&address));
    let secure = is_proxy(peer) && came_over_https(headers);
    let address = if is_proxy(peer) { forwarded_for(headers, is_proxy).unwrap_or(peer) } else { peer };
    let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
    // A proxy that adds no header still asks for the public name of the site.
    let local = peer.is_loopback() && !forwarded && names_this_machine(headers);
    Client { address, local, secure }
}

fn forwarded_for(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut nearest = None;
    for hop in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        let hop = hop.trim();
        // Some proxies write the port too.
        let parsed = hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
        let Some(address) = parsed else { break };
        let address: IpAddr = IpAddr::to_canonical(&address);
        nearest = Some(address);
        if !is_proxy(address) {
            break;
        }
    }
    nearest
}

/// Whether the nearest proxy was asked over https: what it wrote stands last, be it in `X-Forwarded-Proto` or in the `proto`
/// of `Forwarded` (RFC 7239, section 5.4).
fn came_over_https(headers: &HeaderMap) -> bool {
    let last =
        |name| headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok()?.rsplit(',').next());
    if let Some(scheme) = last("x-forwarded-proto") {
        return scheme.trim().eq_ignore_ascii_case("https");
    }
    let proto = last("forwarded").and_then(|hop| {
        hop.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("proto").then(|| value.trim().trim_matches('"'))
        })
    });
    proto.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// Whether the request names this machine itself and not a site. One that names nothing may come through a proxy that
/// leaves the name out.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return false };
    let Some(authority) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else { return false };
    let name = authority.host().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> Client {
        let headers = headers
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().expect("a value")))
            .collect();
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().expect("a network")).collect();
        client(peer.parse().expect("an address"), &headers, &trusted)
    }

    fn address(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        found(peer, &[("x-forwarded-for", forwarded)], trusted).address.to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(address("192.0.2.7", "198.51.100.1", &[]), "192.0.2.7");
        assert_eq!(address("127.0.0.1", "198.51.100.1", &[]), "198.51.100.1");
        assert_eq!(address("::ffff:127.0.0.1", "198.51.100.1", &[]), "198.51.100.1");
        assert_eq!(address("172.17.0.1", "198.51.100.1", &["172.16.0.0/12"]), "198.51.100.1");
        assert_eq!(address("::ffff:172.17.0.1", "198.51.100.1:4711", &["172.16.0.0/12"]), "198.51.100.1");
    }

    #[test]
    fn what_the_client_wrote_itself_is_passed_over() {
        assert_eq!(address("127.0.0.1", "203.0.113.9, 198.51.100.1", &[]), "198.51.100.1");
        assert_eq!(address("127.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.2", &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(address("127.0.0.1", "203.0.113.9, nonsense", &[]), "127.0.0.1");
    }

    #[test]
    fn local_is_only_who_asks_this_machine_by_its_own_name() {
        assert!(found("127.0.0.1", &[("host", "127.0.0.1:3000")], &[]).local);
        assert!(found("::1", &[("host", "[::1]:3000")], &[]).local);
        assert!(found("127.0.0.1", &[("host", "LocalHost")], &[]).local);
        assert!(!found("127.0.0.1", &[("host", "atlas.example")], &[]).local);
        assert!(!found("127.0.0.1", &[("host", "localhost"), ("x-forwarded-proto", "https")], &[]).local);
        assert!(!found("192.0.2.7", &[("host", "localhost")], &[]).local);
        assert!(!found("127.0.0.1", &[], &[]).local);
        assert!(!found("0.0.0.0", &[("host", "localhost")], &[]).local);
    }

    #[test]
    fn only_a_trusted_proxy_says_that_it_was_asked_over_https() {
        let secure = |peer, name, value| found(peer, &[(name, value)], &["10.0.0.0/8"]).secure;
        assert!(secure("127.0.0.1", "x-forwarded-proto", "https"));
        assert!(secure("10.0.0.1", "x-forwarded-proto", "http, HTTPS"));
        assert!(secure("10.0.0.1", "forwarded", "for=192.0.2.1;proto=https"));
        assert!(!secure("10.0.0.1", "x-forwarded-proto", "https, http"));
        assert!(!secure("10.0.0.1", "forwarded", "for=192.0.2.1;proto=https, for=10.0.0.2;proto=http"));
        assert!(!secure("192.0.2.7", "x-forwarded-proto", "https"));
        assert!(!secure("10.0.0.1", "host", "atlas.example"));
    }
}

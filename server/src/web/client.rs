//! Where a request comes from, as far as that can be trusted: the peer of the connection, or what a trusted proxy says.
//!
//! A proxy adds the address it saw to the end of `X-Forwarded-For` (RFC 7239, section 5.2 describes the same list for
//! `Forwarded`). Read from the end, the first address that is no trusted proxy is the client; what stands before it
//! anybody may have written. So may somebody within a trusted network: no more addresses are read than the settings say
//! that there are proxies on the way.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State as Extract};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;
use tenantatlas_app::scope::Client;

use super::State;

/// Headers by which a proxy shows that it is one.
const FORWARDING: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];

/// Finds out where the request comes from, for everything that answers it.
pub async fn identify(Extract(state): Extract<State>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    // Without a peer nobody is believed to be this machine or a proxy.
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let client = client(peer, request.headers(), &state.trusted_proxies, state.proxy_hops);
    request.extensions_mut().insert(client);
    next.run(request).await
}

fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet], hops: usize) -> Client {
    // A socket for both families shows an IPv4 peer as ::ffff:192.0.2.1.
    let peer = peer.to_canonical();
    let is_proxy = |address: IpAddr| address.is_loopback() || trusted.iter().any(|net| net.contains(&address));
    let secure = is_proxy(peer) && came_over_https(headers);
    let address = if is_proxy(peer) { forwarded_for(headers, hops, is_proxy).unwrap_or(peer) } else { peer };
    let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
    // A proxy that adds no header still asks for the public name of the site.
    let local = peer.is_loopback() && !forwarded && names_this_machine(headers);
    // A proxy here may leave all that out, as nginx does by itself. It does not change what the browser says of its page,
    // which every browser does with each form (Fetch standard, section "Origin header").
    let plain = local && came_from_a_page_of_this_machine(headers);
    Client { address, local, plain, secure }
}

fn forwarded_for(headers: &HeaderMap, hops: usize, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut nearest = None;
    for hop in values.iter().rev().flat_map(|value| value.rsplit(',')).take(hops) {
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
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).is_some_and(is_this_machine)
}

/// Whether the origin of the page that sends the request is http on this machine.
fn came_from_a_page_of_this_machine(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.and_then(|origin| origin.strip_prefix("http://")).is_some_and(is_this_machine)
}

/// Whether a name with or without a port is that of this machine.
fn is_this_machine(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let name = authority.host().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> Client {
        found_over(1, peer, headers, trusted)
    }

    fn found_over(hops: usize, peer: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> Client {
        let headers = headers
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().expect("a value")))
            .collect();
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().expect("a network")).collect();
        client(peer.parse().expect("an address"), &headers, &trusted, hops)
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
        let through_two = [("x-forwarded-for", "203.0.113.9, 198.51.100.1, 10.0.0.2")];
        assert_eq!(found_over(2, "127.0.0.1", &through_two, &["10.0.0.0/8"]).address.to_string(), "198.51.100.1");
        assert_eq!(address("127.0.0.1", "203.0.113.9, nonsense", &[]), "127.0.0.1");
    }

    #[test]
    fn somebody_within_a_trusted_network_writes_no_address_for_themselves() {
        let forged = "203.0.113.9, 10.0.0.66";
        assert_eq!(address("127.0.0.1", forged, &["10.0.0.0/8"]), "10.0.0.66");
        let further = [("x-forwarded-for", "203.0.113.9, 10.0.0.66, 10.0.0.2")];
        assert_eq!(found_over(2, "10.0.0.3", &further, &["10.0.0.0/8"]).address.to_string(), "10.0.0.66");
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
    fn a_proxy_that_says_nothing_does_not_make_a_site_for_others_one_for_this_machine() {
        let plain = |host: &str, origin: &str| found("127.0.0.1", &[("host", host), ("origin", origin)], &[]).plain;
        assert!(plain("127.0.0.1:3000", "http://127.0.0.1:3000") && plain("localhost:3000", "http://localhost:3000"));
        assert!(plain("[::1]:3000", "http://[::1]:3000"));
        // nginx with nothing but proxy_pass asks by the name of this machine.
        for origin in ["https://atlas.example", "http://atlas.example", "https://127.0.0.1:3000", "null", ""] {
            assert!(!plain("127.0.0.1:3000", origin), "{origin}");
        }
        assert!(!found("127.0.0.1", &[("host", "127.0.0.1:3000")], &[]).plain, "who says nothing gets Secure");
        assert!(!found("192.0.2.7", &[("host", "localhost"), ("origin", "http://localhost")], &[]).plain);
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

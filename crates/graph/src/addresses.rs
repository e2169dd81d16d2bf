//! Hosts and addresses in messages of a cloud. They name machines inside of whoever runs it, which are nobody's business
//! who only reads an inventory.

use std::net::{IpAddr, Ipv6Addr};

use url::Url;

/// What stands in the place of an address.
const MARK: &str = "[address]";

/// Hosts of Microsoft's documentation: an address there is an advice.
const DOCUMENTATION: [&str; 5] =
    ["learn.microsoft.com", "docs.microsoft.com", "developer.microsoft.com", "go.microsoft.com", "aka.ms"];

/// Last labels by which a name without a scheme is known as a host: those of private networks (RFC 6762, RFC 6761,
/// RFC 9476) and the usual ones of the internet. Names of permissions and types, such as
/// `DeviceManagementConfiguration.Read.All` or `microsoft.graph.group`, end in none of them.
const HOST_ENDINGS: [&str; 34] = [
    "local",
    "localdomain",
    "localhost",
    "internal",
    "intranet",
    "corp",
    "lan",
    "home",
    "private",
    "arpa",
    "test",
    "example",
    "invalid",
    "alt",
    "onion",
    "com",
    "net",
    "org",
    "edu",
    "gov",
    "mil",
    "int",
    "info",
    "biz",
    "io",
    "cloud",
    "dev",
    "app",
    "ms",
    "us",
    "cn",
    "uk",
    "de",
    "eu",
];

/// The text with `[address]` in place of every URL, IP address, host with a port and host name in it. Addresses of
/// Microsoft's documentation stay. Doing it twice changes nothing.
#[must_use]
pub fn without_addresses(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, url, after)) = next_url(rest) {
        clean.push_str(&without_hosts(before));
        clean.push_str(if is_documentation(url) { url } else { MARK });
        rest = after;
    }
    clean.push_str(&without_hosts(rest));
    clean
}

/// What ends a URL within a sentence, beside white space.
fn ends_url(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '\'' | '<' | '>' | '`')
}

/// The first URL of a text, with what is before and behind it. Known by what follows the scheme, also where slashes are
/// escaped or encoded, and by the two back-slashes of a share.
fn next_url(text: &str) -> Option<(&str, &str, &str)> {
    const SIGNS: [&str; 4] = ["://", ":\\/\\/", "%3a%2f%2f", "\\\\"];
    // Lower case of ASCII keeps every position.
    let lower = text.to_ascii_lowercase();
    let at = SIGNS.iter().filter_map(|sign| lower.find(sign)).min()?;
    let scheme = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.' | '%');
    let start = text[..at]
        .rfind(|letter| !scheme(letter))
        .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
    let length = text[at..].find(ends_url).unwrap_or(text.len() - at);
    let end = at + text[at..at + length].trim_end_matches(['.', ',', ';', ')', '!', '?']).len();
    // At least the sign belongs to it, so that the search goes on behind it.
    let end = end.max(at + 1);
    Some((&text[..start], &text[start..end], &text[end..]))
}

fn is_documentation(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.host_str().is_some_and(|host| DOCUMENTATION.contains(&host))
    })
}

/// The same for addresses without a scheme.
fn without_hosts(text: &str) -> String {
    let belongs = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | ':' | '-' | '_' | '%');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(belongs) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|letter| !belongs(letter)).unwrap_or(from.len()));
        clean.push_str(before);
        let core = word.trim_matches(['.', ':', '-', '_', '%']);
        // Colons at the ends belong to an IPv6 address such as `fe80::`.
        let wide = word.trim_matches(['.', '-', '_', '%']);
        if is_address(wide) || is_address(core) || is_host(core) {
            let kept = if is_address(wide) { wide } else { core };
            let at = word.find(kept).unwrap_or(0);
            clean.push_str(&word[..at]);
            clean.push_str(MARK);
            clean.push_str(&word[at + kept.len()..]);
        } else {
            clean.push_str(word);
        }
        rest = after;
    }
    clean.push_str(rest);
    clean
}

/// An IP address, with or without zone or port.
fn is_address(word: &str) -> bool {
    let is_v6 = |text: &str| text.bytes().any(|byte| byte.is_ascii_hexdigit()) && text.parse::<Ipv6Addr>().is_ok();
    let without_zone = word.split('%').next().unwrap_or(word);
    let without_port = word.rsplit_once(':').map_or(word, |(host, _)| host);
    is_v6(without_zone) || without_port.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4())
}

/// A host name with a port, or with an ending that only hosts have.
fn is_host(word: &str) -> bool {
    let (name, port) = word.rsplit_once(':').map_or((word, None), |(name, port)| (name, Some(port)));
    let has_port =
        port.is_some_and(|port| !port.is_empty() && port.len() <= 5 && port.bytes().all(|one| one.is_ascii_digit()));
    let Some((first, last)) = name.rsplit_once('.') else {
        return name.eq_ignore_ascii_case("localhost");
    };
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'%');
    let named = first.bytes().all(is_label) && first.bytes().any(|byte| byte.is_ascii_alphanumeric());
    named && (has_port || HOST_ENDINGS.iter().any(|ending| last.eq_ignore_ascii_case(ending)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_taken_out() {
        for (text, expected) in [
            ("see http://internal.host/x?y=1 now", "see [address] now"),
            ("(https://10.0.0.1:8443/a).", "([address])."),
            ("HTTP:\\/\\/internal\\/x failed", "[address] failed"),
            ("u=http%3A%2F%2Finternal%2Fx", "u=[address]"),
            ("on \\\\server\\share$ and more", "on [address] and more"),
            ("ftp://user:pw@host", "[address]"),
            ("proxy-01.corp.local:3128 refused", "[address] refused"),
            ("backend.prod.svc:8080", "[address]"),
            ("no route to 10.1.2.3, 10.1.2.4:443", "no route to [address], [address]"),
            ("peer [fe80::1%eth0]:443 fe80::", "peer [[address]]:443 [address]"),
            ("at fd00:ec2::254.", "at [address]."),
            ("localhost:8080 or localhost", "[address] or [address]"),
            ("sql01.contoso.com", "[address]"),
        ] {
            assert_eq!(without_addresses(text), expected);
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "Application must have one of the following scopes: DeviceManagementConfiguration.Read.All",
            "AADSTS7000215: Invalid client secret provided.",
            "Could not find a property named 'microsoft.graph.group.id' at 12:34:56",
            "Resource not found for the segment 'deviceManagement'. Version 1.0, System.NullReferenceException",
            "Activity ID: 5d9a1b2c-0000-4000-8000-000000000001",
            "See https://learn.microsoft.com/graph/errors, please",
            "a:b a::Foo :: 100% e.g. this",
        ] {
            assert_eq!(without_addresses(text), text);
        }
    }

    #[test]
    fn a_host_that_only_looks_like_documentation_is_taken_out() {
        for url in [
            "https://learn.microsoft.com@internal.host/",
            "https://learn.microsoft.com.internal/",
            "https://learn.microsoft.com:8443/",
            "http://learn.microsoft.com/",
            "https://internal.host/learn.microsoft.com",
        ] {
            assert_eq!(without_addresses(url), MARK, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_address_with_a_scheme_survives(
            before in "[ -~]{0,20}", host in "[a-z0-9]{6,12}(\\.[a-z]{2,8}){0,2}", port in "(:[0-9]{2,5})?", after in "[ -~]{0,20}",
        ) {
            let text = format!("{before} http://{host}{port}/x {after}");
            let clean = without_addresses(&text);
            let kept = before.contains(&host) || after.contains(&host);
            prop_assert!(kept || !clean.contains(&host), "{}", clean);
        }

        #[test]
        fn no_ip_address_survives(bits: u128, is_v6: bool, port in proptest::option::of(1_u16..), word in "[a-z ]{0,12}") {
            let address = if is_v6 {
                IpAddr::V6(Ipv6Addr::from_bits(bits))
            } else {
                IpAddr::V4(std::net::Ipv4Addr::from_bits(bits as u32))
            };
            let shown = match (address, port) {
                (IpAddr::V6(address), Some(port)) => format!("[{address}]:{port}"),
                (IpAddr::V4(address), Some(port)) => format!("{address}:{port}"),
                (address, None) => address.to_string(),
            };
            let clean = without_addresses(&format!("{word} {shown} {word}"));
            prop_assert!(!clean.contains(&address.to_string()), "{}", clean);
        }

        #[test]
        fn any_text_is_taken_and_twice_is_once(text in "\\PC{0,80}", spice in "(://|[.:%/\\\\]|\\[|10\\.0\\.0\\.1|a\\.com){0,8}") {
            let once = without_addresses(&format!("{text}{spice}{text}"));
            prop_assert_eq!(without_addresses(&once), once);
        }
    }
}

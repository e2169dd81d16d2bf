//! Where an answer leads: to an address of this site and to no other.

use crate::address;
use crate::done::Done;

/// Leads a form that has done its work to another page.
pub(crate) fn go_to(address: &str) {
    // What cannot stand in a header would make the framework panic.
    leptos_axum::redirect(if is_own_address(address) { address } else { address::HOME });
}

/// The same to a page that says what was done.
pub(crate) fn go_to_with(address: &str, done: impl Into<Option<Done>>) {
    match done.into() {
        Some(done) => go_to(&done.at(address)),
        None => go_to(address),
    }
}

/// Whether a text is the path of an address of this site, with its query, and nothing else: it can stand in a `Location`
/// header, and no browser reads another site in it. Visible ASCII alone (RFC 9110, section 5.5), no second slash at its
/// begin and no backslash, which browsers take for one (URL standard, section 4.4).
#[must_use]
pub fn is_own_address(address: &str) -> bool {
    address.starts_with('/')
        && !address.starts_with("//")
        && address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// Where to go after signing in: an address of this site, or the tenants.
#[must_use]
pub fn safe_next(next: &str) -> String {
    let own = is_own_address(next) && !next.starts_with(address::SIGN_IN);
    if own { next.to_owned() } else { address::HOME.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn nobody_is_sent_to_another_site_after_signing_in() {
        for foreign in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "",
            "/\t/evil.example",
            "/\u{1}",
            "/\u{7f}",
            "/a b",
            "/\u{e4}",
            "/sign-in/code",
        ] {
            assert_eq!(safe_next(foreign), "/", "{foreign:?}");
        }
        assert_eq!(safe_next("/t/x/inventory?state=missing"), "/t/x/inventory?state=missing");
    }

    proptest! {
        #[test]
        fn wherever_somebody_is_sent_the_answer_can_be_written_and_stays_on_this_site(
            next in prop_oneof![any::<String>(), "/[\\x00-\\xff]{0,20}", "[/\\\\.a-z:@?#\\x00-\\x20]{0,12}"]
        ) {
            let next = safe_next(&next);
            prop_assert!(HeaderValue::from_str(&next).is_ok(), "{next:?}");
            let site = url::Url::parse("https://atlas.example/sign-in").expect("an address");
            let reached = site.join(&next).expect("an address");
            prop_assert_eq!(reached.host_str(), Some("atlas.example"));
            prop_assert_eq!(reached.scheme(), "https");
        }
    }
}

//! Who asks: the session of a request, and the cookies by which a browser is known. They hold random tokens; the database
//! only their SHA-256.

use crate::address;
use http::{HeaderMap, header};
use std::{net::IpAddr, time::Duration};
use tenantatlas_domain::{ids::UserId, time::Timestamp};
use tenantatlas_engine::{Actor, is_confirmed};
use tenantatlas_store::sessions::{SignedIn, TokenHash};
use uuid::Uuid;

pub use tenantatlas_engine::{hash_token, new_token};

/// The name of the session cookie.
pub const SESSION_COOKIE: &str = "tenantatlas_session";
/// The name of the cookie of a sign-in that waits for its second step.
pub const WAITING_COOKIE: &str = "tenantatlas_sign_in";
/// The name of the cookie by which a browser is known in which somebody signed in before.
pub const BROWSER_COOKIE: &str = "tenantatlas_device";
/// The name of the cookie that keeps light, dark or neither.
pub const THEME_COOKIE: &str = "tenantatlas_theme";
/// Stands before the name of a cookie on an encrypted connection. A browser takes such a cookie only from this very host
/// over TLS, so a neighbouring host cannot plant one (RFC 6265bis, section 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// The signed-in person of this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentSession {
    /// The session.
    pub session_id: Uuid,
    /// The person.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// Whether they administer the platform: for what is shown. What they do is decided by the engine, which asks again.
    pub platform_admin: bool,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
    /// What the database knows of the token.
    pub token: TokenHash,
    /// Whether the person proved lately who they are, for what is shown. What they do is decided by the engine.
    pub confirmed: bool,
}

impl CurrentSession {
    /// The session and its person.
    #[must_use]
    pub fn of(found: SignedIn, token: TokenHash, address: Option<IpAddr>, now: Timestamp) -> Self {
        Self {
            session_id: found.session.id,
            user_id: found.user.id,
            name: found.user.name,
            email: found.user.email,
            platform_admin: found.user.platform_admin,
            address,
            token,
            confirmed: is_confirmed(found.session.verified_at, now),
        }
    }

    /// The person as the engine knows who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::person(self.user_id, self.name.clone(), self.email.clone())
            .from_address(self.address)
            .in_session(self.session_id)
    }
}

/// The name of one of our cookies on a connection that is encrypted, or on this machine itself.
#[must_use]
pub fn cookie_name(name: &str, secure: bool) -> String {
    if secure { format!("{HOST_PREFIX}{name}") } else { name.to_owned() }
}

/// The hash of the token that a request carries in one of our cookies. Two cookies of the name count as none: one of them
/// may have been planted, and nobody can tell which.
#[must_use]
pub fn token_of(headers: &HeaderMap, name: &str, secure: bool) -> Option<TokenHash> {
    let name = cookie_name(name, secure);
    let mut found = cookies(headers).filter(|(key, _)| *key == name);
    let (_, token) = found.next()?;
    if found.next().is_some() { None } else { Some(hash_token(token)) }
}

/// The value of a cookie of a request.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    cookies(headers).find_map(|(key, value)| (key == name).then_some(value))
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// The `Set-Cookie` header that keeps a token for so long. `SameSite=Lax`: following a link from a mail must not sign
/// anybody out, and state changes are guarded by the origin check of every request that changes something.
#[must_use]
pub fn keep_token(name: &str, token: &str, age: Duration, secure: bool) -> String {
    let (name, mark) = (cookie_name(name, secure), if secure { "; Secure" } else { "" });
    format!("{name}={token}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{mark}", age.as_secs())
}

/// The `Set-Cookie` headers that forget a token under both names that it may have.
#[must_use]
pub fn forget_token(name: &str) -> [String; 2] {
    [true, false].map(|secure| keep_token(name, "", Duration::ZERO, secure))
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

    fn headers(cookies: &[&'static str]) -> HeaderMap {
        let cookies = cookies.iter().map(|cookie| (header::COOKIE, HeaderValue::from_static(cookie)));
        cookies.collect::<Vec<_>>().into_iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
    }

    fn session(cookies: &[&'static str], secure: bool) -> Option<TokenHash> {
        token_of(&headers(cookies), SESSION_COOKIE, secure)
    }

    #[test]
    fn the_session_is_read_from_among_other_cookies() {
        let cookies = ["a=b; tenantatlas_session=secret", "tenantatlas_theme=dark"];
        assert_eq!(session(&cookies, false), Some(hash_token("secret")));
        assert_eq!(cookie(&headers(&cookies), THEME_COOKIE), Some("dark"));
        assert_eq!(cookie(&headers(&cookies), "session"), None);
    }

    #[test]
    fn a_neighbouring_host_cannot_plant_a_session() {
        assert_eq!(session(&["tenantatlas_session=planted"], true), None, "without the prefix it may be anybody's");
        assert_eq!(
            session(&["__Host-tenantatlas_session=own; tenantatlas_session=planted"], true),
            Some(hash_token("own"))
        );
        for twice in [
            ["__Host-tenantatlas_session=one; __Host-tenantatlas_session=two", "a=b"],
            ["__Host-tenantatlas_session=one", "__Host-tenantatlas_session=one"],
        ] {
            assert_eq!(session(&twice, true), None, "{twice:?}");
        }
        assert_eq!(session(&["tenantatlas_session=one; tenantatlas_session=two"], false), None);
        let kept = keep_token(SESSION_COOKIE, "x", Duration::from_secs(60), true);
        assert_eq!(kept, "__Host-tenantatlas_session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        let [prefixed, plain] = forget_token(SESSION_COOKIE);
        assert!(prefixed.starts_with("__Host-tenantatlas_session=; ") && prefixed.ends_with("; Secure"), "{prefixed}");
        assert!(plain.starts_with("tenantatlas_session=; ") && plain.contains("Max-Age=0"), "{plain}");
    }

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

//! Who asks: the session of a request. The cookie holds a random token; the database only its SHA-256.

use http::{HeaderMap, header};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use std::{net::IpAddr, time::Duration};
use tenantatlas_domain::{ids::UserId, time::Timestamp};
use tenantatlas_engine::Actor;
use tenantatlas_store::sessions::{SignedIn, TokenHash};
use uuid::Uuid;

/// The name of the session cookie.
pub const SESSION_COOKIE: &str = "tenantatlas_session";
/// The name of the cookie that keeps light, dark or neither.
pub const THEME_COOKIE: &str = "tenantatlas_theme";
/// A session ends after so long without a request.
pub const IDLE: Duration = Duration::from_secs(12 * 3_600);
/// A session ends after so long in any case.
pub const ABSOLUTE: Duration = Duration::from_secs(14 * 24 * 3_600);

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
}

impl CurrentSession {
    /// The session and its person.
    #[must_use]
    pub fn of(found: SignedIn, address: Option<IpAddr>) -> Self {
        Self {
            session_id: found.session.id,
            user_id: found.user.id,
            name: found.user.name,
            email: found.user.email,
            platform_admin: found.user.platform_admin,
            address,
        }
    }

    /// The person as the engine knows who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::person(self.user_id, self.name.clone(), self.email.clone()).from_address(self.address)
    }
}

/// A new session token: what the browser keeps, and what the database does. 256 random bits.
#[must_use]
pub fn new_token() -> (String, TokenHash) {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    let secret = hex::encode(bytes);
    let hash = hash_token(&secret);
    (secret, hash)
}

/// What the database knows of a token.
#[must_use]
pub fn hash_token(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// The hash of the session token that a request carries.
#[must_use]
pub fn token_of(headers: &HeaderMap) -> Option<TokenHash> {
    cookie(headers, SESSION_COOKIE).map(hash_token)
}

/// The value of a cookie of a request.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The `Set-Cookie` header for a session token. `SameSite=Lax`: following a link from a mail must not sign anybody out,
/// and state changes are guarded by the origin check of every request that changes something.
#[must_use]
pub fn session_cookie(token: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let age = ABSOLUTE.as_secs();
    format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// The `Set-Cookie` header that forgets the session.
#[must_use]
pub fn forget_session() -> String {
    format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
}

/// A point in time after another.
#[must_use]
pub fn after(at: Timestamp, length: Duration) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX / 2)))
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
    let own = is_own_address(next) && !next.starts_with("/sign-in");
    if own { next.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn the_session_is_read_from_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; tenantatlas_session=secret"));
        headers.append(header::COOKIE, HeaderValue::from_static("tenantatlas_theme=dark"));
        assert_eq!(token_of(&headers), Some(hash_token("secret")));
        assert_eq!(cookie(&headers, THEME_COOKIE), Some("dark"));
        assert_eq!(cookie(&headers, "session"), None);
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

    #[test]
    fn every_token_is_new_and_only_its_hash_is_kept() {
        let (one, hash) = new_token();
        let (other, _) = new_token();
        assert_ne!(one, other);
        assert_eq!(one.len(), 64);
        assert_eq!(hash, hash_token(&one));
    }
}

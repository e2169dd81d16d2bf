//! The cookies by which a browser is known. They hold random tokens; the database only their SHA-256.

use std::time::Duration;

use http::{HeaderMap, header};
use leptos::context::use_context;
use leptos_axum::ResponseOptions;
use tenantatlas_store::sessions::TokenHash;

pub use tenantatlas_engine::{hash_token, new_token};

/// The name of the session cookie.
pub const SESSION_COOKIE: &str = "tenantatlas_session";
/// The name of the cookie of a sign-in that waits for its second step.
pub const WAITING_COOKIE: &str = "tenantatlas_sign_in";
/// The name of the cookie by which a browser is known in which somebody signed in before.
pub const BROWSER_COOKIE: &str = "tenantatlas_device";
/// The name of the cookie that brings the token of a link that was just made to the page that shows it, once.
pub const LINK_COOKIE: &str = "tenantatlas_link";
/// The name of the cookie that keeps light, dark or neither.
pub const THEME_COOKIE: &str = "tenantatlas_theme";
/// Stands before the name of a cookie on an encrypted connection. A browser takes such a cookie only from this very host
/// over TLS, so a neighbouring host cannot plant one (RFC 6265bis, section 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// The name of one of our cookies on a connection that is encrypted, or on this machine itself.
#[must_use]
pub fn cookie_name(name: &str, secure: bool) -> String {
    if secure { format!("{HOST_PREFIX}{name}") } else { name.to_owned() }
}

/// The hash of the token that a request carries in one of our cookies. Two cookies of the name count as none: one of them
/// may have been planted, and nobody can tell which.
#[must_use]
pub fn token_of(headers: &HeaderMap, name: &str, secure: bool) -> Option<TokenHash> {
    only(headers, &cookie_name(name, secure)).map(hash_token)
}

/// The one cookie of exactly this name.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = cookies(headers).filter(|(key, _)| *key == name);
    let (_, value) = found.next()?;
    if found.next().is_some() { None } else { Some(value) }
}

/// [`token_of`] under the name that a request has it. Without encryption and without the prefix a cookie counts only on this
/// machine itself, and only where there is none with the prefix.
#[must_use]
pub fn token_of_either(headers: &HeaderMap, name: &str, local: bool) -> Option<TokenHash> {
    either(headers, name, local).map(hash_token)
}

/// The token itself, by the same rules: for the page that shows it.
#[must_use]
pub fn either<'a>(headers: &'a HeaderMap, name: &str, local: bool) -> Option<&'a str> {
    let prefixed = cookie(headers, &cookie_name(name, true)).is_some();
    only(headers, &cookie_name(name, prefixed || !local))
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

/// Sets a cookie with the answer.
pub(crate) fn set_cookie(cookie: &str) {
    if let (Some(options), Ok(value)) = (use_context::<ResponseOptions>(), http::HeaderValue::from_str(cookie)) {
        options.append_header(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

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
    fn a_cookie_without_the_prefix_counts_only_here_and_only_alone() {
        let found = |cookies: &[&'static str], local| token_of_either(&headers(cookies), SESSION_COOKIE, local);
        let both = ["__Host-tenantatlas_session=own; tenantatlas_session=planted"];
        assert_eq!([true, false].map(|local| found(&both, local)), [Some(hash_token("own")); 2]);
        let plain = ["tenantatlas_session=plain"];
        assert_eq!([true, false].map(|local| found(&plain, local)), [Some(hash_token("plain")), None]);
        let twice = ["__Host-tenantatlas_session=a; __Host-tenantatlas_session=b; tenantatlas_session=planted"];
        assert_eq!(found(&twice, true), None);
    }
}

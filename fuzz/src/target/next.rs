//! Where somebody is led after signing in is on this site, whatever was asked for, and fits into a header.

use http::HeaderValue;
use tenantatlas_app::redirect::safe_next;
use url::Url;

pub fn check(input: &[u8]) {
    let asked = String::from_utf8_lossy(input);
    let next = safe_next(&asked);
    assert!(HeaderValue::from_str(&next).is_ok(), "{next:?} is no header");
    let here = Url::parse("https://atlas.example/sign-in").expect("an address");
    let there = here.join(&next).unwrap_or_else(|error| panic!("{next:?}: {error}"));
    assert_eq!(there.origin(), here.origin(), "{next:?} leads to another site");
}

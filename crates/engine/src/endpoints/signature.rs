//! Signatures by the specification Standard Webhooks 1.0.0 (<https://www.standardwebhooks.com>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// A new secret of 256 random bits.
pub(super) fn new_secret() -> SecretString {
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
    SecretString::from(format!("{PREFIX}{}", BASE64.encode(bytes.as_slice())))
}

/// The value of the header `webhook-signature` for the bytes that are sent: one signature for each secret, the present one
/// first. `timestamp` is in seconds since 1970. A secret that is none signs nothing.
pub(super) fn sign(secrets: &[SecretString], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures = secrets.iter().filter_map(|secret| {
        let key = secret.expose_secret().strip_prefix(PREFIX)?;
        let key = Zeroizing::new(BASE64.decode(key).ok()?);
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        Some(format!("v1,{}", BASE64.encode(context.sign())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference implementations of the specification; the second made with Python's `hmac`.
    #[test]
    fn a_signature_is_the_one_that_others_make() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = br#"{"test": 2432232314}"#;
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(std::slice::from_ref(&secret), id, 1_614_265_330, body), expected);
        let other = SecretString::from("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let both = sign(&[other, secret], id, 1_614_265_330, body);
        assert_eq!(both, format!("v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI= {expected}"));
    }

    #[test]
    fn every_secret_is_new_and_long_enough_for_the_specification() {
        let (one, other) = (new_secret(), new_secret());
        assert_ne!(one.expose_secret(), other.expose_secret());
        let key = BASE64.decode(one.expose_secret().strip_prefix(PREFIX).expect("the prefix")).expect("base64");
        assert!((24..=64).contains(&key.len()));
    }
}

//! The client assertion: a short-lived JWT, signed with the certificate's key (RFC 7523; Microsoft identity platform,
//! "certificate credentials").

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::{digest, signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use uuid::Uuid;

/// How long an assertion is valid, in seconds. It is used at once and never again.
const LIFETIME_SECONDS: u64 = 300;

/// Why a certificate credential cannot be used. The texts are for the person who entered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionError {
    #[error("the certificate is not readable: expected PEM that starts with -----BEGIN CERTIFICATE-----")]
    Certificate,
    #[error("the private key is encrypted: store it without a passphrase (the vault encrypts it at rest)")]
    EncryptedKey,
    #[error(
        "the private key is not readable: expected PEM that starts with -----BEGIN PRIVATE KEY----- (PKCS#8) or -----BEGIN RSA PRIVATE KEY----- (PKCS#1)"
    )]
    Key,
    #[error("the private key is not an RSA key of 2048 to 4096 bits")]
    KeyKind,
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    #[error("the client assertion could not be signed")]
    Signing,
}

/// Builds and signs an assertion with PS256. `now` is the time since the Unix epoch.
pub(crate) fn client_assertion(
    audience: &str,
    client_id: &str,
    private_key_pem: &SecretString,
    certificate_pem: &str,
    now: Duration,
) -> Result<SecretString, AssertionError> {
    let certificate =
        CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|_| AssertionError::Certificate)?;
    let key = key_pair(private_key_pem.expose_secret())?;
    // The subject public key of an RSA certificate is exactly the PKCS#1 public key, so it occurs in it verbatim.
    let public = key.public().as_ref();
    if !certificate.windows(public.len()).any(|window| window == public) {
        return Err(AssertionError::Mismatch);
    }

    let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &certificate));
    let issued = now.as_secs();
    let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
    let claims = json!({
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": Uuid::new_v4(),
        "iat": issued,
        "nbf": issued,
        "exp": issued + LIFETIME_SECONDS,
    });
    let mut token =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signed = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PSS_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signed)
        .map_err(|_| AssertionError::Signing)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signed, &mut token);
    Ok(SecretString::from(token))
}

fn key_pair(pem: &str) -> Result<KeyPair, AssertionError> {
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(AssertionError::EncryptedKey);
    }
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| AssertionError::Key)? {
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(AssertionError::KeyKind),
    }
    .map_err(|_| AssertionError::KeyKind)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const CERTIFICATE: &str = include_str!("../tests/fixtures/certificate.pem");
    const PKCS8: &str = include_str!("../tests/fixtures/key-pkcs8.pem");
    const PKCS1: &str = include_str!("../tests/fixtures/key-pkcs1.pem");
    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn assertion(key: &str, certificate: &str) -> Result<SecretString, AssertionError> {
        client_assertion("https://login/token", "app", &SecretString::from(key), certificate, NOW)
    }

    fn part(token: &str, number: usize) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_names_the_application_and_verifies_with_the_key() {
        for key in [PKCS8, PKCS1] {
            let token = assertion(key, CERTIFICATE).unwrap();
            let token = token.expose_secret();

            let header: Value = serde_json::from_slice(&part(token, 0)).unwrap();
            let der = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
            assert_eq!(header["alg"], "PS256");
            assert_eq!(header["x5t#S256"], URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &der)));

            let claims: Value = serde_json::from_slice(&part(token, 1)).unwrap();
            assert_eq!(claims["aud"], "https://login/token");
            assert_eq!((&claims["iss"], &claims["sub"]), (&"app".into(), &"app".into()));
            assert_eq!(claims["exp"].as_u64().unwrap() - claims["nbf"].as_u64().unwrap(), LIFETIME_SECONDS);

            let public = key_pair(PKCS8).unwrap().public().as_ref().to_vec();
            let signed = token.rsplit_once('.').unwrap().0;
            signature::UnparsedPublicKey::new(&signature::RSA_PSS_2048_8192_SHA256, public)
                .verify(signed.as_bytes(), &part(token, 2))
                .unwrap();
        }
    }

    #[test]
    fn no_two_assertions_share_an_id() {
        let id = || {
            let token = assertion(PKCS8, CERTIFICATE).unwrap();
            serde_json::from_slice::<Value>(&part(token.expose_secret(), 1)).unwrap()["jti"].clone()
        };
        assert_ne!(id(), id());
    }

    #[test]
    fn key_and_certificate_may_stand_in_one_text() {
        let both = format!("{CERTIFICATE}{PKCS8}");
        assert!(assertion(&both, &both).is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said() {
        let refused = |key: &str, certificate: &str| assertion(key, certificate).err();
        assert_eq!(refused(PKCS8, "no"), Some(AssertionError::Certificate));
        assert_eq!(refused("no", CERTIFICATE), Some(AssertionError::Key));
        let encrypted = include_str!("../tests/fixtures/encrypted-key.pem");
        assert_eq!(refused(encrypted, CERTIFICATE), Some(AssertionError::EncryptedKey));
        let elliptic = include_str!("../tests/fixtures/elliptic-key.pem");
        assert_eq!(refused(elliptic, CERTIFICATE), Some(AssertionError::KeyKind));
        let other = include_str!("../tests/fixtures/other-key.pem");
        assert_eq!(refused(other, CERTIFICATE), Some(AssertionError::Mismatch));
    }
}

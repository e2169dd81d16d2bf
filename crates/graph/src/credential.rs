//! How the application proves who it is.

use ring::digest;
use secrecy::{ExposeSecret, SecretString};

use crate::endpoints::CloudEndpoints;

/// What the application signs in with. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A client secret.
    ClientSecret(SecretString),
    /// A certificate: its key signs a client assertion (RFC 7523).
    Certificate {
        /// RSA key, PEM, PKCS#8 or PKCS#1, not encrypted.
        private_key_pem: SecretString,
        /// Certificate as uploaded to the app registration, PEM.
        certificate_pem: String,
    },
}

impl Credential {
    /// Tells credentials apart in the token cache without keeping them.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        match self {
            Self::ClientSecret(secret) => {
                context.update(b"secret\0");
                context.update(secret.expose_secret().as_bytes());
            }
            Self::Certificate { private_key_pem, certificate_pem } => {
                context.update(b"certificate\0");
                context.update(&(certificate_pem.len() as u64).to_be_bytes());
                context.update(certificate_pem.as_bytes());
                context.update(private_key_pem.expose_secret().as_bytes());
            }
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.finish().as_ref());
        fingerprint
    }
}

/// One application in one tenant of one cloud.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The cloud.
    pub endpoints: CloudEndpoints,
    /// Entra tenant: GUID or verified domain name.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// What it signs in with.
    pub credential: Credential,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_shows_in_debug_output() {
        let connection = Connection {
            endpoints: CloudEndpoints::global(),
            tenant: "contoso.com".into(),
            client_id: "app".into(),
            credential: Credential::Certificate {
                private_key_pem: SecretString::from("PLANTED-KEY"),
                certificate_pem: "public".into(),
            },
        };
        assert!(!format!("{connection:?}").contains("PLANTED"));
        assert!(!format!("{:?}", Credential::ClientSecret("PLANTED-SECRET".into())).contains("PLANTED"));
    }

    #[test]
    fn different_credentials_have_different_fingerprints() {
        let certificate = |key: &str, public: &str| Credential::Certificate {
            private_key_pem: SecretString::from(key),
            certificate_pem: public.into(),
        };
        let all = [
            Credential::ClientSecret("a".into()).fingerprint(),
            Credential::ClientSecret("b".into()).fingerprint(),
            certificate("ab", "c").fingerprint(),
            certificate("b", "ca").fingerprint(),
        ];
        assert!(all.iter().enumerate().all(|(place, one)| !all[..place].contains(one)));
    }
}

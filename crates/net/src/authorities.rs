//! Certificate authorities that are trusted besides those of the system: the ones of networks that inspect TLS.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The largest file that is read, in bytes: the bundle of all public authorities has about 220 kB.
pub const LARGEST_FILE: usize = 1_048_576;

/// Certificates of authorities. The default: none.
#[derive(Clone, Debug, Default)]
pub struct Authorities(Vec<CertificateDer<'static>>);

/// Why a file holds no authorities, as the rest of a sentence that begins with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// There is more than anybody needs.
    #[error("is larger than 1 MiB: expected the certificates of a few authorities as PEM")]
    TooLarge,
    /// It holds what must not lie where others read.
    #[error(
        "holds a private key: expected certificates alone, so take the key out and keep it where only its owner reads it"
    )]
    PrivateKey,
    /// There is nothing in it.
    #[error(
        "holds no certificate: expected one or more blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
    )]
    None,
    /// A block is none.
    #[error(
        "holds a certificate that cannot be read (number {0} in the file): expected PEM as the authority issued it, whole and unchanged"
    )]
    Unreadable(usize),
}

impl Authorities {
    /// Reads the certificates in a file of PEM.
    ///
    /// # Errors
    /// When there is none, one cannot be read, or a private key lies beside them.
    pub fn from_pem(text: &[u8]) -> Result<Self, AuthorityError> {
        if text.len() > LARGEST_FILE {
            return Err(AuthorityError::TooLarge);
        }
        // Encrypted ones too, and those of tools that the parser does not know.
        if String::from_utf8_lossy(text).lines().any(|line| line.contains("-----BEGIN") && line.contains("PRIVATE KEY"))
        {
            return Err(AuthorityError::PrivateKey);
        }
        let mut found = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let unreadable = AuthorityError::Unreadable(found.len() + 1);
            let certificate = certificate.map_err(|_| unreadable)?;
            RootCertStore::empty().add(certificate.clone()).map_err(|_| unreadable)?;
            found.push(certificate);
        }
        if found.is_empty() { Err(AuthorityError::None) } else { Ok(Self(found)) }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each certificate as DER, for what speaks TLS in another way.
    pub fn der(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(AsRef::as_ref)
    }

    pub(crate) fn certificates(&self) -> Result<Vec<reqwest::Certificate>, reqwest::Error> {
        self.0.iter().map(|certificate| reqwest::Certificate::from_der(certificate)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The certificate of a made-up authority, with the key that signed it.
    fn authority() -> (String, String) {
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = rcgen::CertificateParams::new(vec!["authority.example".to_owned()])
            .and_then(|params| params.self_signed(&key))
            .expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn one_or_more_certificates_are_read_with_whatever_text_is_around_them() {
        let (first, _) = authority();
        let (second, _) = authority();
        let both = format!("# corporate\n{first}\n\nsubject: x\n{second}");
        assert_eq!(Authorities::from_pem(both.as_bytes()).map(|found| found.len()), Ok(2));
    }

    #[test]
    fn a_file_without_a_certificate_with_half_of_one_or_with_a_key_is_refused() {
        let (certificate, key) = authority();
        let damaged = certificate.replacen("MI", "NI", 1);
        let half = &certificate[..certificate.len() / 2];
        for (text, wanted) in [
            (String::new(), AuthorityError::None),
            ("hello".to_owned(), AuthorityError::None),
            (damaged.clone(), AuthorityError::Unreadable(1)),
            (format!("{certificate}{damaged}"), AuthorityError::Unreadable(2)),
            (half.to_owned(), AuthorityError::Unreadable(1)),
            (format!("{certificate}{key}"), AuthorityError::PrivateKey),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\n".to_owned(), AuthorityError::PrivateKey),
            ("x".repeat(LARGEST_FILE + 1), AuthorityError::TooLarge),
        ] {
            assert_eq!(Authorities::from_pem(text.as_bytes()).err(), Some(wanted), "{text:.60}");
        }
    }
}

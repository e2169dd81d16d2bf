//! A certificate authority that lives as long as the cloud, and the certificate that it issues for all names by which the
//! cloud is reached. Its key never leaves the process.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::host;

/// What it calls itself.
const NAME: &str = "TenantAtlas simulated cloud";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// It cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// It cannot be used.
    #[error("a certificate cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// The certificate authority and what it issued.
pub struct Authority {
    /// The certificate that clients are to trust, as PEM.
    pub certificate: String,
    /// Speaks TLS with the certificate that was issued.
    pub acceptor: TlsAcceptor,
}

impl Authority {
    /// Makes both, for this machine, an address that is listened on, and the hosts of Microsoft.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(listening: IpAddr) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named(&format!("{NAME}: authority"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);

        let leaf_key = KeyPair::generate()?;
        let mut hosts: Vec<String> = host::all().into_iter().map(str::to_owned).collect();
        hosts.push("localhost".to_owned());
        let mut leaf = CertificateParams::new(hosts)?;
        let addresses = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), listening];
        leaf.subject_alt_names.extend(addresses.map(SanType::IpAddress));
        leaf.distinguished_name = named(NAME);
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = leaf.signed_by(&leaf_key, &issuer)?;

        let chain = vec![CertificateDer::from(leaf)];
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, private)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { certificate: certificate.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}
